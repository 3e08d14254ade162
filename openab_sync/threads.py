"""Threads have a name and an end, a bell that wakes them, and a beat that shows that they live.

**Threads**: `spawn` starts one, `join_all` waits for several and complains by name. **Locks**: none.
**Never**: a thread without a name, a join without a deadline.
"""

from __future__ import annotations

import contextlib
import logging
import math
import os
import sys
import threading
import traceback
from collections.abc import Callable, Iterable

from .clock import Clock, Deadline

__all__ = ["Beat", "Bell", "join_all", "late", "spawn", "stacks"]

log = logging.getLogger(__name__)

LATE = 15.0  # seconds beyond what a thread has promised
ONE = (1).to_bytes(8, sys.byteorder)  # what an eventfd takes; a pipe takes anything


def spawn(name: str, target: Callable[[], None]) -> threading.Thread:
    """Start a named thread. Daemon as the last resort only: its owner joins it. May raise RuntimeError (no room)."""
    thread = threading.Thread(name=name, target=target, daemon=True)
    thread.start()
    return thread


def join_all(threads: Iterable[threading.Thread], clock: Clock, seconds: float) -> list[threading.Thread]:
    """Wait for `threads` for `seconds` in all; return those that did not come, each complained about by name."""
    deadline = Deadline(clock, seconds)
    late = []
    for thread in threads:
        thread.join(deadline.left)
        if thread.is_alive():
            log.warning("thread %s did not end within %.1f s", thread.name, seconds)
            late.append(thread)
    return late


def stacks() -> str:
    """Return where every thread is just now, the newest call last, by their names. Any thread; never blocks."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    frames = [(names.get(ident, f"thread {ident}"), frame) for ident, frame in sys._current_frames().items()]
    frames.sort(key=lambda pair: pair[0])
    return "\n".join(f"{name}:\n{''.join(traceback.format_stack(frame))}" for name, frame in frames).rstrip()


class Beat:
    """By when a thread will be heard of again: written by it alone, read by anyone without a lock.

    A thread that waits for something that may never come owes nothing (`rests`); one that works, or pauses, says for
    how long at most (`owes`). One that ends by a fault says so last (`died`).
    """

    __slots__ = ("due", "has_died", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self.due = math.inf  # monotonic seconds
        self.has_died = False

    def __repr__(self) -> str:
        return f"<Beat {self.name} {'died' if self.has_died else self.due}>"

    def owes(self, now: float, seconds: float) -> None:
        """From `now` on the thread shows itself within so many seconds."""
        self.due = now + seconds

    def rests(self) -> None:
        """The thread waits for as long as it takes, or has ended as it should."""
        self.due = math.inf

    def died(self) -> None:
        """The thread has ended by a fault."""
        self.has_died = True


def late(beats: Iterable[Beat], now: float) -> list[str]:
    """Return a sentence for each thread that has not been heard of in time, or has died. Any thread; never blocks."""
    found = []
    for beat in beats:
        if beat.has_died:
            found.append(f"{beat.name} has ended by a fault; the log has the details")
        elif (seconds := now - beat.due) > LATE:
            found.append(f"{beat.name} has not been heard of for {seconds:.0f} s longer than it should")
    return found


class Bell:
    """Wakes a thread that waits in `select`: readable from `ring` until `hush`.

    `ring` is one non-blocking write and may be called from any thread. It is guarded by its owner's lock, as `close`
    is: a late ring must not write to a descriptor whose number has become somebody else's.
    """

    __slots__ = ("_read", "_write")

    def __init__(self) -> None:
        self._read = self._write = -1

    def open(self) -> None:
        """Take the descriptors. Under the owner's lock. Raise OSError if there are none to be had."""
        if hasattr(os, "eventfd"):  # Linux: one descriptor instead of two
            self._read = self._write = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        else:
            self._read, self._write = os.pipe()
            os.set_blocking(self._read, False)
            os.set_blocking(self._write, False)

    def fileno(self) -> int:
        """The descriptor to wait on; -1 when there is none."""
        return self._read

    def ring(self) -> None:
        """Wake the waiter; silent before `open` and after `close`. Any thread, under the owner's lock; never blocks."""
        if self._write >= 0:
            with contextlib.suppress(BlockingIOError):  # full: it rings already
                os.write(self._write, ONE)

    def hush(self) -> None:
        """Take back all rings so far. Waiter's thread only."""
        with contextlib.suppress(BlockingIOError):  # nobody rang
            os.read(self._read, 4096)

    def close(self) -> None:
        """Give the descriptors back. Under the owner's lock."""
        for descriptor in {self._read, self._write} - {-1}:
            os.close(descriptor)
        self._read = self._write = -1
