"""`openab-sync check` as its users start it, with a bot on a Discord: every line that is promised."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.running import run
from tests.fakes import fake_agent
from tests.fakes.discord import Server
from tests.platforms.discord.e2e.service import configure

SEND = 1 << 11


@pytest.mark.slow
def test_a_bot_that_is_ready_passes_and_what_is_missing_where_is_a_warning(server: Server, tmp_path: Path) -> None:
    program, *args = fake_agent("--options")
    people = {"allow_all_users": False, "allowed_users": [str(server.user("ann").id)]}
    agent = {"command": program, "args": args}
    file = configure(tmp_path, server, agent=agent, discord=people, **{"limits.person": {}})
    server.allow(server.add_channel("closed"), server.app, deny=SEND)
    ended = run(tmp_path, "check", "--json", "-c", str(file))
    found = [json.loads(line) for line in ended.out.splitlines()]
    assert (ended.code, ended.err) == (0, "")
    fine = {one["what"] for one in found if one["level"] == "ok"}
    assert fine == {"config", "store", "status", "descriptors", "agent", "discord", "clock"}
    texts = [one["text"] for one in found]
    for part in ("began a session in ", "it can: load", "model: ", "the token is that of ", "sessions are wanted"):
        assert any(part in text for text in texts), part
    [lacking] = [one for one in found if one["level"] != "ok"]
    assert (lacking["level"], lacking["what"]) == ("warn", "discord")
    assert lacking["text"].startswith("in #closed it lacks: Send Messages") and lacking["todo"]
    assert server.token not in ended.out
    assert not (tmp_path / "state").exists(), "nothing is changed"
