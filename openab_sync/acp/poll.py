"""Waiting for descriptors: `select.poll` and what to do about each.

The standard library's selector does the same for three times the time and ten times the memory, and a session has one
of its own. It needs no descriptor, and knows no end at descriptor 1024. The owner's thread only; blocks in `wait`.
"""

from __future__ import annotations

import math
import select
from collections.abc import Callable

__all__ = ["READ", "WRITE", "Poll"]

READ, WRITE = select.POLLIN, select.POLLOUT
DAY = 86_400.0  # poll takes milliseconds in 31 bits


class Poll:
    """Descriptors, and what is to be called when one is ready, or broken: the call finds out which."""

    __slots__ = ("_calls", "_poll")

    def __init__(self) -> None:
        self._poll = select.poll()
        self._calls: dict[int, Callable[[], None]] = {}

    def __len__(self) -> int:
        return len(self._calls)

    def watch(self, descriptor: int, mask: int, call: Callable[[], None]) -> None:
        """Wait for `descriptor` from now on."""
        self._calls[descriptor] = call
        self._poll.register(descriptor, mask)

    def forget(self, descriptor: int) -> None:
        """Wait for it no more; no matter if nobody did."""
        if self._calls.pop(descriptor, None) is not None:
            self._poll.unregister(descriptor)

    def wait(self, timeout: float) -> None:
        """Wait up to `timeout` seconds (infinite allowed), then call what belongs to each that is ready."""
        ready = self._poll.poll(math.ceil(min(timeout, DAY) * 1000) if timeout > 0 else 0)
        for call in [self._calls[descriptor] for descriptor, _ in ready]:
            call()
