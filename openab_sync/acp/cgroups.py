"""Control groups (version 2): an agent's processes in a cage of their own, with so much memory and so many tasks.

Only where a part of the tree was delegated to us (systemd: `Delegate=yes`; a container with a tree of its own).
Processes may be only in the leaves of a tree that bounds anything, so we move ourselves into a leaf first. What the
kernel bounds holds for whatever hides from us, and a cage can be killed as a whole. Nothing here raises: without a tree
there are no cages, and what the system refuses is logged.

Reads and writes small files that the kernel answers at once; any thread, one thread a cage.
"""

from __future__ import annotations

import contextlib
import logging
import os
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Cage", "Cages"]

log = logging.getLogger(__name__)

ROOT = Path("/sys/fs/cgroup")
OURS = "openab-sync"
_WANTED = ("memory", "pids")


@dataclass(frozen=True, slots=True)
class Cage:
    """One agent's group."""

    folder: Path

    def kill(self) -> None:
        """Kill all that is in it, whatever it has become; the kernel leaves nobody out."""
        with contextlib.suppress(OSError):  # older than 5.14, or empty and gone
            (self.folder / "cgroup.kill").write_text("1")

    def open(self) -> None:
        """Take it away. What is still in it keeps it there, until somebody looks again."""
        with contextlib.suppress(OSError):
            self.folder.rmdir()


@dataclass(frozen=True, slots=True)
class Cages:
    """A part of the tree that is ours."""

    base: Path

    @classmethod
    def found(cls, root: Path = ROOT, own: str | None = None, pid: int | None = None) -> Cages | None:
        """Return the part of the tree that was delegated to this process, made ready; None if there is none.

        `own` is the text of /proc/self/cgroup. We move into a leaf of it: everything else is a sibling.
        """
        place = _own_place(_read(Path("/proc/self/cgroup")) if own is None else own)
        base = root / place.lstrip("/") if place is not None else None
        if base is None or not _is_delegated(base, place == "/"):
            return None
        try:
            leaf = base / OURS
            leaf.mkdir(exist_ok=True)
            (leaf / "cgroup.procs").write_text(str(os.getpid() if pid is None else pid))
            (base / "cgroup.subtree_control").write_text(" ".join(f"+{name}" for name in _WANTED))
        except OSError as error:
            log.info("control groups cannot be used here: %s", error)
            return None
        return cls(base)

    def cage(self, name: str, pid: int, *, memory: int, tasks: int) -> Cage | None:
        """Put a process, and all that it will start, into a cage; 0 is no bound. None if that cannot be done."""
        folder = self.base / f"agent-{name}"
        try:
            folder.mkdir(exist_ok=True)
            (folder / "memory.max").write_text(str(memory) if memory else "max")
            (folder / "pids.max").write_text(str(tasks) if tasks else "max")
            with contextlib.suppress(OSError):  # where there is no such file, the kernel kills one process of it
                (folder / "memory.oom.group").write_text("1")
            (folder / "cgroup.procs").write_text(str(pid))
        except OSError as error:
            log.warning("an agent could not be put into a control group: %s", error)
            return None
        return Cage(folder)


def _own_place(text: str) -> str | None:
    """Return our place in the one tree of version 2."""
    return next((line[3:] for line in text.splitlines() if line.startswith("0::/")), None)


def _is_delegated(base: Path, is_root: bool) -> bool:
    """Whether we may arrange what is below: with the controllers that we need, and meant for us.

    That we may write is not enough: root may anywhere, and what a service manager keeps is its own. It marks what it
    has given away.
    """
    controllers = _read(base / "cgroup.controllers").split()
    if not all(name in controllers for name in _WANTED) or not os.access(base, os.W_OK):
        return False
    return is_root or _is_marked(base)


def _is_marked(base: Path) -> bool:
    for name in ("user.delegate", "trusted.delegate"):
        with contextlib.suppress(OSError, AttributeError):  # none, or a system without such attributes
            if os.getxattr(base, name) == b"1":
                return True
    return False


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
