"""The journal's file: opened, made safe, brought up to date; set aside if it is damaged. And words for SQLite's errors.

Opening and closing only; who writes to it, and when, is `journal.py`.
"""

from __future__ import annotations

import itertools
import logging
import os
import sqlite3
from pathlib import Path
from urllib.parse import quote

from ..errors import ConfigError, StoreError
from .migrations import MIGRATIONS, examine, migrate

__all__ = ["BUSY", "FILE_NAME", "is_outage", "open_database", "open_for_reading", "said_by_sqlite"]

log = logging.getLogger(__name__)

FILE_NAME = "journal.db"
BUSY = 5000  # milliseconds that another program may hold the file

# The first that knows STRICT tables.
_OLDEST = (3, 37, 0)

# What the codes of SQLite mean for people; the rest is said in its own words.
_WORDS = {
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_READONLY: "the disk is read-only",
    sqlite3.SQLITE_IOERR: "the disk fails to read or write",
    sqlite3.SQLITE_CORRUPT: "the journal is damaged",
    sqlite3.SQLITE_NOTADB: "the journal is damaged",
    sqlite3.SQLITE_BUSY: "another program holds the journal",
    sqlite3.SQLITE_CANTOPEN: "the journal cannot be opened",
}
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def open_database(folder: Path) -> sqlite3.Connection:
    """Open the journal in `folder`, for use by one thread at a time; a damaged one is set aside and a new one begun.

    Blocks (disk). Raise ConfigError for a file that we cannot use, StoreError for a disk that fails.
    """
    if sqlite3.sqlite_version_info < _OLDEST:
        raise ConfigError(f"this Python has SQLite {sqlite3.sqlite_version}: 3.37 or newer is needed")
    file = folder / FILE_NAME
    try:
        return _open(file)
    except sqlite3.Error as error:
        if _code(error) not in _DAMAGED:
            raise said_by_sqlite(error, file) from error
        log.exception("%s is damaged: it is kept as %s, and a new one begun", file, _set_aside(file))
    try:
        return _open(file)
    except sqlite3.Error as error:
        raise said_by_sqlite(error, file) from error


def open_for_reading(folder: Path) -> sqlite3.Connection:
    """Open the journal in `folder` to look into it, also while a broker uses it: nothing can be changed with it.

    Blocks (disk). Raise ConfigError if there is none, or one of another version; StoreError for a disk that fails.
    """
    file = folder / FILE_NAME
    if not file.exists():
        hint = "-c, [store] path or $OPENAB_SYNC_HOME say which one is meant"
        raise ConfigError("there is no journal here yet", file=str(folder), hint=hint)
    try:
        db = sqlite3.connect(f"file:{quote(str(file))}?mode=ro", uri=True, isolation_level=None)
    except sqlite3.Error as error:
        raise said_by_sqlite(error, file) from error
    try:
        db.execute(f"PRAGMA busy_timeout = {BUSY}")
        examine(db, str(file), oldest=len(MIGRATIONS))
    except sqlite3.Error as error:
        db.close()
        raise said_by_sqlite(error, file) from error
    except BaseException:
        db.close()
        raise
    return db


def _open(file: Path) -> sqlite3.Connection:
    _make_file(file)
    # One thread at a time is promised, not one thread for ever: it is opened by who starts, and used by the writer.
    db = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    try:
        examine(db, str(file))  # first: what is not ours is not touched
        _settle(db, file)
        migrate(db)
    except BaseException:
        db.close()
        raise
    return db


def _make_file(file: Path) -> None:
    # Before SQLite has it open: closing a descriptor of that file afterwards would drop SQLite's locks.
    try:
        os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        if file.stat().st_mode & 0o077:
            file.chmod(0o600)
    except OSError as error:
        raise ConfigError(f"cannot be used: {error.strerror}", file=str(file)) from error


def _settle(db: sqlite3.Connection, file: Path) -> None:
    (mode,) = db.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":  # no shared memory on this disk: slower, and as safe
        log.warning("%s: no write-ahead log on this disk, SQLite goes on in mode %s", file, mode)
    db.execute("PRAGMA synchronous = FULL")  # a commit is on the disk when it returns
    db.execute("PRAGMA fullfsync = ON")  # on macOS, too, where an fsync is not yet one
    db.execute("PRAGMA foreign_keys = ON")
    db.execute(f"PRAGMA busy_timeout = {BUSY}")  # somebody may be looking into it with another program
    db.execute("PRAGMA secure_delete = ON")  # what is deleted is overwritten; not every SQLite does so by itself
    db.execute(f"PRAGMA journal_size_limit = {16 * 1024 * 1024}")
    (verdict,) = db.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        damage = sqlite3.DatabaseError(verdict)
        damage.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise damage


def _set_aside(file: Path) -> Path:
    names = (file.with_name(f"journal.damaged-{number}.db") for number in itertools.count(1))
    aside = next(name for name in names if not name.exists())
    for suffix in ("", "-wal", "-shm"):  # what stands in the log belongs to that file and to no other
        part = Path(f"{file}{suffix}")
        if part.exists():
            part.rename(f"{aside}{suffix}")
    return aside


def said_by_sqlite(error: sqlite3.Error, file: Path) -> StoreError:
    """Return (not raise) what `error` means, as an error of ours."""
    return StoreError(_WORDS.get(_code(error), f"SQLite says: {error}"), file=str(file))


def is_outage(error: Exception) -> bool:
    """Whether `error` is the disk's fault (or the file's), and not that of who asked."""
    return isinstance(error, sqlite3.Error) and _code(error) in _WORDS


def _code(error: sqlite3.Error) -> int:
    """The primary code; -1 where Python's own module complains."""
    code = getattr(error, "sqlite_errorcode", None)
    return code & 0xFF if isinstance(code, int) else -1
