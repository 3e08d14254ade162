"""Ways to keep a message on disk: our journal, bare SQLite with a commit for each, and a file that is appended to.

In a folder where temporary files are: a disk in memory knows no fsync (`TMPDIR` says another place).
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

from tests.bench.sides.side import Book

__all__ = ["BOOKS"]


class _Folder:
    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="openab-bench-")
        self.path = Path(self._folder.name)

    def close(self) -> None:
        self._folder.cleanup()


class _Journal(_Folder):
    """Ours: one writer, and one commit for all that has come meanwhile."""

    def __init__(self) -> None:
        from openab_sync.store import Fact, Store, open_books

        super().__init__()
        self._fact = Fact
        self._store = Store.open(self.path)
        self._deliveries = open_books(self._store).deliveries

    @property
    def commits(self) -> int:
        return self._store.commits

    def accept(self, number: int, text: str) -> None:
        _, done = self._deliveries.accept(self._fact("discord:1", str(number), "2", text, {"channel": "3"}))
        done.result()

    def close(self) -> None:
        self._store.close()
        super().close()


class _Sqlite(_Folder):
    """A table, a lock, and a commit for each message; as durable as ours."""

    def __init__(self) -> None:
        super().__init__()
        self.commits = 0
        self._lock = threading.Lock()
        self._base = sqlite3.connect(self.path / "bare.db", check_same_thread=False)
        self._base.execute("PRAGMA journal_mode=WAL")
        self._base.execute("PRAGMA synchronous=FULL")
        self._base.execute("CREATE TABLE messages (number INTEGER PRIMARY KEY, text TEXT)")

    def accept(self, number: int, text: str) -> None:
        with self._lock, self._base:
            self.commits += 1
            self._base.execute("INSERT INTO messages VALUES (?, ?)", (number, text))

    def close(self) -> None:
        self._base.close()
        super().close()


class _File(_Folder):
    """What the disk takes for it at least: a write and an fsync."""

    def __init__(self) -> None:
        super().__init__()
        self.commits = 0
        self._lock = threading.Lock()
        self._file = os.open(self.path / "bare.log", os.O_CREAT | os.O_WRONLY | os.O_APPEND)

    def accept(self, number: int, text: str) -> None:
        with self._lock:
            self.commits += 1
            os.write(self._file, f"{number} {text}\n".encode())
            os.fdatasync(self._file)

    def close(self) -> None:
        os.close(self._file)
        super().close()


BOOKS: dict[str, Callable[[], Book]] = {"store": _Journal, "sqlite": _Sqlite, "fsync": _File}
