"""An agent that tells a whole service all its secrets: what was sent, logged, exported, counted or stored is searched.

It has looked around, too, and tells the bot's own token and the status server's. What resumes its session may stand in
the journal, where that is taken up again from, and nowhere else. Somebody looks at the page meanwhile, through a link;
the cookie that it has set is nowhere either.
"""

from __future__ import annotations

import json
import sqlite3
import sys
import threading
import urllib.request
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.cli.running import run
from tests.fakes.discord import Server
from tests.fakes.discord.things import Channel, Message
from tests.hostile.telltale import SESSION
from tests.hostile.test_telltale import CANARIES, PROGRAM
from tests.platforms.discord.e2e.service import mention, service
from tests.platforms.discord.pressing import buttons
from tests.waiting import until

NAMES = [name for name in CANARIES if name != "CANARY_A"]
PATHS = ("/metrics", "/healthz", "/readyz", "/api/sessions", "/api/conversations", "/api/questions")


def note(home: Path, name: str) -> str:
    return (home / "state" / name).read_text().strip()


def asked(home: Path, path: str, method: str = "GET") -> str:
    """What the status server tells somebody who has its key."""
    headers = {"Authorization": f"Bearer {note(home, 'status.token')}"}
    request = urllib.request.Request(note(home, "status.address") + path, headers=headers, method=method)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return str(answer.read().decode())


class Onlooker:
    """A browser with the page open, from a link on: `seen` is all that its stream has told."""

    def __init__(self, home: Path) -> None:
        self.link = str(json.loads(asked(home, "/api/link", "POST"))["url"])
        with urllib.request.urlopen(self.link, timeout=10) as answer:
            self.cookie = str(answer.headers["Set-Cookie"]).partition(";")[0]
        self.seen = ""
        self._url = note(home, "status.address")
        self._thread: threading.Thread | None = None

    def look_at(self, room: str) -> None:
        self._thread = threading.Thread(target=self._look, args=(room,), name="onlooker")
        self._thread.start()

    def _look(self, room: str) -> None:
        request = urllib.request.Request(f"{self._url}/web/stream?room={room}", headers={"Cookie": self.cookie})
        with urllib.request.urlopen(request, timeout=30) as answer:
            for line in answer:
                self.seen += line.decode()

    def leave(self) -> None:
        """The service has ended, and the stream with it."""
        assert self._thread is not None
        self._thread.join(10)
        assert not self._thread.is_alive()


def sent(server: Server, thread: Channel) -> str:
    """All that Discord was told, and all files that it has."""
    told = [json.dumps(request.form, default=str, ensure_ascii=False) for request in server.requests]
    files = [file for message in thread.history for file in message.attachments]
    return "\n".join([*told, *(f"{file.filename}\n{file.content.decode('utf-8', 'replace')}" for file in files)])


def stored(home: Path) -> str:
    """Every value of the journal, but for the columns from which sessions are taken up again."""
    kept = []
    with closing(sqlite3.connect(home / "state" / "journal.db")) as db:
        for (table,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            rows = db.execute(f'SELECT * FROM "{table}"')
            names = [column[0] for column in rows.description]
            for row in rows:
                kept += [
                    value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
                    for name, value in zip(names, row, strict=True)
                    if (table, name) not in {("memories", "session"), ("memories", "archive")}
                ]
    return "\n".join(kept)


def answered(server: Server, thread: Channel, *, is_asked: bool) -> None:
    """Ann opens the form and declines it, and says no to the tool if it `is_asked` for; what she sees is sent, too."""

    def asked(button: str) -> list[tuple[Message, str]]:
        return [(one, label) for one in thread.history for label in buttons(one) if label.startswith(button)]

    ann = server.user("ann")
    form, fill = until(lambda: asked("Fill in"), 10, "the form is put to people")[0]
    pressed = ann.click(form, fill)
    server.until(lambda: pressed.modal is not None, 10, "the form is shown")
    ann.click(form, "Decline")
    if is_asked:
        ann.click(*until(lambda: asked("No, "), 10, "the tool is asked for")[0])


@pytest.mark.parametrize(
    ("mode", "order"),
    [
        pytest.param("deny", "once", marks=pytest.mark.slow),
        ("ask", "cut 3"),
        pytest.param("deny", "pages 1994", marks=pytest.mark.slow),
    ],
)
def test_nothing_of_a_secret_is_anywhere(mode: str, order: str, server: Server, tmp_path: Path) -> None:
    """`pages`: each secret stands where a page of Discord's 2,000 characters would be cut."""
    lines, own = tmp_path / "audit.jsonl", tmp_path / "bot.token"
    own.write_text(server.token)
    agent = {"command": sys.executable, "args": [PROGRAM], "inherit_env": NAMES}
    files = f"{own}:{tmp_path / 'state' / 'status.token'}"
    more: dict[str, Any] = {"agent.env": {"MINE_TOKEN": CANARIES["CANARY_A"], "TELL_FILES": files}}
    with service(
        tmp_path,
        server,
        environ={name: CANARIES[name] for name in NAMES},
        agent=agent,
        **more,
        permissions={"mode": mode},
        reply={"thoughts": True, "footer": True},
        discord={"max_pages": 50},
        log={"level": "debug"},
        audit={"file": str(lines), "prompts": True},
    ) as running:
        server.until_ready()
        onlooker = Onlooker(tmp_path)
        thread = mention(server, order)
        onlooker.look_at(f"discord:{thread.id}")
        answered(server, thread, is_asked=mode == "ask")
        key = f"discord:{thread.id}"
        until(lambda: '"idle"' in asked(tmp_path, "/api/sessions"), 10, "the turn is over")
        told = "\n".join(asked(tmp_path, path) for path in (*PATHS, f"/api/sessions/{key}"))
        until(lambda: "[redacted]" in onlooker.seen, 10, "the page has been told")
        slash = server.user("ann").slash("export", where=thread)
        server.until(lambda: slash.is_done, 10, "it is exported")
        running.signal()
        assert running.end() == 0, running.log
        onlooker.leave()
    seen = {
        "sent": sent(server, thread),
        "logged": running.log,
        "on the page": onlooker.seen,
        "told": told,
        "in the file of the audit": lines.read_text(),
        "in the audit": run(tmp_path, "audit", "-c", str(tmp_path / "config.toml"), "--json").out,
        "exported": run(tmp_path, "store", "export", "-c", str(tmp_path / "config.toml")).out,
        "stored": stored(tmp_path),
    }
    hiding = {where for where, text in seen.items() if "[redacted]" in text}
    assert hiding == set(seen), "each was told something"
    planted = [*CANARIES.values(), server.token, note(tmp_path, "status.token")]
    ways_in = [onlooker.cookie.partition("=")[2], onlooker.link.rpartition("/")[2]]
    secrets = {*planted, *(json.dumps(secret)[1:-1] for secret in planted), SESSION, *ways_in}
    assert all(len(secret) >= 8 for secret in secrets)
    assert {(where, secret) for where, text in seen.items() for secret in secrets if secret in text} == set()
    if order.startswith("pages"):
        posted = [one.content for one in thread.history if one.author.id == server.app.id]
        assert sum("x" * 1500 in text for text in posted) >= len(planted), "a page for each, and more"
