"""How much memory each agent holds, with everything that it has started, as it was weighed last."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ..core.watcher import INTERVAL, weigh

__all__ = ["Scales"]


class Scales:
    """What was weighed last: replaced as a whole by one thread, read by any."""

    def __init__(self) -> None:
        self.bytes: Mapping[int, int] = {}

    def weigh(self, pids: Collection[int]) -> None:
        """Weigh these processes. One thread; blocks for some milliseconds, where the watcher has not just looked."""
        self.bytes = {pid: weight.bytes for pid, weight in weigh(pids, INTERVAL).items()}
