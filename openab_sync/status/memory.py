"""How much memory each agent holds, with everything that it has started."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping

import psutil

__all__ = ["Scales", "weigh"]


class Scales:
    """What was weighed last: replaced as a whole by one thread, read by any."""

    def __init__(self) -> None:
        self.bytes: Mapping[int, int] = {}

    def weigh(self, pids: Collection[int]) -> None:
        """Weigh these processes anew. One thread; reads `/proc`."""
        self.bytes = weigh(pids) if pids else {}


def weigh(pids: Collection[int]) -> dict[int, int]:
    """Return the resident bytes of each of these processes and its descendants; none of one that is gone."""
    held: dict[int, int] = {}
    children: dict[int, list[int]] = defaultdict(list)
    for process in psutil.process_iter(["ppid", "memory_info"]):
        memory, parent = process.info["memory_info"], process.info["ppid"]
        if memory is not None and parent is not None:  # else it is gone, or not ours to look at
            held[process.pid] = memory.rss
            children[parent].append(process.pid)
    return {pid: _tree(pid, held, children) for pid in pids if pid in held}


def _tree(pid: int, held: Mapping[int, int], children: Mapping[int, list[int]]) -> int:
    total, todo, seen = 0, [pid], set[int]()
    while todo:
        if (one := todo.pop()) not in seen:
            seen.add(one)
            total += held.get(one, 0)
            todo += children.get(one, [])
    return total
