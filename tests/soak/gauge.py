"""What a running house costs a process: threads, descriptors, children, memory; and whether that stays as it is."""

from __future__ import annotations

import ctypes
import gc
import statistics
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

import psutil

__all__ = ["LIMITS", "Belongings", "Reading", "drift", "slopes", "trim"]

MIB = 1 << 20
LONG_ENOUGH = 240.0  # seconds to look at before a slope says anything: what is under way comes and goes

LIMITS = {"memory": 12.0, "threads": 6.0, "descriptors": 40.0}
"""What is still called flat, an hour: MiB, and numbers of things that come and go with up to eight sessions."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One look at a process. `at` is seconds since the start, `memory` MiB of resident set."""

    at: float
    threads: int
    descriptors: int
    children: int
    memory: float

    @classmethod
    def take(cls, at: float = 0.0, process: psutil.Process | None = None) -> Self:
        """Look now, at this process or at another."""
        process = process or psutil.Process()
        with process.oneshot():
            memory, threads = process.memory_info().rss / MIB, process.num_threads()
        return cls(at, threads, process.num_fds(), len(process.children()), memory)

    def __str__(self) -> str:
        counts = f"threads {self.threads:3} descriptors {self.descriptors:4} children {self.children:3}"
        return f"{self.at:6.0f} s  {counts}  memory {self.memory:6.1f} MiB"


def trim() -> None:
    """Have glibc return what is free: it keeps some for every thread that ever was, which looks like a leak."""
    gc.collect()
    give_back = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if give_back is not None:
        give_back(0)


def slopes(readings: Sequence[Reading]) -> dict[str, float]:
    """Return by how much each thing grows in an hour, by the second half of the readings. Nothing if that is short.

    A straight line through all of that half: single readings jump with what is running.
    """
    second = [reading for reading in readings if reading.at >= readings[-1].at / 2] if readings else []
    if not second or second[-1].at - second[0].at < LONG_ENOUGH:
        return {}
    hours = [reading.at / 3600 for reading in second]
    looks: dict[str, Callable[[Reading], float]] = {
        "memory": lambda reading: reading.memory,
        "threads": lambda reading: reading.threads,
        "descriptors": lambda reading: reading.descriptors,
    }
    return {
        name: statistics.linear_regression(hours, [look(reading) for reading in second]).slope
        for name, look in looks.items()
    }


def drift(readings: Sequence[Reading]) -> list[str]:
    """Return a sentence for each thing that goes on growing."""
    return [
        f"{name} grew by {slope:.1f} an hour in the second half, more than {LIMITS[name]:g}"
        for name, slope in slopes(readings).items()
        if slope > LIMITS[name]
    ]


class Belongings:
    """What this process has: its threads by name, and how many descriptors and children."""

    def __init__(self) -> None:
        process = psutil.Process()
        self._threads = {thread.name for thread in threading.enumerate()}
        self._descriptors, self._children = process.num_fds(), len(process.children())

    def left_behind(self) -> list[str]:
        """Return a sentence for each kind of thing that is there now and was not then."""
        now = Belongings()
        left = [f"the thread {name} is still there" for name in sorted(now._threads - self._threads)]
        if now._descriptors > self._descriptors:
            left.append(f"{now._descriptors - self._descriptors} descriptors are still open")
        if now._children > self._children:
            left.append(f"{now._children - self._children} children are still there")
        return left
