"""Where state is kept: which folder, whether it can be used, and one broker at a time in it.

Knows folders and locks; what is written there is the journal's. Nothing here changes a folder that was there before but
for the files with our own names.
"""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import re
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from ..config.schema import StoreConfig
from ..errors import ConfigError, StoreError

__all__ = ["LOCK_NAME", "Hold", "make_private", "network_disk", "store_folder", "warn_of_the_disk"]

log = logging.getLogger(__name__)

LOCK_NAME = "journal.lock"

LOOKS = (0.01, 0.05)  # seconds between tries to take a folder that somebody has

# What the kernel calls a disk that is elsewhere. Locks and write-ahead logs cannot be trusted there (sqlite.org/wal).
_NETWORK = re.compile(r"nfs\d?|cifs|smb\w*|9p|afs|ceph|glusterfs|lustre|beegfs|ncpfs|fuse\.(sshfs|glusterfs|ceph|s3fs)")


def store_folder(config: StoreConfig, environ: Mapping[str, str]) -> Path:
    """Return the folder for state: `[store] path`, else `$OPENAB_SYNC_HOME`, else the user's state folder.

    It need not be there. Any thread; does not block.
    """
    named = config.path or environ.get("OPENAB_SYNC_HOME")
    if named:
        return Path(os.path.abspath(os.path.expanduser(named)))
    import platformdirs  # not needed by those who name their folder

    return platformdirs.user_state_path("openab-sync")


def make_private(folder: Path) -> None:
    """Make `folder` for this user only, if it is not there; warn if it is and others may look into it.

    Blocks (disk). Raise ConfigError if there is no such folder then, or it cannot be written.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        mode = folder.stat().st_mode & 0o777
    except OSError as error:
        raise _unusable(folder, f"cannot be used: {error.strerror}") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise _unusable(folder, "may not be written by this user")
    if mode & 0o077:  # it may be the home of other things: not ours to close
        log.warning("%s is open to others (mode %03o): chmod 700 would keep them out", folder, mode)


def _unusable(folder: Path, message: str) -> ConfigError:
    return ConfigError(message, file=str(folder), hint="[store] path or $OPENAB_SYNC_HOME names another folder")


def warn_of_the_disk(folder: Path) -> None:
    """Log a warning if `folder` is on a network disk and this can be told. Blocks (a file of the kernel's)."""
    try:
        mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:  # not Linux: it cannot be told
        return
    kind = network_disk(folder.resolve(), mounts)
    if kind:
        log.warning("%s is on a network disk (%s): what is said to be kept there may be lost", folder, kind)


def network_disk(folder: Path, mounts: str) -> str:
    """Return what kind of network disk `folder` is on according to `mounts` (the text of a mountinfo); "" for none."""
    best, kind = -1, ""
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        fields = before.split(" ")
        if len(fields) < 5 or not after:
            continue
        point = re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), fields[4])
        if folder.is_relative_to(point) and len(point) >= best:  # of several on one point the last is on top
            best, kind = len(point), after.split(" ")[0]
    return kind if _NETWORK.fullmatch(kind) else ""


class Hold:
    """The folder is ours: a lock on a file in it that the system gives back when this process ends, however it ends."""

    def __init__(self, folder: Path) -> None:
        """Take it. Blocks (disk). Raise StoreError if another broker has it, naming that one, ConfigError otherwise."""
        try:
            self._file = os.open(folder / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise _unusable(folder, f"cannot be used: {error.strerror}") from error
        try:
            self._lock(folder)
        except BaseException:
            self.release()
            raise

    def _lock(self, folder: Path) -> None:
        try:
            self._take()
            os.ftruncate(self._file, 0)
            os.pwrite(self._file, b"%d\n" % os.getpid(), 0)
        except BlockingIOError as error:
            raise StoreError(f"is in use by another openab-sync ({self._holder()})", file=str(folder)) from error
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise StoreError("the disk is full", file=str(folder)) from error
            raise _unusable(folder, f"cannot be locked: {error.strerror}") from error

    def _take(self) -> None:
        """Take the lock. Whoever looks who has it, has it for a moment: that is no reason to give up."""
        for pause in LOOKS:
            with suppress(BlockingIOError):
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            threading.Event().wait(pause)
        fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _holder(self) -> str:
        pid = os.pread(self._file, 32, 0).strip()
        return f"pid {pid.decode()}" if pid.isdigit() else "it has not said which"

    def release(self) -> None:
        """Give it back. The file stays: who removed it could have it taken twice."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
