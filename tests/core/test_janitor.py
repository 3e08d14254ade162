"""The janitor's rounds, on a pool that only writes down that it was cleaned."""

from __future__ import annotations

import logging
import math
import threading
from concurrent.futures import Future

import pytest

from openab_sync.clock import SystemClock
from openab_sync.core.figures import Figure
from openab_sync.core.hourglass import Hourglass
from openab_sync.core.janitor import INTERVAL, Janitor
from openab_sync.core.ledger import ON_DISK
from openab_sync.core.pool import SessionPool
from openab_sync.errors import StoreError
from tests.core.makers import house
from tests.fakes.clock import FakeClock
from tests.waiting import MS, until


class DustyPool(SessionPool):
    """A real pool, empty, that tells when it is cleaned and stumbles as often as it is told to."""

    def __init__(self, stumbles: int = 0) -> None:
        super().__init__(house(FakeClock()), {})
        self.done: list[str] = []
        self.cleaned = threading.Event()
        self._stumbles = stumbles

    def drop_hung(self) -> int:
        self.done.append("hung")
        if self._stumbles:
            self._stumbles -= 1
            raise LookupError("a bug of ours")
        return super().drop_hung()

    def suspend_idle(self) -> int:
        self.done.append("idle")
        return super().suspend_idle()

    def sweep(self) -> None:
        self.done.append("sweep")
        super().sweep()
        self.cleaned.set()


def test_a_round_frees_rooms_first_and_sweeps_last() -> None:
    pool = DustyPool()
    Janitor(pool, SystemClock()).round()
    assert pool.done == ["hung", "idle", "sweep"]


def test_the_rounds_come_by_themselves_on_a_thread_with_a_name() -> None:
    pool = DustyPool()
    janitor = Janitor(pool, SystemClock(), interval=1 * MS)
    janitor.start()
    try:
        assert pool.cleaned.wait(5000 * MS)
        assert "janitor" in [thread.name for thread in threading.enumerate()]
    finally:
        assert janitor.stop()


def test_a_janitor_that_stumbles_gets_up_again(caplog: pytest.LogCaptureFixture) -> None:
    pool = DustyPool(stumbles=2)
    janitor = Janitor(pool, SystemClock(), interval=1 * MS)
    janitor.start()
    try:
        assert pool.cleaned.wait(5000 * MS)
    finally:
        assert janitor.stop()
    errors = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert [record.getMessage() for record in errors] == ["the janitor stumbled"] * 2
    assert "a bug of ours" in caplog.text  # with its traceback


def test_stop_ends_the_long_pause_between_two_rounds() -> None:
    pool = DustyPool()
    janitor = Janitor(pool, SystemClock(), interval=3600.0)
    janitor.start()
    assert janitor.stop()
    assert janitor.stop()  # twice is once
    assert pool.done == []


def test_a_janitor_that_never_began_has_ended() -> None:
    assert Janitor(DustyPool(), SystemClock()).stop()


def test_a_janitor_that_does_not_come_home_is_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    inside, gate = threading.Event(), threading.Event()
    pool = DustyPool()

    def sweep() -> None:
        inside.set()
        gate.wait()

    monkeypatch.setattr(pool, "sweep", sweep)
    monkeypatch.setattr("openab_sync.core.janitor.PATIENCE", 1 * MS)
    janitor = Janitor(pool, SystemClock(), interval=1 * MS)
    janitor.start()
    assert inside.wait(5000 * MS)
    assert not janitor.stop()
    gate.set()
    monkeypatch.setattr("openab_sync.core.janitor.PATIENCE", 5000 * MS)
    assert janitor.stop()
    assert "thread janitor did not end" in caplog.text


def test_it_owes_a_sign_of_life_for_each_round_and_none_after_the_last() -> None:
    janitor = Janitor(DustyPool(), SystemClock(), interval=60.0)
    janitor.start()
    until(lambda: janitor.beat.due < math.inf)
    assert janitor.stop()
    assert janitor.beat.due == math.inf


def test_rooms_of_sessions_that_hang_are_counted_as_crashes() -> None:
    found: list[tuple[object, ...]] = []
    pool = DustyPool()
    pool.drop_hung = lambda: 2  # type: ignore[method-assign]
    Janitor(pool, FakeClock(), observe=lambda *figure: found.append(figure)).round()
    assert found == [(Figure.CRASH, 1, "hung")] * 2


def test_it_comes_in_time_for_what_has_waited_long_enough_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    assert INTERVAL <= ON_DISK, "what begins during a pause has not run out before its end"
    monkeypatch.setattr("openab_sync.core.hourglass.ON_DISK", 1 * MS)
    glass = Hourglass(SystemClock())
    never = glass.bounded(Future[None]())
    janitor = Janitor(DustyPool(), SystemClock(), interval=3600.0, hourglass=glass)
    janitor.start()
    try:
        assert isinstance(never.exception(5000 * MS), StoreError)
    finally:
        assert janitor.stop()
