"""An event loop in a thread: what is submitted is completed, whatever becomes of it and of the loop."""

from __future__ import annotations

import asyncio
import contextlib
import math
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from itertools import pairwise
from typing import Any

import pytest

from openab_sync.errors import ChatError, ChatTimeout
from openab_sync.platforms import loop as module
from openab_sync.platforms.loop import EventLoopThread
from tests.waiting import MS, until

SOON = 5000 * MS


@pytest.fixture
def loop() -> Iterator[EventLoopThread]:
    loop = EventLoopThread("chat-test")
    loop.start()
    yield loop
    assert loop.stop(SOON)


async def answer(value: int = 42) -> int:
    await asyncio.sleep(0)
    return value


async def name() -> str:
    return threading.current_thread().name


async def never() -> None:
    await asyncio.Event().wait()


def test_a_coroutine_runs_on_the_named_thread_and_its_result_comes_back(loop: EventLoopThread) -> None:
    assert loop.submit(answer(), SOON).result(SOON) == 42
    assert loop.submit(name(), SOON).result(SOON) == "chat-test"
    assert repr(loop) == "<EventLoopThread chat-test running open=0>"


def test_a_callback_runs_on_the_named_thread(loop: EventLoopThread) -> None:
    where: Future[tuple[str, bool]] = Future()
    loop.call_soon(lambda: where.set_result((threading.current_thread().name, loop.is_here)))
    assert where.result(SOON) == ("chat-test", True)
    assert not loop.is_here


def test_of_what_comes_at_once_one_begins_in_each_turn_of_the_loop(loop: EventLoopThread) -> None:
    """Fifty edits that are due together keep nobody else waiting: neither what comes in nor a heartbeat."""
    seen: list[str] = []

    async def turn() -> None:
        while seen.count("begun") < 5:
            seen.append("turn")
            await asyncio.sleep(0)

    async def begin(number: int) -> int:
        seen.append("begun")
        return number

    async def at_once() -> list[Future[int]]:  # the loop is held up meanwhile, as by a burst
        turns = asyncio.create_task(turn())
        found = [loop.submit(begin(number), SOON) for number in range(5)]
        await turns
        return found

    assert [found.result(SOON) for found in loop.submit(at_once(), SOON).result(SOON)] == [0, 1, 2, 3, 4]
    begun = [index for index, what in enumerate(seen) if what == "begun"]
    assert all("turn" in seen[one:other] for one, other in pairwise(begun))


