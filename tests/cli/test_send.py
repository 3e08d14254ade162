"""`openab-sync send`: a message from a script, seen by people, answered by the agent."""

from __future__ import annotations

from pathlib import Path

from openab_sync.core.port import Notice
from openab_sync.core.state import State
from tests.cli.running import run
from tests.cli.serving import serving


def test_a_message_reaches_people_and_the_agent(tmp_path: Path) -> None:
    with serving(tmp_path) as bed:
        bed.ask("say hello")
        bed.until_state(State.IDLE)
        sent = run(tmp_path, "send", "test:1", "say the build is green", "--by", "CI")
        assert (sent.code, sent.out, sent.err) == (0, "Accepted.\n", "")
        bed.until_text("the build is green")
        assert Notice("📨 CI:\nsay the build is green") in bed.events()
        piped = run(tmp_path, "send", "test:1", "-", stdin="say piped in\n")
        assert piped.code == 0
        bed.until_text("piped in")


def test_what_cannot_be_sent_is_one_sentence(tmp_path: Path) -> None:
    with serving(tmp_path):
        ended = run(tmp_path, "send", "test:9", "hello")
        assert (ended.code, ended.out, ended.err) == (1, "", "openab-sync: There is no such conversation here.\n")
    empty = run(tmp_path, "send", "test:9", " ")
    assert empty.code == 2 and "The text is empty." in empty.err
