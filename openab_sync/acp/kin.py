"""Finds and ends the processes that an agent has left behind outside its own group.

A tool that daemonises (double fork, own session) escapes `killpg`. Two traces lead to it: its parents, as long as they
live, and a marker in its environment, which children inherit. Both are read from /proc; without one (macOS) nothing is
found and the group is all that can be ended.

A pid is only a number and may be somebody else's a moment later: a `Kin` is a pid *and* its start time, compared again
right before the signal, through a pidfd that cannot change hands in between. Any thread; never blocks for long.
"""

from __future__ import annotations

import contextlib
import errno
import os
import signal
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from .watch import open_pidfd

__all__ = ["Kin", "boot", "descendants", "end_strays", "identify", "marked", "send", "slay", "zombies"]

PROC = Path("/proc")
ROUNDS = 5  # a stray that forks while we look is seen in the next round; who still runs away after five gets away
MOST = 4096  # processes followed in one family: a fork bomb must not keep us for ever


@dataclass(frozen=True, slots=True)
class Kin:
    """One certain process: `started` is its start time in clock ticks since boot."""

    pid: int
    started: int


def identify(pid: int) -> Kin | None:
    """Return who runs under `pid` now; None if nobody does, or where there is no /proc."""
    state, kin = _look(pid)
    return kin if state not in b"ZX" else None


def zombies(parent: int) -> list[Kin]:
    """Return the children of `parent` that have ended and that nobody has reaped."""
    looks = [_look(child) for child in _children(parent)]
    return [kin for state, kin in looks if kin is not None and state == b"Z"]


def _look(pid: int) -> tuple[bytes, Kin | None]:
    """The state of a process and who it is; nothing and nobody if it is not there."""
    try:
        stat = (PROC / str(pid) / "stat").read_bytes()
    except OSError:
        return b"", None
    # The name in parentheses may hold anything, parentheses too; the state is next, the start time the 20th from it.
    fields = stat.rpartition(b")")[2].split()
    return fields[0], Kin(pid, int(fields[19]))


def boot() -> str:
    """Return which boot of the machine this is; "" where it cannot be told. Start times of two boots mean nothing."""
    try:
        return (PROC / "sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return ""


def descendants(pid: int) -> list[Kin]:
    """Return all processes below `pid`, children first; itself not included."""
    found: list[Kin] = []
    parents = [pid]
    for parent in parents:  # grows while we walk it
        for child in _children(parent):
            kin = identify(child)
            if kin is not None and len(found) < MOST:
                found.append(kin)
                parents.append(child)
    return found


def _children(pid: int) -> Iterator[int]:
    """Yield the children of all threads of `pid` (a child belongs to the thread that made it)."""
    try:
        for task in (PROC / str(pid) / "task").iterdir():
            yield from map(int, (task / "children").read_bytes().split())
    except OSError:  # it has just ended, or the kernel keeps no such list: the marker has to do
        return


def marked(name: str, values: Iterable[str]) -> list[Kin]:
    """Return the processes whose environment has the variable `name` set to one of `values`; never ourselves."""
    needles = [f"\0{name}={value}\0".encode() for value in values]
    found = []
    for pid in _pids():
        with contextlib.suppress(OSError):  # ended, or another user's: not ours then
            environ = b"\0" + (PROC / str(pid) / "environ").read_bytes() + b"\0"
            kin = identify(pid) if any(needle in environ for needle in needles) else None
            found += [kin] if kin is not None else []
    return found


def _pids() -> list[int]:
    try:
        return [int(name) for name in os.listdir(PROC) if name.isdecimal() and int(name) not in (1, os.getpid())]
    except OSError:
        return []


def slay(kin: Kin) -> None:
    """Send SIGKILL to exactly this process; nothing happens if it has ended. Raise PermissionError if not ours."""
    send(kin, signal.SIGKILL)


def send(kin: Kin, number: signal.Signals) -> None:
    """Send a signal to exactly this process; nothing happens if it has ended. Raise PermissionError if not ours."""
    with contextlib.suppress(ProcessLookupError):
        try:
            fd = open_pidfd(kin.pid)
        except OSError as error:
            if error.errno not in (errno.ENOSYS, errno.EPERM, errno.EMFILE, errno.ENFILE):
                raise
            _send_by_number(kin, number)
            return
        try:
            if identify(kin.pid) == kin:
                signal.pidfd_send_signal(fd, number)
        finally:
            os.close(fd)


def _send_by_number(kin: Kin, number: signal.Signals) -> None:
    # The number could change hands between these two lines; it would have to wrap around in a few microseconds.
    if identify(kin.pid) == kin:
        os.kill(kin.pid, number)


def end_strays(known: Iterable[Kin], name: str, values: Iterable[str]) -> list[Kin]:
    """End `known` and all who carry the marker, looking again while new ones turn up; return who was signalled.

    Bounded: five rounds. Processes of another user are left alone.
    """
    values = tuple(values)
    signalled: dict[Kin, None] = {}
    new = list(known)
    for _ in range(ROUNDS):
        for kin in new:
            signalled[kin] = None
            with contextlib.suppress(PermissionError):  # it changed its user: not ours to end any more
                slay(kin)
        new = [kin for kin in marked(name, values) if kin not in signalled]
        if not new:
            break
    return list(signalled)
