"""Requests that are waited for while a session begins."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from openab_sync.core.calls import Calls
from openab_sync.core.state import State
from tests.core.bed import Bed
from tests.core.test_agent import running
from tests.fakes.clock import FakeClock
from tests.waiting import until


def test_people_who_wait_for_a_slow_start_are_told_once(tmp_path: Path) -> None:
    """46 s have been seen; nobody has to wonder."""
    begin = tmp_path / "begin"
    with Bed("--slow-new-on", str(begin), clock=FakeClock()) as bed:
        bed.say("say hello")
        bed.until_state(State.STARTING)
        until(lambda: bed.snapshot().pid)
        assert bed.notices() == []
        bed.tick(bed.notices, step=1)
        bed.pass_time(20)
        begin.touch()
        bed.until_text("hello")
        assert len(bed.notices()) == 1
        assert "still starting" in bed.notices()[0]


def test_a_slow_start_that_nobody_waits_for_is_no_news(tmp_path: Path) -> None:
    begin = tmp_path / "begin"
    with Bed("--slow-new-on", str(begin), "--options", clock=FakeClock()) as bed:
        answer = bed.order("models")
        until(lambda: bed.snapshot().pid)
        bed.pass_time(20)
        begin.touch()
        assert "●" in answer.result(10).text
        assert bed.notices() == []


def test_what_is_replayed_is_waited_for_until_it_is_quiet_and_not_for_ever() -> None:
    clock = FakeClock()
    heard = [5, 5, 8, 8, 9, 9, 9, 9]
    waits: list[float | None] = []

    def pump(done: Callable[[], bool], seconds: float | None = None) -> bool:
        waits.append(seconds)
        clock.advance(0.2)
        return done()

    with running() as agent:
        Calls(agent, pump, clock, lambda: None).settle(lambda: heard.pop(0), 0.2)
        assert waits == [0.2] * 3
        waits.clear()
        endless = iter(range(10_000))
        Calls(agent, pump, clock, lambda: None).settle(lambda: next(endless), 0.2)
    assert len(waits) == 25
