"""The pacer: notices that an agent has fallen silent while its session lets the kernel collect what it says.

Waking up is what a stream costs, so where many stream a session whose text people can see already reads rarely. But an
agent that asks or has answered stops writing, and nobody shall wait for that. So one thread for all sessions looks,
some fifty times a second, which of the pipes that are left alone have grown, and wakes those whose agents have written
something and then paused. One that goes on streaming while it asks is read when its session's own time has come.

Whether they are many is counted here, too (`is_crowded`). While they are few each reads its pipe by itself: looks see a
pause 36 ms late, and that was nearly all that people waited for the last page of an answer.

**Threads**: one, `pacer`. It blocks in its queue and nowhere else: for as long as it likes while nothing is collected,
else until the next look. Woken by `watch` and `stop`. It reads nothing from a pipe.
**Locks**: none of its own. Pipes are handed over through the queue, and each of their members has one writer. `wake`
takes the session's lock for a moment (rank 2), as everybody does who rings.
**Never**: a question to the kernel for each pipe: one edge-triggered epoll answers for all of them, at a third of the
price. Where there is no epoll there is no pacer, and sessions read more often.
"""

from __future__ import annotations

import contextlib
import logging
import select
import threading
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue

from ..clock import Clock
from ..threads import Beat, join_all, spawn

__all__ = ["Pacer", "Pipe"]

log = logging.getLogger(__name__)

MANY = 8  # pipes from which on it pays to look often: each that is taken to have paused too early costs a wake
COUNT = 0.1  # seconds between two counts of the sessions that stream, while each reads by itself
# Seconds between two looks, and how many of them without growth make a pause. With one more, which sees it grow, that
# is within the 50 ms that a question may wait; and among many a stream of 31 chunks a second is not taken to pause.
MANY_LOOK = 0.0166, 2
FEW_LOOK = 0.024, 1
WORK = 5.0  # seconds that a look may take
PATIENCE = 5.0  # seconds for its thread to end


class Pipe:
    """An agent's output, as its session and the pacer share it. `wake` is called on the pacer's thread."""

    __slots__ = ("_held", "_known", "_pauses", "_reads", "_still", "_wake", "descriptor", "is_collected", "is_over",
                 "is_streaming", "is_watched")  # fmt: skip

    def __init__(self, descriptor: int, wake: Callable[[], None]) -> None:
        self.descriptor = descriptor
        self._wake = wake
        # Written by the session's thread alone.
        self.is_collected = False  # it is left to the kernel just now
        self.is_streaming = False  # or read by its session as it comes
        self.is_over = False  # the descriptor may belong to somebody else
        self.is_watched = False  # the pacer knows of it
        self._reads = 0
        self._known = 0  # pauses that have been seen to
        # Written by the pacer's thread alone.
        self._pauses = 0
        self._held = -1  # the reads at the time when it grew; as long as there was none since, it holds something
        self._still = 0  # looks since then

    # ---- session thread only ----

    @property
    def has_paused(self) -> bool:
        """The agent has written something since the last read, and then paused."""
        return self._pauses != self._known

    def was_read(self) -> None:
        """What was there has been taken."""
        # A look that is under way may still find a pause in what was read: it costs one read that finds nothing.
        self._reads += 1
        self._known = self._pauses

    def end(self) -> None:
        """It is about to be closed: nobody looks at it any more."""
        self.is_collected = self.is_streaming = False
        self.is_over = True

    # ---- pacer only ----

    def grow(self) -> None:
        """It has grown since the last look."""
        self._held, self._still = self._reads, -1

    def look(self, quiet: int) -> None:
        """Wake the session, once, if it holds something and has not grown in `quiet` looks."""
        self._still += 1
        if self._still == quiet and self._held == self._reads:
            self._pauses += 1
            self._wake()


