"""The outbox: the only folder from which files of an agent go out, one folder a conversation.

The agent works in it under our own user and may have put anything there under any name: so nothing is followed (a
link, wherever it leads, is refused), nothing is opened that is no plain file, and what is read is what was looked at.
What has been taken lies in `sent/` afterwards, what was not in `refused/`, so that nothing is judged twice. Names that
begin with a dot are left alone: a file can be written under one and renamed when it is complete.

Blocks as a disk does. Threads: any for `Outboxes.of`; one `Outbox` is its session's, one at a time.
**Never**: a file outside of the folder is read, moved or removed.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import secrets
import stat
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from .inbox import folder_of, safe_name, size_text, sweep
from .kinds import kind_of

__all__ = [
    "Collected",
    "Outbox",
    "OutboxCaps",
    "Outboxes",
    "Outgoing",
    "beside",
    "clear_outboxes",
    "held_outboxes",
    "sweep_outboxes",
]

log = logging.getLogger(__name__)

SENT, REFUSED = "sent", "refused"
HOUR = 3600.0
_LISTED = 1000  # names that are looked at in one go
_TOLD = 10  # refusals that are told one by one
_KEPT = 1000  # conversations whose rate is remembered

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # nobody waits for a pipe


@dataclass(frozen=True, slots=True)
class OutboxCaps:
    """What may leave: bytes of one file and of all in one turn, files in one turn and in one hour."""

    file: int = 10 * 1024 * 1024
    total: int = 25 * 1024 * 1024
    turn: int = 10
    hour: int = 60


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A file that leaves. `mime` is what its bytes are, `path` where it lies afterwards."""

    name: str
    data: bytes = field(repr=False)
    mime: str = ""
    path: str = ""


@dataclass(frozen=True, slots=True)
class Collected:
    """What came of one look: the files, and a sentence for each (or for all) that stayed."""

    files: tuple[Outgoing, ...] = ()
    refused: tuple[str, ...] = ()


class _Unfit(Exception):
    """A file does not leave; the text says why."""


class Outboxes:
    """All outboxes, below one folder. What has left in the last hour is remembered here: it outlives a session."""

    def __init__(self, root: Path, caps: OutboxCaps | None = None) -> None:
        self._root = root
        self._caps = caps or OutboxCaps()
        self._times: dict[str, list[float]] = {}

    def of(self, key: str) -> Outbox:
        """Return the outbox of the conversation `key`. Its folder is made when `open` is called."""
        if len(self._times) >= _KEPT and key not in self._times:
            self._times.pop(next(iter(self._times)))
        return Outbox(folder_of(self._root, key), self._caps, self._times.setdefault(key, []))


def beside(inbox: Path) -> Path:
    """Return where outboxes are kept: beside the folder of inboxes."""
    return inbox.with_name("outbox")


@contextmanager
def held_outboxes(root: Path) -> Iterator[None]:
    """Make a folder for outboxes, and hold it: `clear_outboxes` of another process leaves it alone meanwhile."""
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = os.open(root, _FOLDER)
    try:
        with contextlib.suppress(OSError):  # a disk that knows no locks, or somebody who clears it just now
            fcntl.flock(folder, fcntl.LOCK_SH | fcntl.LOCK_NB)
        yield
    finally:
        os.close(folder)


def clear_outboxes(root: Path) -> None:
    """Remove the folders below `root` in which nothing lies, and itself, if nobody holds it; no link is followed."""
    try:
        held = os.open(root, _FOLDER)
    except OSError:  # it is not there
        return
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for folder, _, _ in os.walk(root, topdown=False):
            with contextlib.suppress(OSError):  # something lies there
                os.rmdir(folder)
    except OSError:  # somebody holds it
        return
    finally:
        os.close(held)


def sweep_outboxes(root: Path, age: float, now: float) -> int:
    """Remove what has been sent or refused longer than `age` seconds before `now` (of the epoch); return how many.

    What still lies there to be sent stays. No link is followed.
    """
    if not root.is_dir():
        return 0
    return sum(sweep(folder, age, now) for folder in root.iterdir() if not folder.is_symlink())


