"""What a side can do: the five verbs that every measurement is made of, so that all sides are measured by one text."""

from __future__ import annotations

import os
import resource
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

__all__ = ["PATIENCE", "Book", "Page", "Program", "Side", "cpu_seconds", "rss", "rss_peak", "status"]

PATIENCE = 120.0
"""Seconds after which a measurement is given up: something is broken, not slow."""


class Side(Protocol):
    """A client with sessions, named by numbers. Called from the main thread only."""

    process: int
    """The process that is measured: this one, or that of a whole program."""

    cold: tuple[str, ...]
    """The command line of a program of this side that starts and does nothing."""

    def open(self, names: Sequence[int]) -> None:
        """Start an agent for each, all at once; return when every one has a session."""

    def say(self, name: int, order: str) -> object:
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


@dataclass(frozen=True, slots=True)
class Page:
    """The last page of an answer, in seconds: when it stood there, when the agent had read the prompt and said this."""

    at: float
    heard: float
    said: float
    pid: int  # the agent's


class Program(Side, Protocol):
    """A whole program behind a chat service, both in processes of their own."""

    starting: float
    """Seconds from its start until its chat service had it logged in."""

    folder: Path
    """Its home: what it keeps is in `state`."""

    def say(self, name: int, order: str) -> float:
        """Begin a turn; return the moment at which the chat service has told the program."""

    def page(self, name: int) -> Page:
        """Wait for the last page of a stamped answer."""

    def end(self) -> float:
        """Have it end in order; return the moment at which nothing of it is left. Raise AssertionError if it fails."""


class Book(Protocol):
    """What can keep messages on disk. `accept` may be called by several threads."""

    @property
    def commits(self) -> int:
        """How often the disk was asked to keep what it has, until now."""

    def accept(self, number: int, text: str) -> None:
        """Return when the message cannot be lost any more."""

    def close(self) -> None:
        """Put everything away."""


def cpu_seconds(side: Side) -> float:
    """CPU that its process has used until now, its children not counted."""
    if side.process == os.getpid():
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return usage.ru_utime + usage.ru_stime
    fields = Path(f"/proc/{side.process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def status(side: Side, field: str) -> float:
    """Return a figure of its process as Linux' /proc/…/status has it; sizes are in KiB."""
    for line in Path(f"/proc/{side.process}/status").read_text(encoding="ascii").splitlines():
        if line.startswith(field + ":"):
            return float(line.split()[1])
    raise LookupError(field)


def rss(side: Side) -> float:
    """KiB of memory that its process has now."""
    return status(side, "VmRSS")


def rss_peak(side: Side) -> float:
    """KiB of memory that it has had at most. Of this program only: ru_maxrss remembers the parent's."""
    return status(side, "VmHWM")
