"""Time that can be injected: a clock, and deadlines read from it.

Decisions take a `Clock` so that tests can step it; only the one wait of a session and the janitor's pause spend real
time. Monotonic seconds everywhere: a step of the wall clock ends no session (FIELD A12).
"""

from __future__ import annotations

import math
import time
from typing import Protocol

__all__ = ["Clock", "Deadline", "SystemClock"]


class Clock(Protocol):
    """What the house asks of time. Any thread; never blocks."""

    def monotonic(self) -> float:
        """Return seconds that never go back."""

    def time(self) -> float:
        """Return seconds since the epoch, for people to read."""


class SystemClock:
    """The machine's own clock."""

    def monotonic(self) -> float:
        return time.monotonic()

    def time(self) -> float:
        return time.time()


class Deadline:
    """A moment to be asked for what is left of it. `None` seconds is never."""

    __slots__ = ("_clock", "at")

    def __init__(self, clock: Clock, seconds: float | None) -> None:
        self._clock = clock
        self.at = math.inf if seconds is None else clock.monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds left, never below zero; infinite for never."""
        return max(0.0, self.at - self._clock.monotonic())

    @property
    def expired(self) -> bool:
        return self._clock.monotonic() >= self.at

    def __repr__(self) -> str:
        return f"<Deadline in {self.left:.1f} s>"
