"""What a side can do: the five verbs that every measurement is made of, so that all sides are measured by one text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

__all__ = ["PATIENCE", "Side", "rss", "rss_peak", "status_kib"]

PATIENCE = 120.0
"""Seconds after which a measurement is given up: something is broken, not slow."""


class Side(Protocol):
    """A client with sessions, named by numbers. Called from the main thread only."""

    cold: tuple[str, ...]
    """Arguments for Python: a program of this side that starts and does nothing."""

    def open(self, names: Sequence[int]) -> None:
        """Start an agent for each, all at once; return when every one has a session."""

    def say(self, name: int, order: str) -> None:
        """Begin a turn; return at once."""

    def first(self, name: int) -> float:
        """Wait until the running turn has brought its first text; return the moment (monotonic seconds)."""

    def work(self, seconds: float) -> None:
        """Go on with whatever is being done for so long."""

    def finish(self, names: Sequence[int]) -> int:
        """Wait until these turns have ended; return how much they brought (bytes, notifications or characters)."""

    def gone(self, name: int, patience: float) -> float:
        """Wait until this turn has ended because its agent is gone; return the moment, infinite if never."""

    def pid(self, name: int) -> int:
        """The agent's process."""

    def retire(self, name: int) -> None:
        """End a session that has nothing to do, and forget it."""

    def close(self) -> None:
        """End everything."""


def status_kib(field: str) -> float:
    """Return a figure of this process in KiB, as Linux' /proc/self/status has it."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(field + ":"):
            return float(line.split()[1])
    raise LookupError(field)


def rss() -> float:
    """KiB of memory that this process has now."""
    return status_kib("VmRSS")


def rss_peak() -> float:
    """KiB of memory that it has had at most. Of this program only: ru_maxrss remembers the parent's."""
    return status_kib("VmHWM")
