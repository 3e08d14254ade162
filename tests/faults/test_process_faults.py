"""Processes that stay, die or talk too much: rows C of the list in tests/README.rst, and how real agents end."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import psutil
import pytest

from openab_sync.core.state import State
from tests.acp.running import alive
from tests.core.bed import Bed
from tests.fakes.clock import FakeClock
from tests.faults.scenes import sent
from tests.waiting import until

FAKE_KEY = "sk-ant-fake"


def numbers(text: str) -> list[int]:
    return [int(word) for word in text.replace(",", " ").replace("}", " ").split() if word.isdigit()]


# Whom an agent brings into the world.


@pytest.mark.parametrize(
    ("flags", "words"),
    [((), "orphan"), (("--linger",), "pid\ncrash"), ((), "double_fork\nexit0")],
    ids=["keeps stdout", "ignores SIGTERM", "has left the group"],
)
def test_nobody_outlives_an_agent_that_died(flags: tuple[str, ...], words: str) -> None:
    """C1, C4. 300 MB each, for ever: what a child of a dead agent costs."""
    with Bed(*flags, clock=FakeClock()) as bed:
        assert bed.ask(words).outcome == "gone"
        children = numbers(bed.text())
        assert children
        until(lambda: not any(alive(child) for child in children), what="its children have ended")
        until(lambda: bed.broker.snapshot().sessions == ())
        assert psutil.Process().children() == []


def test_an_agent_that_closes_its_stdout_and_stays_is_over() -> None:
    with Bed(clock=FakeClock()) as bed:
        bed.say("close_stdout last words")
        bed.until_text("last words")
        pid = bed.snapshot().pid
        assert pid is not None
        bed.tick(bed.ends)
        assert bed.ends()[0].outcome == "gone"
        assert "closed its output" in bed.ends()[0].reason
        until(lambda: not alive(pid))


# How an agent is ended.


def test_an_idle_agent_learns_of_its_end_by_the_end_of_its_stdin(tmp_path: Path) -> None:
    """Some save what they remember then, and only then: no signal comes first."""
    log = tmp_path / "log"
    with Bed("--log", str(log)) as bed:
        bed.ask("say hello")
        bed.until_state(State.IDLE)
        assert bed.app.stop()
        assert sent(log)[-1] == "eof"


def test_a_busy_agent_is_cancelled_before_its_stdin_ends(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with Bed("--log", str(log), pool={"shutdown_grace_secs": 0}) as bed:
        bed.say("say begun\nhang")
        bed.until_text("begun")
        assert bed.app.stop()
        assert sent(log)[-2:] == ["session/cancel", "eof"]
        assert bed.ends()[0].outcome == "cancelled"


# What an agent is given.


def test_an_agent_sees_no_secret_of_ours_but_what_was_let_through(monkeypatch: pytest.MonkeyPatch) -> None:
    """C5, C6, C7. Deny by default; named variables pass; what is set for it wins."""
    monkeypatch.setenv("BOT_TOKEN", "never")
    monkeypatch.setenv("PASSED", "ours")
    monkeypatch.setenv("SET", "ours")
    agent = {"env": {"SET": "its own"}, "inherit_env": ["PASSED", "SET", "MISSING"]}
    with Bed(agent=agent) as bed:
        bed.ask("env")
        seen = json.loads(bed.text())
    assert (seen["PASSED"], seen["SET"]) == ("ours", "its own")
    assert not {"BOT_TOKEN", "MISSING"} & seen.keys()
    assert seen["HOME"] == str(Path.home())
    names = {name for name in seen if not name.startswith(("LC_", "OPENAB_SYNC_"))}
    assert names <= {"HOME", "PATH", "USER", "LANG", "PASSED", "SET"}


# What an agent logs.


def test_the_last_words_of_a_dead_agent_are_in_the_log_without_secrets(caplog: pytest.LogCaptureFixture) -> None:
    """C9, B5. They come with how it ended; people in the chat see only that."""
    with Bed("--stderr", "1038") as bed:
        end = bed.ask("stderr 300\ncrash 9")
        until(lambda: bed.broker.snapshot().sessions == ())
    assert "exit status 9" in end.reason
    assert "asked to crash" not in end.reason
    assert "asked to crash" in caplog.text
    assert "exit status 9" in caplog.text
    assert FAKE_KEY not in caplog.text
    assert "\x1b" not in caplog.text


def test_an_agent_that_cannot_start_says_why_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """C10. The first message is told that it failed; the operator sees what the agent had to say."""
    with Bed("--die-at-start") as bed:
        assert "exit status 3" in bed.ask("say hello").reason
        until(lambda: bed.broker.snapshot().sessions == ())
    assert "no licence found" in caplog.text


def test_garbage_without_end_is_a_few_lines_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING), Bed() as bed:
        assert bed.ask("garbage 2000").outcome == "done"
        assert bed.text() == "after the garbage"
    lines = [record for record in caplog.records if "not JSON" in record.getMessage()]
    assert 0 < len(lines) <= 20
