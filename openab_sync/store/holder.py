"""Who holds a store, and how another process talks to it: by a signal, and by a pipe that waits for the answer.

    openab-sync reload                         the broker
    makes `reload.<random>`, a named pipe
    SIGHUP ──────────────────────────────────► reads its configuration again
    reads from the pipe ◄───────────────────── writes what came of it into every such pipe, and removes it

A pipe that nobody reads (any more) is removed. Whoever may write into the folder may ask; it is its user's alone.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import select
import signal
import stat
from contextlib import suppress
from pathlib import Path

from ..clock import Deadline, SystemClock
from ..errors import StoreError
from .place import LOCK_NAME

__all__ = ["answer", "ask", "holder"]

_PREFIX = "reload."
_UNREAD = "unread."
_WELL, _ILL = "well", "ill"
_MOST = 4096  # bytes of an answer: so many reach a pipe whole, or not at all


def holder(folder: Path) -> int | None:
    """Return the pid of the openab-sync that has `folder`; None if none has.

    Blocks for a moment (disk). Raise StoreError if the folder cannot be looked into, or the holder has not said who it
    is.
    """
    try:
        lock = os.open(folder / LOCK_NAME, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(f"cannot be looked into: {error.strerror}", file=str(folder)) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return None  # nobody has it; closing gives it back at once
    except BlockingIOError:
        pid = os.pread(lock, 32, 0).strip()
    finally:
        os.close(lock)
    if not pid.isdigit() or int(pid) <= 1:
        raise StoreError("is in use by another openab-sync; it has not said which", file=str(folder))
    return int(pid)


def ask(folder: Path, pid: int, patience: float) -> tuple[bool, str]:
    """Have the broker `pid` read its configuration again; return whether it could, and what it says about that.

    Blocks for `patience` seconds at most. Raise StoreError if it cannot be asked or does not answer.
    """
    name = secrets.token_hex(8)
    pipe = folder / f"{_PREFIX}{name}"
    try:
        end = _listen(folder / f"{_UNREAD}{name}", pipe)
    except OSError as error:
        raise StoreError(f"cannot be asked through: {error.strerror}", file=str(folder)) from error
    try:
        os.kill(pid, signal.SIGHUP)
        return _hear(end, patience)
    except (ProcessLookupError, PermissionError) as error:
        raise StoreError(f"is held by pid {pid}, which cannot be told: {error.strerror}", file=str(folder)) from error
    except TimeoutError as error:
        message = f"is held by pid {pid}, which did not answer within {patience:g} s"
        raise StoreError(message, file=str(folder)) from error
    finally:
        os.close(end)
        pipe.unlink(missing_ok=True)


def _listen(unread: Path, pipe: Path) -> int:
    """Make a pipe and return its end to read from. Whoever sees it finds it read: another answer may just be going."""
    os.mkfifo(unread, 0o600)
    try:
        end = os.open(unread, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            unread.rename(pipe)
        except OSError:
            os.close(end)
            raise
    except OSError:
        unread.unlink(missing_ok=True)
        raise
    return end


def _hear(end: int, patience: float) -> tuple[bool, str]:
    deadline, said = Deadline(SystemClock(), patience), b""
    poll = select.poll()
    poll.register(end, select.POLLIN)
    while not deadline.expired:
        if not poll.poll(deadline.left * 1000):
            break
        piece = os.read(end, _MOST)
        if not piece:  # all is said
            verdict, _, text = said.decode(errors="replace").partition("\n")
            return verdict == _WELL, text
        said += piece
    raise TimeoutError


def answer(folder: Path, text: str, *, is_well: bool) -> None:
    """Tell those who have asked what came of it. Never blocks for longer than a disk takes; never raises."""
    said = f"{_WELL if is_well else _ILL}\n{text}".encode()
    while len(said) > _MOST:
        said = said[: _MOST - 4].decode(errors="ignore").encode() + "…".encode()
    for pipe in _asking(folder):
        with suppress(OSError):  # nobody reads it (any more): it is only removed
            _write(pipe, said)
        with suppress(OSError):
            pipe.unlink()


def _asking(folder: Path) -> list[Path]:
    try:
        return list(folder.glob(f"{_PREFIX}*"))
    except OSError:  # the folder cannot be read any more: nobody can have asked through it
        return []


def _write(pipe: Path, said: bytes) -> None:
    if not stat.S_ISFIFO(pipe.lstat().st_mode):
        return
    end = os.open(pipe, os.O_WRONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        os.write(end, said)
    finally:
        os.close(end)
