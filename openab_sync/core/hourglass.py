"""The hourglass: what people wait for is not waited for without an end because a disk hangs.

A disk that fails says so; one that hangs says nothing, and whoever waits for a Future of the journal waits with it.
`bounded` gives back a Future that is done when that one is, or fails after `ON_DISK` seconds: then people are told, and
the change may still come.

**Threads**: any calls `bounded`. The Futures are completed on the journal's thread in time, else on the janitor's,
which looks (`look`) when `next_at` says so. Nothing blocks. **Locks**: none: whoever takes a glass out of the dict (one
step) is the one who completes it.
"""

from __future__ import annotations

import itertools
import math
from concurrent.futures import Future
from functools import partial
from typing import Any, TypeVar

from ..clock import Clock, SystemClock
from ..errors import StoreError
from .ledger import ON_DISK

__all__ = ["Hourglass", "unwatched"]

T = TypeVar("T")


class Hourglass:
    """The glasses that run."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._numbers = itertools.count()  # `next` is atomic
        self._running: dict[int, tuple[float, Future[Any]]] = {}  # when each has run out, and who waits; oldest first

    def __repr__(self) -> str:
        return f"<Hourglass {len(self._running)}>"

    def bounded(self, source: Future[T]) -> Future[T]:
        """Return a Future that becomes what `source` becomes, or fails with a StoreError if that takes too long.

        Any thread; never blocks. Nobody can cancel it.
        """
        result: Future[T] = Future()
        result.set_running_or_notify_cancel()
        number = next(self._numbers)
        self._running[number] = (self._clock.monotonic() + ON_DISK, result)
        source.add_done_callback(partial(self._came, number))
        return result

    def _came(self, number: int, source: Future[Any]) -> None:
        _, result = self._running.pop(number, (0.0, None))
        if result is None:  # it has run out
            return
        error = StoreError("it was given up") if source.cancelled() else source.exception()
        if error is None:
            result.set_result(source.result())
        else:
            result.set_exception(error)

    # ---- one thread: the janitor's ----

    @property
    def next_at(self) -> float:
        """The moment (monotonic seconds) at which `look` wants to be called; what begins now runs for `ON_DISK`."""
        return min((at for at, _ in self._running.copy().values()), default=math.inf)

    def look(self) -> None:
        """Complete those that have run out."""
        now = self._clock.monotonic()
        for number, (at, _) in self._running.copy().items():
            if at <= now:
                _, result = self._running.pop(number, (0.0, None))
                if result is not None:
                    result.set_exception(StoreError("the disk does not answer"))


def unwatched() -> Hourglass:
    """Return one that nobody looks at: what it is given is waited for for as long as it takes."""
    return Hourglass(SystemClock())
