"""How much memory an agent and all that it has started take.

Looked at from outside, in /proc or whatever the system has (psutil). What processes share is counted once where that
makes a difference: adding up is cheap and says too much, so only a sum that is too large is looked at again, exactly.
Any thread; blocks for a few milliseconds at most.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psutil

__all__ = ["MOST", "tree_memory"]

MOST = 500
"""Processes of one tree that are looked at: a fork bomb must not keep us for ever."""


def tree_memory(pid: int, enough: int = 0) -> int:
    """Return the bytes of memory that `pid` and its descendants hold; 0 if there is nobody.

    A sum below `enough` may count shared pages several times; from there on each is counted once, where the system
    tells.
    """
    import psutil  # a fifth of a second that a short command does not need

    try:
        top = psutil.Process(pid)
        family = [top, *top.children(recursive=True)[: MOST - 1]]
    except psutil.Error:  # it has ended
        return 0
    total = sum(_resident(process) for process in family)
    return sum(_own(process) for process in family) if enough and total >= enough else total


def _resident(process: psutil.Process) -> int:
    import psutil

    try:
        return int(process.memory_info().rss)
    except psutil.Error:  # it has ended, or is a zombie
        return 0


def _own(process: psutil.Process) -> int:
    import psutil

    try:
        found = process.memory_full_info()
    except psutil.AccessDenied:  # it runs as somebody else: what can be seen has to do
        return _resident(process)
    except psutil.Error:
        return 0
    return int(getattr(found, "pss", 0) or found.uss)