class Outbox:
    """One conversation's. Its session's thread only."""

    def __init__(self, folder: Path, caps: OutboxCaps, times: list[float]) -> None:
        self.folder = folder
        self._caps = caps
        self._times = times  # moments at which a file has left

    def __repr__(self) -> str:
        return f"<Outbox {self.folder}>"

    def open(self) -> None:
        """Make the folder. One that cannot be made is logged: nothing leaves then."""
        try:
            self.folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with contextlib.suppress(FileExistsError):
                self.folder.mkdir(mode=0o700)
        except OSError as error:
            log.warning("outbox %s could not be made: %s", self.folder, error)

    def collect(self, now: float, most: int = 0) -> Collected:
        """Take what is there and may leave; `most` is what the chat takes in one file (0: no limit of its own).

        `now` are seconds that only go forward. Raises nothing: a folder that cannot be read is empty, and logged.
        """
        try:
            folder = os.open(self.folder, _FOLDER)
        except FileNotFoundError:
            return Collected()
        except OSError as error:
            log.warning("outbox %s could not be looked at: %s", self.folder, error)
            return Collected()
        try:
            return self._collected(folder, now, min(most or self._caps.file, self._caps.file))
        except OSError as error:
            log.warning("outbox %s: %s", self.folder, error)
            return Collected(refused=(f"Files for you could not be read ({error.strerror or error}).",))
        finally:
            os.close(folder)

    def _collected(self, folder: int, now: float, most: int) -> Collected:
        files: list[Outgoing] = []
        refused: list[str] = []
        room = self._caps.total
        for name in _names(folder):
            try:
                self._check_rate(len(files), now)
                file = _read(folder, name, min(most, room), is_last=room < most)
                taken = _move(folder, name, SENT)
            except _Unfit as why:
                refused.append(f"`{safe_name(name)}` was not sent: it {why}.")
                with contextlib.suppress(_Unfit):  # it is told in every turn then, until somebody looks
                    _move(folder, name, REFUSED)
                continue
            files.append(replace(file, path=str(self.folder / SENT / taken)))
            room -= len(file.data)
            self._times.append(now)
        if len(refused) > _TOLD:
            refused[_TOLD:] = [f"{len(refused) - _TOLD} more files were not sent."]
        return Collected(tuple(files), tuple(refused))

    def _check_rate(self, count: int, now: float) -> None:
        del self._times[: bisect_right(self._times, now - HOUR)]
        if count >= self._caps.turn:
            raise _Unfit(f"is one too many: {self._caps.turn} may leave in a turn")
        if len(self._times) >= self._caps.hour:
            raise _Unfit(f"is one too many: {self._caps.hour} may leave in an hour")


def _names(folder: int) -> list[str]:
    """Return what is there to be judged, in the order of names. Not more than 1,000: the rest is for the next turn."""
    names = [name for name in os.listdir(folder) if not name.startswith(".") and name not in (SENT, REFUSED)]
    return sorted(names)[:_LISTED]


def _read(folder: int, name: str, most: int, *, is_last: bool) -> Outgoing:
    """Return a file. Raise _Unfit for whatever is none, or is too large."""
    with _file(folder, name) as descriptor:
        found = os.fstat(descriptor)  # of what is open, not of what has the name by now
        if not stat.S_ISREG(found.st_mode):
            raise _Unfit(f"is {_what(found.st_mode)}, not a file")
        if found.st_nlink > 1:
            raise _Unfit("has another name elsewhere (a hard link)")
        data = _content(descriptor, most)
    if data is None:
        size = f"has {size_text(found.st_size)}" if found.st_size > most else "grows"
        limit = "with the others of this turn that is too much" if is_last else f"files may have {size_text(most)}"
        raise _Unfit(f"{size}; {limit}")
    if not data:
        raise _Unfit("is empty")
    return Outgoing(safe_name(name), data, kind_of(data).mime)


@contextlib.contextmanager
def _file(folder: int, name: str) -> Iterator[int]:
    try:
        descriptor = os.open(name, _FILE, dir_fd=folder)
    except OSError as error:
        raise _Unfit(_why_not(folder, name, error)) from error
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _why_not(folder: int, name: str, error: OSError) -> str:
    with contextlib.suppress(OSError):
        mode = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
        if not stat.S_ISREG(mode):
            return f"is {_what(mode)}, not a file"
    return f"cannot be read ({error.strerror or error})"


def _what(mode: int) -> str:
    kinds = {stat.S_IFDIR: "a folder", stat.S_IFLNK: "a link", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}
    return kinds.get(stat.S_IFMT(mode), "a device")


def _content(descriptor: int, most: int) -> bytes | None:
    """Return what is in a file, None if that is more than `most` bytes: what it said about its size may be old."""
    with open(descriptor, "rb", closefd=False) as file:
        data = file.read(most + 1)
    return data if len(data) <= most else None


def _move(folder: int, name: str, where: str) -> str:
    """Put something into a folder beside it, under a name that is free; return that. Raise _Unfit if it cannot be done.

    A rename follows no link in its last part, and the folder is opened as one: a link in its place is refused.
    """
    try:
        with contextlib.suppress(FileExistsError):
            os.mkdir(where, 0o700, dir_fd=folder)
        there = os.open(where, _FOLDER, dir_fd=folder)
        try:
            taken = name
            with contextlib.suppress(FileNotFoundError):
                os.stat(name, dir_fd=there, follow_symlinks=False)
                taken = f"{secrets.token_hex(4)}-{name}"
            os.rename(name, taken, src_dir_fd=folder, dst_dir_fd=there)
            return taken
        finally:
            os.close(there)
    except OSError as error:
        raise _Unfit(f"could not be put into `{where}` ({error.strerror or error})") from error
