"""Time as the server sees it: the machine's, and what a test adds to it."""

from __future__ import annotations

import time
from typing import Protocol

__all__ = ["Clock", "ShiftedClock"]


class Clock(Protocol):
    """What the server asks of time. Any thread; never blocks."""

    def monotonic(self) -> float:
        """Seconds that never go back."""

    def time(self) -> float:
        """Seconds since the epoch."""

    def advance(self, seconds: float) -> None:
        """Let so much time pass at once."""


class ShiftedClock:
    """The machine's clock, put forward by `advance`: buckets reset and deadlines pass without anybody waiting."""

    def __init__(self) -> None:
        self._added = 0.0

    def monotonic(self) -> float:
        return time.monotonic() + self._added

    def time(self) -> float:
        return time.time() + self._added

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass at once. Raise ValueError if that were back in time."""
        if seconds < 0:
            raise ValueError(f"time does not go back by {-seconds} s")
        self._added += seconds

    def __repr__(self) -> str:
        return f"<ShiftedClock +{self._added:g} s>"
