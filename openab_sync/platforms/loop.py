"""An event loop in a thread of its own: where a chat library that wants asyncio lives.

**Threads**: the loop runs in one named thread. `start` and `stop` belong to its owner, `submit` and `call_soon` to
anybody, the loop's own thread included. That thread blocks in the loop's wait alone; `stop` wakes it there.
What is submitted begins in its order, one in each turn of the loop: of fifty edits that are due together each costs
0.4 ms of it, and between them it hears what comes in, beats its heart and answers commands.
**Locks**: none. Whoever takes a Future out of the books, one step of a dict, is the one who completes it.
**Never**: a Future that is forgotten when the loop ends; waiting for the loop on the loop.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, wait
from functools import partial
from typing import Any, TypeVar, TypeVarTuple

from ..clock import SystemClock
from ..errors import ChatError, ChatTimeout
from ..threads import Beat, join_all, spawn

__all__ = ["EventLoopThread"]

log = logging.getLogger(__name__)

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

# Seconds that something has to end after it was told to: then nobody waits for it any more.
CLEAN_UP = 5.0

ROUNDS = 5  # what ends may begin something else, as a client's last events do, and that may once more

TICK = 1.0  # seconds between two signs of life


class _Promise(Future[T]):
    """A Future that knows where it may not be waited for: there it would wait for itself."""

    def __init__(self, where: EventLoopThread) -> None:
        super().__init__()
        self._where = where

    def result(self, timeout: float | None = None) -> T:
        self._where.refuse_to_wait(self)
        return super().result(timeout)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        self._where.refuse_to_wait(self)
        return super().exception(timeout)


class EventLoopThread:
    """One event loop and its thread."""

    def __init__(self, name: str, on_lag: Callable[[float], object] = lambda _: None) -> None:
        """`on_lag` is told, on the loop, how many seconds late it came to each appointment, once a second."""
        self.beat = Beat(name)
        self._on_lag = on_lag
        self._name = name
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        # Ends the loop's main coroutine; made by it.
        self._stopping: asyncio.Event | None = None
        self._takes_more = False
        # The books: what is under way, so that nothing of it hangs when the loop ends.
        self._open: dict[_Promise[Any], Coroutine[Any, Any, Any]] = {}
        # What is to begin; loop only.
        self._line: deque[Callable[[], None]] = deque()
        self._is_beginning = False
        # The loop holds its tasks but weakly.
        self._watches: set[asyncio.Task[None]] = set()

    def __repr__(self) -> str:
        state = "running" if self.is_running else "not running"
        return f"<EventLoopThread {self._name} {state} open={len(self._open)}>"

    # ---- its owner ----

    def start(self) -> None:
        """Start the thread; return when the loop runs. Once. Raise RuntimeError if there is no room for a thread."""
        running: Future[None] = Future()
        self._thread = spawn(self._name, lambda: self._run(running))
        running.result()

    def settle(self, timeout: float) -> bool:
        """Wait until what was submitted so far is done; return whether it was in `timeout` seconds. Not on the loop."""
        return not wait(list(self._open), timeout).not_done

    def stop(self, timeout: float) -> bool:
        """Cancel what is under way and end the loop; return whether the thread ended within `timeout` seconds.

        Not from the loop. Whatever was submitted is completed by then, if need be with a ChatError.
        """
        self._takes_more = False
        if self._stopping is not None:
            self.call_soon(self._stopping.set)
        threads = [self._thread] if self._thread is not None else []
        late = join_all(threads, SystemClock(), timeout)
        self._abandon_all()
        return not late

    # ---- any thread; never blocks ----

    @property
    def is_running(self) -> bool:
        """Whether the loop takes what is submitted."""
        return self._takes_more

    @property
    def is_here(self) -> bool:
        """Whether the caller runs on the loop."""
        return self._thread is threading.current_thread()

    def submit(self, coroutine: Coroutine[Any, Any, T], timeout: float) -> Future[T]:
        """Run `coroutine` on the loop and return a Future of its outcome.

        After `timeout` seconds it is cancelled, and once it has ended the Future fails with ChatTimeout; a TimeoutError
        of its own arrives as it is. Cancelling the Future cancels it. Where no loop runs, the Future fails at once.
        """
        promise: _Promise[T] = _Promise(self)
        self._open[promise] = coroutine
        if not self._takes_more or not self._call(
            self._loop, self._line_up, partial(self._begin, coroutine, timeout, promise)
        ):
            self._abandon(promise)
        return promise

    def call_soon(self, callback: Callable[[*Ts], object], *args: *Ts) -> None:
        """Call `callback` on the loop, soon; not at all where no loop runs."""
        self._call(self._loop, callback, *args)

    def refuse_to_wait(self, future: Future[Any]) -> None:
        """Raise RuntimeError if this is the loop's own thread and `future` is not done: a bug of ours."""
        if self.is_here and not future.done():
            raise RuntimeError(f"{self._name} must not wait for itself")

    @staticmethod
    def _call(loop: asyncio.AbstractEventLoop | None, callback: Callable[[*Ts], object], *args: *Ts) -> bool:
        if loop is None:
            return False
        try:
            loop.call_soon_threadsafe(callback, *args)
        except RuntimeError:  # closed in this very moment
            return False
        return True

    # ---- the loop's thread ----

    def _run(self, running: Future[None]) -> None:
        try:
            asyncio.run(self._live(running))
        except BaseException as error:
            if not running.done():
                running.set_exception(error)
            else:
                log.exception("the loop of %s ended by an error", self._name)
                self.beat.died()
        finally:
            self._takes_more = False
            self.beat.rests()
            self._abandon_all()

    async def _live(self, running: Future[None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        self._takes_more = True
        running.set_result(None)
        ticking = self._loop.create_task(self._tick(), name="ticking")
        await self._stopping.wait()
        ticking.cancel()
        for _ in range(ROUNDS):
            rest = asyncio.all_tasks() - {asyncio.current_task()}
            for task in rest:
                task.cancel()
            _, late = await asyncio.wait(rest, timeout=CLEAN_UP) if rest else ((), ())
            for task in late:
                log.warning("%s: %s did not end within %g s", self._name, task.get_name(), CLEAN_UP)
            if late or not rest:
                break

    async def _tick(self) -> None:
        """Show once a second that the loop turns, and how late it is."""
        while True:
            began = time.monotonic()
            self.beat.owes(began, TICK)
            await asyncio.sleep(TICK)
            self._on_lag(max(0.0, time.monotonic() - began - TICK))

    def _line_up(self, begin: Callable[[], None]) -> None:
        self._line.append(begin)
        if not self._is_beginning:
            self._is_beginning = True
            self._begin_next()

    def _begin_next(self) -> None:
        assert self._loop is not None
        self._is_beginning = bool(self._line)
        if self._line:
            self._loop.call_soon(self._begin_next)  # in its next turn; first, so that none stands in the others' way
            self._line.popleft()()

    def _begin(self, coroutine: Coroutine[Any, Any, T], timeout: float, promise: _Promise[T]) -> None:
        assert self._loop is not None
        if not self._takes_more:  # it came while the loop was ending
            self._abandon(promise)
            return
        task = self._loop.create_task(coroutine)
        watch = self._loop.create_task(self._watch(task, timeout, promise))
        self._watches.add(watch)
        watch.add_done_callback(self._watches.discard)
        promise.add_done_callback(lambda done: self._given_up(done, task))

    def _given_up(self, promise: Future[T], task: asyncio.Task[T]) -> None:
        """The Future is done: if because somebody cancelled it, so is the task."""
        if promise.cancelled():
            self.call_soon(task.cancel)

    async def _watch(self, task: asyncio.Task[T], seconds: float, promise: _Promise[T]) -> None:
        """Wait for the task's end or until its time is up, and complete the Future. Ends soon after the task."""
        error: BaseException | None
        try:
            await asyncio.wait({task}, timeout=seconds)
            if task.done():
                cancelled = task.cancelled()
                error = ChatError("the request was cancelled") if cancelled else task.exception()
            else:
                task.cancel()
                await asyncio.wait({task}, timeout=CLEAN_UP)
                error = ChatTimeout(f"no answer from the chat within {seconds:g} s")
        except asyncio.CancelledError:  # the loop ends, and with it the task
            error = ChatError("the chat is being closed")
        if error is None:
            self._finish(promise, result=task.result())
        else:
            self._finish(promise, error=error)

    # ---- any thread ----

    def _abandon_all(self) -> None:
        for promise in list(self._open):
            self._abandon(promise)

    def _abandon(self, promise: _Promise[Any]) -> None:
        """Complete what nobody will complete any more."""
        coroutine = self._open.get(promise)
        if coroutine is not None and inspect.getcoroutinestate(coroutine) == inspect.CORO_CREATED:
            coroutine.close()  # it never began
        self._finish(promise, error=ChatError("the chat is closed"))

    def _finish(self, promise: _Promise[T], *, result: T | None = None, error: BaseException | None = None) -> None:
        """Complete a Future, if nobody else has done it and nobody has given it up."""
        if self._open.pop(promise, None) is None or not promise.set_running_or_notify_cancel():
            return
        if error is not None:
            promise.set_exception(error)
        else:
            promise.set_result(result)  # type: ignore[arg-type]  # None is a result, too
