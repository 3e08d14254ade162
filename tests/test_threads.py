"""Threads with names and ends, and the bell."""

from __future__ import annotations

import logging
import math
import os
import select
import threading

import pytest

from openab_sync.clock import SystemClock
from openab_sync.threads import LATE, Beat, Bell, join_all, late, spawn, stacks
from tests.waiting import MS


def rings(bell: Bell, timeout: float = 0.0) -> bool:
    poll = select.poll()
    poll.register(bell.fileno(), select.POLLIN)
    return bool(poll.poll(timeout * 1000))


def test_a_thread_has_the_name_it_was_given() -> None:
    names: list[str] = []
    thread = spawn("session-test:1", lambda: names.append(threading.current_thread().name))
    assert join_all([thread], SystemClock(), 5000 * MS) == []
    assert names == ["session-test:1"]


def test_a_thread_that_does_not_come_is_named_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    stop = threading.Event()

    def stay() -> None:
        stop.wait()

    late, prompt = spawn("late-one", stay), spawn("prompt-one", lambda: None)
    prompt.join()
    try:
        with caplog.at_level(logging.WARNING):
            assert join_all([late, prompt], SystemClock(), 1 * MS) == [late]
    finally:
        stop.set()
        late.join()
    assert [record.getMessage() for record in caplog.records] == ["thread late-one did not end within 0.0 s"]


@pytest.fixture(params=["eventfd", "pipe"])
def bell(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Bell:
    if request.param == "pipe":
        monkeypatch.delattr(os, "eventfd", raising=False)
    elif not hasattr(os, "eventfd"):
        pytest.skip("this system has no eventfd")
    bell = Bell()
    bell.open()
    return bell


def test_a_bell_rings_until_it_is_hushed(bell: Bell) -> None:
    assert not rings(bell)
    bell.ring()
    bell.ring()
    assert rings(bell)
    bell.hush()
    assert not rings(bell)
    bell.ring()
    assert rings(bell)
    bell.close()


def test_hushing_a_silent_bell_does_not_block(bell: Bell) -> None:
    bell.hush()
    assert not rings(bell)
    bell.close()


def test_a_bell_wakes_a_thread_that_waits(bell: Bell) -> None:
    heard: list[bool] = []
    waiter = spawn("waiter", lambda: heard.append(rings(bell, 5000 * MS)))
    bell.ring()
    waiter.join()
    bell.close()
    assert heard == [True]


def test_a_closed_bell_is_silent_and_can_be_closed_again(bell: Bell) -> None:
    bell.close()
    bell.ring()
    bell.close()
    assert bell.fileno() == -1


def test_a_bell_that_is_not_hung_up_yet_is_silent() -> None:
    bell = Bell()
    bell.ring()
    bell.close()
    assert bell.fileno() == -1


def test_ringing_never_blocks_however_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipe is full after 64 KiB of rings: it rings already."""
    monkeypatch.delattr(os, "eventfd", raising=False)
    bell = Bell()
    bell.open()
    for _ in range(10_000):
        bell.ring()
    assert rings(bell)
    bell.close()


def test_a_beat_owes_something_only_while_its_thread_works() -> None:
    beat = Beat("worker")
    assert (beat.due, beat.has_died) == (math.inf, False)
    beat.owes(10.0, 5.0)
    assert beat.due == 15.0
    beat.rests()
    assert beat.due == math.inf
    beat.died()
    assert beat.has_died and "died" in repr(beat)


def test_the_stacks_of_all_threads_stand_under_their_names() -> None:
    go = threading.Event()

    def wait() -> None:
        go.wait(10)

    thread = spawn("session-test:1", wait)
    try:
        shown = stacks()
    finally:
        go.set()
        thread.join()
    assert "MainThread:\n" in shown and "session-test:1:\n" in shown
    assert "go.wait(10)" in shown and "test_the_stacks_of_all_threads" in shown


def test_a_thread_that_is_late_or_has_died_is_named() -> None:
    well, owing, dead = Beat("well"), Beat("owing"), Beat("dead")
    owing.owes(100.0, 5.0)
    dead.died()
    assert late([well, owing], 105.0 + LATE) == []
    slow, over = late([well, owing, dead], 106.0 + LATE)
    assert slow.startswith("owing has not been heard of for 16 s") and over.startswith("dead has ended by a fault")
    owing.rests()
    assert late([owing], 10.0**9) == []
