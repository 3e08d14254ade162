"""How much memory agents take, and how many processes and threads, each with all that it has started.

What it has started is below it, or in its session (`setsid`) though its parents have ended: fork bombs live so. What
has left both, as a server that was put into the background, has the mark of its agent in its environment. That is read
once of each process: looking at all of them again and again would cost more than all the rest.

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

from .process import SESSION_MARKER, living

__all__ = ["MOST", "Weight", "exactly", "weigh"]

MOST = 500
"""Processes of one tree that `exactly` looks at: a fork bomb must not keep us for ever."""

SAME_ROUND = 1.0  # seconds after a look in which `exactly` goes by it
PROC = Path("/proc")
PAGE = os.sysconf("SC_PAGESIZE")

Families = Mapping[int, Collection[int]]
_marks: dict[tuple[int, int], str] = {}
"""Whose mark each process has, "" for none, as it was when it was seen first; by its pid and when it was started."""


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
    agents, seen = {mark: pid for pid, mark in living().items()}, set()
    for pid, parent, session, size, threads, started in _listed() if _has_proc() else _told():
        held[pid] = size, threads
        seen.add((pid, started))
        if (mark := _marks.get((pid, started))) is None:
            mark = _marks[pid, started] = _mark(pid)
        for elder in {parent, session, agents.get(mark, pid)} - {pid}:
            families[elder].append(pid)
    for gone in dict(_marks).keys() - seen:  # a copy: somebody else may be looking, too
        _marks.pop(gone, None)
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


def _mark(pid: int) -> str:
    head = SESSION_MARKER.encode() + b"="
    try:
        variables = (PROC / str(pid) / "environ").read_bytes().split(b"\0")
    except OSError:  # it has ended, is somebody else's, or this is no Linux
        return ""
    return next((one[len(head) :].decode("ascii", "replace") for one in variables if one.startswith(head)), "")


def _listed() -> Iterator[tuple[int, int, int, int, int, int]]:
    """Yield each process, its parent, its session, its resident bytes, its threads, and when it was started."""
    for name in filter(str.isdecimal, os.listdir(PROC)):
        try:
            stat = (PROC / name / "stat").read_bytes()
        except OSError:  # it has ended, or is not ours to look at
            continue
        # The name in parentheses may hold anything, parentheses too; the parent is the second after it.
        fields = stat.rpartition(b")")[2].split()
        if fields[0] != b"Z":  # it has ended, and waits to be reaped
            yield int(name), int(fields[1]), int(fields[3]), int(fields[21]) * PAGE, int(fields[17]), int(fields[19])


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


def _told() -> Iterator[tuple[int, int, int, int, int, int]]:
    import psutil  # a fifth of a second and 0.7 MiB that Linux does not need

    for process in psutil.process_iter(["ppid", "status", "memory_info", "num_threads"]):
        memory, parent = process.info["memory_info"], process.info["ppid"]
        if memory is None or parent is None or process.info["status"] == psutil.STATUS_ZOMBIE:
            continue  # it is gone, or not ours to look at
        try:
            session = os.getsid(process.pid)
        except OSError:  # likewise
            continue
        yield process.pid, parent, session, memory.rss, process.info["num_threads"] or 1, 0


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
