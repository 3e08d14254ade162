"""The pulse: what the status server does without being asked. It tells streams what is new, takes in the figures that
the house has told, and looks at how much memory the agents hold.

**Threads**: one, `status-pulse`. It blocks in its queue, until the next look at the latest; woken there by a new stream
and by the end. What it reads of the kernel (`/proc`) does not block.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue

from ..clock import SystemClock
from ..threads import Beat, join_all, spawn

__all__ = ["Pulse"]

log = logging.getLogger(__name__)

Look = Callable[[], object]

STREAMING = 0.25  # seconds between two looks while somebody listens
ALONE = 2.0
MEMORY = 10.0  # seconds between two looks at the agents' memory
PATIENCE = 3.0  # seconds for its thread to end


class Pulse:
    """One thread, and what it does."""

    def __init__(self) -> None:
        self.beat = Beat("status-pulse")
        self._calls: SimpleQueue[bool] = SimpleQueue()  # False: the end
        self._thread: threading.Thread | None = None

    def start(self, looks: Sequence[Look], weigh: Look, is_heard: Callable[[], bool]) -> None:
        """Begin. `looks` are done often, `weigh` rarely; `is_heard` says whether somebody waits for what they do.

        Main thread, once.
        """
        self._thread = spawn("status-pulse", lambda: self._run(looks, weigh, is_heard))

    def wake(self) -> None:
        """Look at once. Any thread; never blocks."""
        self._calls.put(True)

    def stop(self) -> bool:
        """End; return whether the thread came home. Main thread; blocks for seconds at most."""
        self._calls.put(False)
        return self._thread is None or not join_all([self._thread], SystemClock(), PATIENCE)

    def _run(self, looks: Sequence[Look], weigh: Look, is_heard: Callable[[], bool]) -> None:
        weighed = -math.inf
        while self._wait(STREAMING if is_heard() else ALONE):
            try:
                if time.monotonic() - weighed >= MEMORY:
                    weighed = time.monotonic()
                    weigh()
                for look in looks:
                    look()
            except Exception:  # a thread's top: the next look comes all the same
                log.exception("the status pulse stumbled")
        self.beat.rests()

    def _wait(self, pause: float) -> bool:
        """Wait until the next look is due; False at the end."""
        self.beat.owes(time.monotonic(), pause + 5.0)
        try:
            goes_on = self._calls.get(timeout=pause)
        except Empty:
            return True
        while goes_on and not self._calls.empty():
            goes_on = self._calls.get()
        return goes_on
