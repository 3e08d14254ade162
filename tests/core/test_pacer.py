"""The pacer: who is woken, when, and how often."""

from __future__ import annotations

import math
import os
import select
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from openab_sync.clock import SystemClock
from openab_sync.core.pacer import FEW_LOOK, MANY, MANY_LOOK, Pacer, Pipe
from tests.waiting import MS, until

pytestmark = pytest.mark.skipif(not hasattr(select, "epoll"), reason="without epoll there is no pacer")

QUIET = 2


class Woken:
    """Counts."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> None:
        self.times += 1


def looks(pipe: Pipe, count: int) -> None:
    for _ in range(count):
        pipe.look(QUIET)


def test_who_has_written_and_then_pauses_wakes_the_session_once() -> None:
    woken = Woken()
    pipe = Pipe(-1, woken)
    pipe.grow()
    looks(pipe, QUIET)  # the look that sees it grow, and one without growth
    assert (woken.times, pipe.has_paused) == (0, False)
    looks(pipe, 10)
    assert (woken.times, pipe.has_paused) == (1, True)


def test_who_goes_on_writing_does_not_pause() -> None:
    woken = Woken()
    pipe = Pipe(-1, woken)
    for _ in range(10):
        pipe.grow()
        looks(pipe, QUIET)
    assert (woken.times, pipe.has_paused) == (0, False)


def test_who_has_said_nothing_since_the_last_read_does_not_pause() -> None:
    woken = Woken()
    pipe = Pipe(-1, woken)
    looks(pipe, 10)
    pipe.grow()
    pipe.was_read()
    looks(pipe, 10)
    assert (woken.times, pipe.has_paused) == (0, False)


def test_a_pause_is_over_with_the_read_that_it_led_to() -> None:
    woken = Woken()
    pipe = Pipe(-1, woken)
    for times in (1, 2):
        pipe.grow()
        looks(pipe, QUIET + 1)
        assert (woken.times, pipe.has_paused) == (times, True)
        pipe.was_read()
        assert not pipe.has_paused


@pytest.mark.parametrize(("seconds", "quiet"), [FEW_LOOK, MANY_LOOK])
def test_a_pause_is_noticed_within_the_time_that_a_question_may_wait(seconds: float, quiet: int) -> None:
    assert (quiet + 1) * seconds <= 0.05


@contextmanager
def pacing() -> Iterator[Pacer]:
    pacer = Pacer.make(SystemClock())
    assert pacer is not None
    pacer.start()
    try:
        yield pacer
    finally:
        assert pacer.stop()


@contextmanager
def streaming(woken: threading.Event) -> Iterator[tuple[Pipe, int]]:
    read, write = os.pipe()
    pipe = Pipe(read, woken.set)
    try:
        yield pipe, write
    finally:
        pipe.end()
        os.close(read)
        os.close(write)


def test_the_thread_sees_a_pipe_pause_again_and_again() -> None:
    woken = threading.Event()
    with pacing() as pacer, streaming(woken) as (pipe, write):
        for _ in range(3):
            pacer.watch(pipe)
            os.write(write, b"text")
            assert woken.wait(5000 * MS)
            assert pipe.has_paused
            pipe.is_collected = False
            woken.clear()
            os.read(pipe.descriptor, 100)
            pipe.was_read()


def test_among_many_all_are_seen() -> None:
    events = [threading.Event() for _ in range(12)]
    with pacing() as pacer:
        streams = [streaming(woken) for woken in events]
        pipes = [stream.__enter__() for stream in streams]
        for pipe, _ in pipes:
            pacer.watch(pipe)
        for _, write in pipes:
            os.write(write, b"text")
        assert all(woken.wait(5000 * MS) for woken in events)
        for stream in streams:
            stream.__exit__(None, None, None)


def test_it_counts_who_streams_and_says_when_they_are_many() -> None:
    with pacing() as pacer:
        streams = [streaming(threading.Event()) for _ in range(MANY)]
        pipes = [stream.__enter__()[0] for stream in streams]
        for pipe in pipes[1:]:
            pacer.count(pipe)
        until(lambda: pacer.beat.due < math.inf)
        assert not pacer.is_crowded
        pacer.count(pipes[0])
        until(lambda: pacer.is_crowded)
        pipes[1].is_streaming = False
        until(lambda: not pacer.is_crowded)
        for pipe in pipes:
            pipe.is_streaming = False
        until(lambda: pacer._is_resting)
        for stream in streams:
            stream.__exit__(None, None, None)


def test_while_nothing_is_collected_it_rests_and_is_called_when_something_is() -> None:
    woken = threading.Event()
    with pacing() as pacer, streaming(woken) as (pipe, write):
        pacer.watch(pipe)
        until(lambda: pacer.beat.due < math.inf)
        pipe.is_collected = False
        until(lambda: pacer._is_resting and pacer.beat.due == math.inf)
        os.write(write, b"text")
        pacer.watch(pipe)
        assert woken.wait(5000 * MS)


def test_a_pipe_that_is_closed_already_is_no_matter_and_its_number_can_be_used_again() -> None:
    first, second = threading.Event(), threading.Event()
    with pacing() as pacer:
        with streaming(first) as (pipe, _):
            pacer.watch(pipe)
        pacer.watch(Pipe(pipe.descriptor, first.set))  # a descriptor that is none
        with streaming(second) as (again, write):
            assert again.descriptor == pipe.descriptor
            pacer.watch(again)
            os.write(write, b"text")
            assert second.wait(5000 * MS)
    assert not first.is_set()


def test_its_thread_has_a_name_and_one_that_was_never_started_can_be_stopped() -> None:
    with pacing():
        assert "pacer" in [thread.name for thread in threading.enumerate()]
    assert Pacer(SystemClock()).stop()


def test_whoever_looks_after_threads_is_told_if_it_ends_by_a_fault(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("openab_sync.core.pacer._register", lambda *_: 1 / 0)
    with pacing() as pacer:
        pacer.watch(Pipe(-1, lambda: None))
        until(lambda: pacer.beat.has_died)
    assert "the pacer has ended" in caplog.text


def test_where_there_is_no_epoll_there_is_no_pacer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(select, "epoll")
    assert Pacer.make(SystemClock()) is None
