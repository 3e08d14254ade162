"""`openab-sync run`, killed without a word while people go on writing: the next one answers them, and knows them."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.cli.running import PATIENCE
from tests.fakes import fake_agent
from tests.fakes.discord import Server
from tests.platforms.discord.e2e.service import mention, service

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(("number", "code"), [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGTERM, 0)])
def test_who_writes_while_it_is_away_is_answered_by_the_next_one_that_knows_what_was_said(
    server: Server, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    """Dead, or stopped for a moment to be replaced."""
    program, *args = fake_agent("--memory", str(tmp_path / "memory"))
    agent = {"command": program, "args": args}
    with service(tmp_path, server, agent=agent) as running:
        server.until_ready()
        thread = mention(server, "say before")
        server.until_said("before", thread, PATIENCE)
        running.signal(number)
        assert running.end() == code, running.log
    ann = server.user("ann")
    ann.write(thread, "say meanwhile")
    ann.write(thread, "recall")
    server.advance(6.0)
    with service(tmp_path, server, agent=agent) as running:
        server.until_said('["say before", "say meanwhile"]', thread, PATIENCE)
        running.signal()
        assert running.end() == 0, running.log
    ours = [one.content for one in thread.messages.values() if one.author.id == server.app.id]
    assert [text for text in ours if "meanwhile" in text] == ["meanwhile", '["say before", "say meanwhile"]']
