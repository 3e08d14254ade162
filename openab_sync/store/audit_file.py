"""The audit as a file of lines, for those who collect such files. Beside the journal, never instead of it.

**Threads**: any thread `put`s; `audit` writes. It blocks in its queue, where `put` and `close` wake it, and in the
disk. A file that was moved away (logrotate) is made anew. **Locks**: none. **Never**: more than `_MOST` lines in
memory: a disk that hangs costs lines, which the journal has, and one warning.
"""

from __future__ import annotations

import logging
import os
import queue
from pathlib import Path
from typing import TextIO

from ..clock import SystemClock
from ..errors import ConfigError
from ..threads import join_all, spawn

__all__ = ["AuditFile"]

log = logging.getLogger(__name__)

_MOST = 10_000  # lines that wait for the disk
_PATIENCE = 5.0  # seconds for them at the end


class AuditFile:
    """One JSON object a line, appended."""

    def __init__(self, path: Path, most: int = _MOST) -> None:
        """Open the file, made if need be, and start the thread. Blocks (disk). Raise ConfigError if it cannot be."""
        self._path = path
        try:
            self._file: TextIO | None = _opened(path)
        except OSError as error:
            raise ConfigError(f"cannot be written: {error.strerror}", file=str(path), key="audit.file") from error
        self._queue: queue.Queue[str | None] = queue.Queue(most)
        self._is_failing = False  # the thread's: an outage is logged once
        self._lost = 0  # lines that found the queue full; any thread, for the warning only
        self._thread = spawn("audit", self._run)

    def put(self, line: str) -> None:
        """Have a line written, soon. Any thread; never blocks."""
        try:
            self._queue.put_nowait(line)
        except queue.Full:
            self._lost += 1

    def close(self) -> bool:
        """Write what waits and end; whether that went well. Blocks, bounded. Once."""
        try:
            self._queue.put(None, timeout=_PATIENCE)
        except queue.Full:
            return False
        return not join_all([self._thread], SystemClock(), _PATIENCE)

    # ---- the thread ----

    def _run(self) -> None:
        try:
            while (line := self._queue.get()) is not None:
                self._write(line)
        except Exception:  # a thread's top: nothing above it could tell
            log.exception("the audit's file has stopped: a bug; the journal has what is missing")
        finally:
            if self._file is not None:
                self._file.close()

    def _write(self, line: str) -> None:
        try:
            if self._file is None or self._has_moved():
                self._reopen()
            assert self._file is not None
            self._file.write(line + "\n")
            self._file.flush()
        except OSError as error:
            if not self._is_failing:
                log.error("%s: %s; the journal has what is missing there", self._path, error.strerror)
            self._is_failing = True
            return
        if self._is_failing or self._lost:
            log.warning("%s can be written again; some lines are in the journal only", self._path)
            self._is_failing, self._lost = False, 0

    def _has_moved(self) -> bool:
        assert self._file is not None
        try:
            there = self._path.stat()
        except FileNotFoundError:
            return True
        here = os.fstat(self._file.fileno())
        return (there.st_dev, there.st_ino) != (here.st_dev, here.st_ino)

    def _reopen(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
        self._file = _opened(self._path)


def _opened(path: Path) -> TextIO:
    # For this user only: it tells who asked for what. A pipe that nobody reads is an error, not a wait.
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK, 0o600)
    return open(descriptor, "a", encoding="utf-8", errors="replace")