class Pacer:
    """Looks after the pipes of all sessions."""

    def __init__(self, clock: Clock) -> None:
        self.beat = Beat("pacer")
        self._clock = clock
        self._calls: SimpleQueue[Pipe | None] = SimpleQueue()  # None: the end
        # Written by its own thread alone.
        self.is_crowded = False  # so many sessions stream that the kernel should collect
        self._is_resting = True
        self._thread: threading.Thread | None = None

    @staticmethod
    def make(clock: Clock) -> Pacer | None:
        """Return one, None where the system cannot tell what it has to know."""
        return Pacer(clock) if hasattr(select, "epoll") else None

    def start(self) -> None:
        """Begin. Main thread, once."""
        self._thread = spawn("pacer", self._run)

    def stop(self) -> bool:
        """End; return whether the thread came home. Main thread; blocks for seconds at most."""
        self._calls.put(None)
        return self._thread is None or not join_all([self._thread], self._clock, PATIENCE)

    def watch(self, pipe: Pipe) -> None:
        """Look at a pipe for as long as it `is_collected`. The session's thread; never blocks."""
        pipe.is_collected = True
        self._call(pipe)

    def count(self, pipe: Pipe) -> None:
        """Count a pipe among those that stream, while it `is_streaming`. The session's thread; never blocks."""
        pipe.is_streaming = True
        self._call(pipe)

    def _call(self, pipe: Pipe) -> None:
        # First the flag, then a look at `_is_resting`; the pacer does it the other way round: one of us sees the other.
        if self._is_resting or not pipe.is_watched:
            pipe.is_watched = True
            self._calls.put(pipe)

    # ---- its own thread ----

    def _run(self) -> None:
        try:
            self._watch()
        except Exception:  # a thread's top: sessions go on without it, and whoever looks after us is told
            log.exception("the pacer has ended")
            self.beat.died()

    def _watch(self) -> None:
        pipes: dict[int, Pipe] = {}  # by descriptor: a new one takes the place of one that is over
        with select.epoll() as growth:
            while (call := self._next(pipes, growth)) is not None:
                if pipes.get(call.descriptor) is not call:
                    _register(call, growth)
                pipes = {pipe.descriptor: pipe for pipe in (*pipes.values(), call) if not pipe.is_over}
        self.beat.rests()

    def _next(self, pipes: dict[int, Pipe], growth: select.epoll) -> Pipe | None:
        """Look at the pipes until a session calls for us, and return its pipe; None at the end."""
        while True:
            streams = self._streams(pipes)
            collected = [pipe for pipe in streams if pipe.is_collected]
            self.is_crowded = len(streams) >= MANY
            pause, quiet = MANY_LOOK if len(collected) >= MANY else FEW_LOOK
            if streams:
                self.beat.owes(time.monotonic(), WORK)
            else:
                self.beat.rests()
            try:
                return self._calls.get(timeout=(pause if collected else COUNT) if streams else None)
            except Empty:
                if collected:
                    _look(pipes, growth, quiet)

    def _streams(self, pipes: dict[int, Pipe]) -> list[Pipe]:
        """Return the pipes that stream just now, left alone or not; if there are none, rest."""
        self._is_resting = False
        streams = [pipe for pipe in pipes.values() if pipe.is_collected or pipe.is_streaming]
        if not streams:
            self._is_resting = True
            streams = [pipe for pipe in pipes.values() if pipe.is_collected or pipe.is_streaming]
        return streams


def _register(pipe: Pipe, growth: select.epoll) -> None:
    # Closed meanwhile: then it is over. There already: it is somebody else's by now, who was quicker to ask.
    with contextlib.suppress(OSError):
        growth.register(pipe.descriptor, select.EPOLLIN | select.EPOLLET)


def _look(pipes: dict[int, Pipe], growth: select.epoll, quiet: int) -> None:
    for descriptor, _ in growth.poll(0):
        if descriptor in pipes:
            pipes[descriptor].grow()
    for pipe in pipes.values():
        if pipe.is_collected:
            pipe.look(quiet)
