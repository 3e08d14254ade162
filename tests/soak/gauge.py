"""What a running house costs this process: threads, descriptors, children, memory."""

from __future__ import annotations

import ctypes
import gc
import statistics
import threading
from collections.abc import Sequence
from dataclasses import dataclass

import psutil

__all__ = ["Reading", "growth", "left_behind"]

MIB = 1 << 20
SETTLED = 60.0  # seconds until everything has been used once


@dataclass(frozen=True, slots=True)
class Reading:
    """One look. `at` is seconds since the start, `memory` MiB of resident set, without what is free in it."""

    at: float
    threads: frozenset[str]
    descriptors: int
    children: int
    memory: float

    @classmethod
    def take(cls, at: float = 0.0) -> Reading:
        """Look now."""
        process = psutil.Process()
        _give_back()
        return cls(
            at,
            frozenset(thread.name for thread in threading.enumerate()),
            process.num_fds(),
            len(process.children()),
            process.memory_info().rss / MIB,
        )

    def __str__(self) -> str:
        counts = f"threads {len(self.threads):3} descriptors {self.descriptors:4} children {self.children:3}"
        return f"{self.at:6.0f} s  {counts}  memory {self.memory:6.1f} MiB"


def _give_back() -> None:
    """Have glibc return what is free: it keeps some for every thread that ever was, which looks like a leak."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def growth(readings: Sequence[Reading]) -> float | None:
    """Return by how many MiB memory has grown since the first minute; None if it was not watched for long enough.

    The first third of the readings after that minute is compared with the last: single ones jump with what is running.
    """
    settled = [reading.memory for reading in readings if reading.at >= SETTLED]
    third = len(settled) // 3
    return statistics.median(settled[-third:]) - statistics.median(settled[:third]) if third else None


def left_behind(before: Reading) -> list[str]:
    """Return a sentence for each kind of thing that is there now and was not `before`."""
    now = Reading.take()
    left = [f"the thread {name} is still there" for name in sorted(now.threads - before.threads)]
    if now.descriptors > before.descriptors:
        left.append(f"{now.descriptors - before.descriptors} descriptors are still open")
    if now.children > before.children:
        left.append(f"{now.children - before.children} children are still there")
    return left