def test_one_that_cannot_begin_does_not_stand_in_the_way_of_the_next(
    loop: EventLoopThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = loop._begin

    def begins(coroutine: Any, timeout: float, promise: Any) -> None:
        if loop._takes_more and timeout == math.inf:
            coroutine.close()
            raise RuntimeError("it cannot begin")
        begin(coroutine, timeout, promise)

    monkeypatch.setattr(loop, "_begin", begins)
    lost = loop.submit(answer(1), math.inf)
    assert [loop.submit(answer(n), SOON).result(SOON) for n in range(3)] == [0, 1, 2]
    assert not lost.done(), "it is completed when the loop ends, at the latest"


def test_what_waits_for_its_turn_when_the_loop_ends_is_completed(loop: EventLoopThread) -> None:
    async def at_once() -> list[Future[int]]:
        return [loop.submit(answer(), SOON) for _ in range(100)]

    found = loop.submit(at_once(), SOON).result(SOON)
    assert loop.stop(SOON)
    for each in found:
        with contextlib.suppress(ChatError):
            assert each.result(SOON) == 42


def test_an_error_of_the_coroutine_is_the_futures(loop: EventLoopThread) -> None:
    async def fail() -> None:
        raise LookupError("gone")

    with pytest.raises(LookupError, match="gone"):
        loop.submit(fail(), SOON).result(SOON)


def test_a_coroutine_out_of_time_has_ended_when_its_future_says_so(loop: EventLoopThread) -> None:
    ended = threading.Event()

    async def slow() -> None:
        try:
            await never()
        finally:
            await asyncio.sleep(0)
            ended.set()

    error = loop.submit(slow(), 10 * MS).exception(SOON)
    assert isinstance(error, ChatTimeout)
    assert ended.is_set()


def test_a_time_out_of_the_coroutines_own_is_not_taken_for_ours(loop: EventLoopThread) -> None:
    async def impatient() -> None:
        async with asyncio.timeout(1 * MS):
            await never()

    error = loop.submit(impatient(), SOON).exception(SOON)
    assert type(error) is TimeoutError


def test_a_coroutine_that_does_not_obey_its_cancel_holds_nobody_up(
    loop: EventLoopThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CLEAN_UP", 10 * MS)
    release = asyncio.Event()

    async def stubborn() -> None:
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue

    error = loop.submit(stubborn(), 10 * MS).exception(SOON)
    assert isinstance(error, ChatTimeout)
    loop.call_soon(release.set)
    assert loop.submit(answer(), SOON).result(SOON) == 42


def test_a_future_that_is_cancelled_cancels_its_coroutine(loop: EventLoopThread) -> None:
    begun, ended = threading.Event(), threading.Event()

    async def slow() -> None:
        begun.set()
        try:
            await never()
        finally:
            ended.set()

    future = loop.submit(slow(), SOON)
    assert begun.wait(SOON)
    assert future.cancel()
    assert ended.wait(SOON)


def test_a_coroutine_that_is_cancelled_from_within_fails_its_future(loop: EventLoopThread) -> None:
    async def give_up() -> None:
        raise asyncio.CancelledError

    assert "cancelled" in str(loop.submit(give_up(), SOON).exception(SOON))


def test_what_is_not_done_when_the_loop_ends_fails_with_it() -> None:
    loop = EventLoopThread("chat-test")
    loop.start()
    futures = [loop.submit(never(), 600) for _ in range(10)]
    assert loop.stop(SOON)
    assert all(isinstance(future.exception(0), ChatError) for future in futures)
    assert not loop.is_running


def test_what_begins_only_when_others_end_is_ended_too() -> None:
    loop, ended = EventLoopThread("chat-test"), list[int]()

    async def one_of(left: int) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(left)
            if left:
                following.append(asyncio.create_task(one_of(left - 1)))
                await asyncio.sleep(0)

    following: list[asyncio.Task[None]] = []
    loop.start()
    promise = loop.submit(one_of(3), 10)
    loop.submit(asyncio.sleep(0), 10).result(10)
    assert loop.stop(SOON)
    assert isinstance(promise.exception(10), ChatError)
    assert ended == [3, 2, 1, 0]


@pytest.mark.parametrize("started", [False, True])
def test_without_a_loop_a_future_fails_at_once(started: bool) -> None:
    loop = EventLoopThread("chat-test")
    if started:
        loop.start()
    assert loop.stop(SOON)
    assert isinstance(loop.submit(answer(), SOON).exception(0), ChatError)
    loop.call_soon(pytest.fail, "there is no loop")
    assert repr(loop) == "<EventLoopThread chat-test not running open=0>"


def test_what_is_under_way_can_be_waited_for(loop: EventLoopThread) -> None:
    held = asyncio.Event()

    async def hold() -> None:
        await held.wait()

    assert loop.settle(0)
    future = loop.submit(hold(), SOON)
    assert not loop.settle(5 * MS)
    loop.call_soon(held.set)
    assert loop.settle(SOON)
    assert future.done()


def test_what_comes_while_the_loop_is_ending_fails_too() -> None:
    """Nothing hangs: not what the loop hears of too late, nor what it never hears of."""
    loop = EventLoopThread("chat-test")
    loop.start()
    late: list[Future[int]] = []

    async def submit_at_the_end() -> None:
        try:
            await never()
        finally:
            loop._takes_more = True  # as seen by somebody who looked a moment ago
            late.append(loop.submit(answer(), SOON))
            loop._takes_more = False

    future = loop.submit(submit_at_the_end(), 600)
    loop.submit(answer(), SOON).result(SOON)
    assert loop.stop(SOON)
    assert isinstance(future.exception(0), ChatError)
    assert isinstance(late[0].exception(0), ChatError)


def test_the_loop_never_waits_for_itself(loop: EventLoopThread) -> None:
    async def wait_for_the_loop() -> str:
        future = loop.submit(answer(), SOON)
        with pytest.raises(RuntimeError, match="must not wait for itself"):
            future.result(SOON)
        with pytest.raises(RuntimeError, match="must not wait for itself"):
            future.exception(SOON)
        await asyncio.wrap_future(future)
        return f"done: {future.result()}"  # what is done may be looked at anywhere

    assert loop.submit(wait_for_the_loop(), SOON).result(SOON) == "done: 42"


def test_a_task_that_does_not_end_is_named_and_left(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CLEAN_UP", 10 * MS)
    begun, release = threading.Event(), threading.Event()

    async def stubborn() -> None:
        begun.set()
        while not release.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(MS)

    loop = EventLoopThread("chat-test")
    loop.start()
    future = loop.submit(stubborn(), 600)
    assert begun.wait(SOON)
    assert not loop.stop(20 * MS)
    assert isinstance(future.exception(0), ChatError)
    until(lambda: "did not end within" in caplog.text)
    release.set()
    assert loop.stop(SOON)


def test_a_loop_that_cannot_run_says_so_to_who_starts_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> asyncio.Event:
        raise OSError("no more descriptors")

    monkeypatch.setattr(asyncio, "Event", fail)
    loop = EventLoopThread("chat-test")
    with pytest.raises(OSError, match="no more descriptors"):
        loop.start()
    until(lambda: loop._thread is not None and not loop._thread.is_alive())
    assert loop.stop(SOON)


def test_it_shows_that_it_turns_and_how_late_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TICK", 5 * MS)
    lags: list[float] = []
    loop = EventLoopThread("loop-under-test", lags.append)
    loop.start()
    until(lambda: len(lags) > 2)
    assert all(lag >= 0 for lag in lags)
    go = threading.Event()
    loop.call_soon(go.wait, 10.0)  # somebody holds it up
    until(lambda: loop.beat.due < time.monotonic(), what="it is late")
    go.set()
    until(lambda: max(lags) > 0)
    assert loop.stop(5.0)
    assert loop.beat.due == math.inf and not loop.beat.has_died
