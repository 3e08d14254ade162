"""Patience for tests: one unit of time, and a way to wait for a fact instead of for a while."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from typing import TypeVar

__all__ = ["MS", "until"]

T = TypeVar("T")

MS = 0.001 * float(os.environ.get("OPENAB_TEST_SLOWDOWN", "1"))
"""A millisecond on an ordinary machine; longer where the environment says that this one is slow."""

_never = threading.Event()


def until(predicate: Callable[[], T], timeout: float = 5000 * MS, what: str = "") -> T:
    """Ask `predicate` again and again until it returns something true; return that.

    Raise AssertionError saying `what` did not come true, and what the predicate returned last.
    """
    deadline = time.monotonic() + timeout
    while not (last := predicate()):
        if time.monotonic() >= deadline:
            what = what or getattr(predicate, "__name__", repr(predicate))
            raise AssertionError(f"not within {timeout:.2f} s: {what} (it is still {last!r})")
        _never.wait(0.002)  # the patience grows on a slow machine, how often is asked does not
    return last
