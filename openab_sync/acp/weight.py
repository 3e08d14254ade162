"""How much memory agents take, and how many processes and threads, each with all that it has started.

What it has started is below it, or in its session (`setsid`) though its parents have ended: fork bombs live so. What
has left both on purpose is not seen here; a control group holds it, and the end of the agent finds it by its mark.

Looked at from outside, in /proc or, where there is none, in what the system has (psutil). One look is at everybody and
serves all agents: who asks for each tree by itself reads the whole of /proc for each, which among a hundred agents that
sleep was a sixth of a core. What processes share counts in each of them: adding up is cheap and says too much, so who
finds a sum too large asks `exactly`. Any thread; blocks for some milliseconds.
"""

from __future__ import annotations

import math
import os
import time
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

__all__ = ["MOST", "Weight", "exactly", "weigh"]

MOST = 500
"""Processes of one tree that `exactly` looks at: a fork bomb must not keep us for ever."""

SAME_ROUND = 1.0  # seconds after a look in which `exactly` goes by it
PROC = Path("/proc")
PAGE = os.sysconf("SC_PAGESIZE")

Families = Mapping[int, Collection[int]]


@dataclass(frozen=True, slots=True)
class Weight:
    """What a tree of processes takes: resident bytes, what is shared in each of them; processes and threads."""

    bytes: int
    tasks: int


def weigh(pids: Collection[int], age: float = 0.0) -> dict[int, Weight]:
    """Return what each of these processes takes with all that it has started; nothing of one that is gone.

    A look that somebody else has taken serves too, if it is not older than `age` seconds.
    """
    if not pids:
        return {}
    held, families = _EYES.look(age)
    trees = {pid: [held[one] for one in _tree(pid, families) if one in held] for pid in pids if pid in held}
    return {pid: Weight(sum(size for size, _ in tree), sum(tasks for _, tasks in tree)) for pid, tree in trees.items()}


def exactly(pid: int) -> int:
    """Return the bytes that a process and its descendants hold, what they share once, where the system tells.

    Who has started which is as in the look by which it was found too large.
    """
    _, families = _EYES.look(SAME_ROUND)
    return sum(_own(one) for one, _ in zip(_tree(pid, families), range(MOST), strict=False))


class _Eyes:
    """The last look at everybody, for all threads: replaced as a whole, so whoever reads it has one or the other."""

    def __init__(self) -> None:
        self._last: tuple[float, dict[int, tuple[int, int]], Families] = (-math.inf, {}, {})

    def look(self, age: float) -> tuple[dict[int, tuple[int, int]], Families]:
        """Return how everybody looks, or looked at most `age` seconds ago."""
        at, held, families = self._last
        if time.monotonic() - at >= age:
            held, families = _everybody()
            self._last = time.monotonic(), held, families
        return held, families


_EYES = _Eyes()


def _everybody() -> tuple[dict[int, tuple[int, int]], Families]:
    """The bytes and threads of all processes that may be looked at, and who has started which."""
    held: dict[int, tuple[int, int]] = {}
    families: defaultdict[int, list[int]] = defaultdict(list)
    for pid, parent, session, size, threads in _listed() if _has_proc() else _told():
        held[pid] = size, threads
        for elder in {parent, session} - {pid}:
            families[elder].append(pid)
    return held, families


def _tree(pid: int, families: Families) -> Iterator[int]:
    """Yield a process and what it has started, each once: a pid may change hands while we read, and close a ring."""
    seen, todo = {pid}, [pid]
    for one in todo:  # grows while we walk it
        yield one
        new = [child for child in families.get(one, ()) if child not in seen]
        seen.update(new)
        todo += new


def _has_proc() -> bool:
    return (PROC / "self/stat").exists()


def _listed() -> Iterator[tuple[int, int, int, int, int]]:
    """Yield each process, its parent, its session, its resident bytes, its threads."""
    for name in filter(str.isdecimal, os.listdir(PROC)):
        try:
            stat = (PROC / name / "stat").read_bytes()
        except OSError:  # it has ended, or is not ours to look at
            continue
        # The name in parentheses may hold anything, parentheses too; the parent is the second after it.
        fields = stat.rpartition(b")")[2].split()
        if fields[0] != b"Z":  # it has ended, and waits to be reaped
            yield int(name), int(fields[1]), int(fields[3]), int(fields[21]) * PAGE, int(fields[17])


def _own(pid: int) -> int:
    """A process's share of what it holds; all of it where the system does not tell."""
    if not _has_proc():
        return _own_told(pid)
    try:
        for line in (PROC / str(pid) / "smaps_rollup").read_bytes().splitlines():
            if line.startswith(b"Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:  # it has ended, or runs as somebody else: what can be seen has to do
        pass
    try:
        return int((PROC / str(pid) / "statm").read_bytes().split()[1]) * PAGE
    except OSError:
        return 0


def _told() -> Iterator[tuple[int, int, int, int, int]]:
    import psutil  # a fifth of a second and 0.7 MiB that Linux does not need

    for process in psutil.process_iter(["ppid", "status", "memory_info", "num_threads"]):
        memory, parent = process.info["memory_info"], process.info["ppid"]
        if memory is None or parent is None or process.info["status"] == psutil.STATUS_ZOMBIE:
            continue  # it is gone, or not ours to look at
        try:
            session = os.getsid(process.pid)
        except OSError:  # likewise
            continue
        yield process.pid, parent, session, memory.rss, process.info["num_threads"] or 1


def _own_told(pid: int) -> int:
    import psutil

    try:
        return int(psutil.Process(pid).memory_full_info().uss)
    except psutil.AccessDenied:  # it runs as somebody else
        return _resident(pid)
    except psutil.Error:  # it has ended
        return 0


def _resident(pid: int) -> int:
    import psutil

    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0
