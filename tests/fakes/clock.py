"""A clock that stands still until it is told to go on."""

from __future__ import annotations

__all__ = ["FakeClock"]


class FakeClock:
    """A `Clock` for decisions: `advance` is the only thing that moves it. Give it to nobody who really waits."""

    def __init__(self) -> None:
        self._passed = 0.0

    def monotonic(self) -> float:
        """Seconds; they begin above zero, as on a machine that has been up for a while."""
        return 1000.0 + self._passed

    def time(self) -> float:
        """Seconds since the epoch: a fixed day in 2026, and what has passed since."""
        return 1_780_000_000.0 + self._passed

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass at once. Raise ValueError if that were back in time."""
        if seconds < 0:
            raise ValueError(f"a monotonic clock does not go back by {-seconds} s")
        self._passed += seconds

    def __repr__(self) -> str:
        return f"<FakeClock +{self._passed:g} s>"
