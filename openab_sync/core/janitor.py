"""The janitor: suspends idle sessions, gives away the rooms of those that hang, lets go of ended threads and orphans.

One thread, `janitor`, that blocks in `stop.wait(interval)` and is woken there by `stop`. It never waits for a session
and never touches one while holding the pool's lock for longer than a look (FIELD A2).
"""

from __future__ import annotations

import logging
import threading
import time

from ..acp.adopted import Adopted
from ..clock import Clock
from ..threads import Beat, join_all, spawn
from .figures import Figure, Observe, unobserved
from .hourglass import Hourglass, unwatched
from .pool import SessionPool
from .retention import Retention

__all__ = ["Janitor"]

log = logging.getLogger(__name__)

INTERVAL = 10.0  # seconds between two rounds
WORK = 10.0  # seconds that a round may take
PATIENCE = 5.0  # seconds for its thread to end


class Janitor:
    """Looks after a pool, every now and then."""

    def __init__(
        self,
        pool: SessionPool,
        clock: Clock,
        interval: float = INTERVAL,
        observe: Observe = unobserved,
        retention: Retention | None = None,
        hourglass: Hourglass | None = None,
    ) -> None:
        self.beat = Beat("janitor")
        self._pool = pool
        self._retention = retention
        self._hourglass = hourglass or unwatched()
        self._observe = observe
        self._clock = clock
        self._interval = interval
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._adopted = Adopted()

    def start(self) -> None:
        """Begin the rounds. Main thread, once."""
        self._thread = spawn("janitor", self._run)

    def stop(self) -> bool:
        """End the rounds; return whether the thread came home. Main thread; blocks for seconds at most."""
        self._stop.set()
        return self._thread is None or not join_all([self._thread], self._clock, PATIENCE)

    def round(self) -> None:
        """Do everything once. One thread at a time; blocks for as long as a disk takes to delete old files."""
        self._hourglass.look()
        for _ in range(self._pool.drop_hung()):
            self._observe(Figure.CRASH, 1, "hung")
        self._pool.suspend_idle()
        self._pool.sweep()
        if self._retention is not None:
            self._retention.tidy()
        sessions, _ = self._pool.snapshot()
        self._adopted.reap({session.pid for session in sessions if session.pid is not None})

    def _run(self) -> None:
        while not self._rest():
            try:
                self.round()
            except Exception:  # a thread's top: the next round comes all the same
                log.exception("the janitor stumbled")
        self.beat.rests()

    def _rest(self) -> bool:
        """Wait for the next round; True at the end.

        Nothing that begins to run meanwhile in the hourglass has run out before: that takes as long as an interval.
        """
        pause = max(0.0, min(self._interval, self._hourglass.next_at - self._clock.monotonic()))
        self.beat.owes(time.monotonic(), pause + WORK)
        return self._stop.wait(pause)
