"""Makes the end of a child process something that one can wait for in `select`.

On Linux that is a pidfd. Where there is none (macOS, old kernels, sandboxes that forbid it) a thread waits and closes
its end of a pipe: readable all the same. Nothing here reaps the child: its group is still to be signalled.

**Threads**: `watch-<pid>`, only where there is no pidfd; blocks in the kernel until the child has ended, which is what
wakes it. **Locks**: none. **Never**: a wait that reaps.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import select
import sys
import threading
from collections.abc import Callable

from ..threads import spawn

__all__ = ["ExitWatch", "open_pidfd"]

log = logging.getLogger(__name__)

JOIN_SECONDS = 1.0
NO_PIDFD = (errno.ENOSYS, errno.EPERM, errno.EINVAL)


def open_pidfd(pid: int) -> int:
    """Return a pidfd of `pid`. Raise OSError, ENOSYS where the system has none."""
    if not hasattr(os, "pidfd_open"):
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    return os.pidfd_open(pid)


class ExitWatch:
    """`fileno()` becomes readable when the child `pid` has ended and stays so until `close`."""

    __slots__ = ("_fd", "_thread")

    def __init__(self, pid: int, open_pidfd: Callable[[int], int] = open_pidfd) -> None:
        """Begin to watch. Raise OSError (no descriptors left) or RuntimeError (no room for a thread)."""
        self._thread: threading.Thread | None = None
        try:
            self._fd = open_pidfd(pid)
        except OSError as error:
            if error.errno not in NO_PIDFD:
                raise
            self._fd = self._watch_by_thread(pid)

    def _watch_by_thread(self, pid: int) -> int:
        readable, held = os.pipe()
        try:
            self._thread = spawn(f"watch-{pid}", lambda: _hold_until_exit(pid, held))
        except RuntimeError:
            os.close(readable)
            os.close(held)
            raise
        return readable

    @property
    def by_thread(self) -> bool:
        """Whether a thread does it: then do not rely on it while the interpreter exits, when threads stand still."""
        return self._thread is not None

    @property
    def fired(self) -> bool:
        """Whether the child has ended. Never blocks; False after `close`."""
        if self._fd < 0:
            return False
        poll = select.poll()
        poll.register(self._fd, select.POLLIN)
        return bool(poll.poll(0))

    def fileno(self) -> int:
        """Return the descriptor to wait on; -1 when closed."""
        return self._fd

    def close(self) -> None:
        """Give everything back; the child should have ended. Waits for the thread, if there is one, up to 1 s."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        if self._thread is not None:
            self._thread.join(JOIN_SECONDS)
            if self._thread.is_alive():
                log.warning("thread %s did not end: its child lives on", self._thread.name)


def _hold_until_exit(pid: int, held: int) -> None:
    """Close `held` as soon as the child has ended: to the other end of the pipe that reads as end of file."""
    try:
        _await_exit(pid)
    finally:
        os.close(held)


if hasattr(os, "waitid"):

    def _await_exit(pid: int) -> None:
        with contextlib.suppress(ChildProcessError):  # reaped by its owner: ended all the same
            os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)

elif sys.platform == "darwin":  # before Python 3.13

    def _await_exit(pid: int) -> None:
        queue = select.kqueue()
        wanted = select.kevent(pid, select.KQ_FILTER_PROC, select.KQ_EV_ADD, select.KQ_NOTE_EXIT)
        with contextlib.closing(queue), contextlib.suppress(ProcessLookupError):  # a zombie already
            queue.control([wanted], 1)
