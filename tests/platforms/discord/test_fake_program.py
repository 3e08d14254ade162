"""`python -m tests.fakes.discord` and its page."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.discord.page import PAGE, Playground
from tests.platforms.discord.fake_client import QUICK, Bot, logged_in
from tests.platforms.discord.test_fake_interactions import Panel, add_commands
from tests.waiting import until

ROOT = Path(__file__).parents[3]


@pytest.fixture
def server() -> Iterator[Playground]:
    with Playground(limits=QUICK) as server:
        yield server


def state(origin: str) -> dict[str, Any]:
    with urllib.request.urlopen(f"{origin}/play/state") as answer:
        found: dict[str, Any] = json.load(answer)
        return found


def act(origin: str, **deed: Any) -> str:
    """Do something on the page; return what it complains of."""
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{origin}/play/act", json.dumps(deed).encode(), headers)
    try:
        with urllib.request.urlopen(request):
            return ""
    except urllib.error.HTTPError as error:
        with error:
            return str(json.load(error)["error"])


def test_the_program_serves_its_page_until_it_is_told_to_stop() -> None:
    command = [sys.executable, "-m", "tests.fakes.discord", "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        said = [program.stdout.readline() for _ in range(3)]
        origin = said[1].split()[1]
        with urllib.request.urlopen(origin) as answer:
            assert b"<title>A fake Discord</title>" in answer.read()
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        general = state(origin)["channels"][0]
        assert act(origin, do="write", channel=general["id"], text="hello") == ""
        assert state(origin)["channels"][0]["messages"][0]["text"] == "hello"
        program.send_signal(signal.SIGTERM)
        assert program.wait(10) == 0
        assert said[2].startswith("token")


def test_a_port_that_is_taken_is_told(server: Playground) -> None:
    command = [sys.executable, "-m", "tests.fakes.discord", "--port", server.origin.rpartition(":")[2]]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=20)
    assert ended.returncode == 1 and ended.stdout.startswith("cannot listen on port")


def test_the_page_loads_nothing_from_anywhere() -> None:
    assert re.findall(r"(?:https?:)?//[\w.-]+\.\w+", PAGE.read_text(encoding="utf-8")) == []


def test_everything_can_be_done_on_the_page(server: Playground) -> None:
    bot = Bot()
    add_commands(bot)
    with logged_in(server, bot):
        bot.call(bot.tree.sync())
        at = {"channel": str(server.general.id)}
        assert act(server.origin, do="write", text="@bridge hello", **at) == ""
        server.until(lambda: bot.texts == [f"{server.app.user.mention} hello"])
        mine = server.general.history[0]
        assert act(server.origin, do="edit", message=str(mine.id), text="changed", **at) == ""
        assert act(server.origin, do="react", message=str(mine.id), emoji="👍", **at) == ""
        assert act(server.origin, do="slash", command="ask", options={"text": "ho", "times": "2"}, **at) == ""
        server.until(lambda: [one for one in server.general.messages.values() if one.content == "hoho"])
        seen = state(server.origin)["channels"][0]["messages"]
        assert [(one["text"], one["is_ephemeral"], one["reactions"]) for one in seen] == [
            ("changed", False, {"👍": 1}), ("hoho", True, {}),
        ]  # fmt: skip
        assert act(server.origin, do="delete", message=seen[1]["id"], **at) == ""
        assert act(server.origin, do="delete", message=seen[0]["id"], **at) == ""
        assert state(server.origin)["channels"][0]["messages"] == []


def test_buttons_selects_and_modals_work_on_the_page(server: Playground) -> None:
    with logged_in(server) as bot:

        async def show() -> None:
            await bot.place(server.general.id).send("choose", view=Panel())

        bot.call(show())
        there = {"channel": str(server.general.id), "message": str(server.general.history[0].id)}
        assert act(server.origin, do="choose", part="model", values=["b"], **there) == ""
        assert act(server.origin, do="click", part="more", **there) == ""
        until(lambda: state(server.origin)["modals"])
        modal = state(server.origin)["modals"][0]
        assert modal["modal"]["title"] == "More"
        deed = {"do": "submit", "interaction": modal["id"], "values": {"text": "hi"}}
        assert act(server.origin, **there, **deed) == ""
        server.until_said("you said hi")
        assert state(server.origin)["modals"] == []


@pytest.mark.parametrize(
    ("deed", "complaint"),
    [
        ({"do": "dance"}, "cannot be done"),
        ({"do": "write", "channel": "1", "text": "x"}, "Unknown Channel"),
        ({"do": "write", "channel": "general", "text": ""}, "characters"),
        ({"do": "delete", "channel": "general", "message": "1"}, "no such message"),
        ({"do": "slash", "channel": "general", "command": "none"}, "no command"),
    ],
)
def test_what_cannot_be_done_is_told(server: Playground, deed: dict[str, Any], complaint: str) -> None:
    if deed.get("channel") == "general":
        deed = {**deed, "channel": str(server.general.id)}
    assert complaint in act(server.origin, **deed)


def test_other_pages_cannot_write_here(server: Playground) -> None:
    headers = {"Content-Type": "application/json", "Origin": "http://example.org"}
    request = urllib.request.Request(f"{server.origin}/play/act", b"{}", headers)
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request)
    with caught.value as error:
        assert error.code == 403
