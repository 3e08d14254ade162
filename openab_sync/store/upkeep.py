"""What can be done to a store from outside: look whether all is well, give room back, copy it, write everything out.

Looking, copying and writing out only read, and may be done while a broker runs: each sees one moment of the journal.
Giving room back needs the store for itself. Blocks as a disk does; any thread.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from ..errors import ConfigError, StoreError
from .database import FILE_NAME, open_for_reading, said_by_sqlite
from .holder import holder
from .migrations import MIGRATIONS, examine
from .place import Hold, network_disk

__all__ = ["Finding", "backup", "check", "export", "vacuum"]

# Less than this is soon nothing.
_LITTLE = 256 * 1024 * 1024

# Whoever knows these can go on with an agent's session (FIELD I7): table and column.
_CREDENTIALS = {("memories", "session"), ("memories", "archive")}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    is_well: bool
    text: str


# Looking.


def check(folder: Path) -> Iterator[Finding]:
    """Look at everything, one finding after the other; nothing is changed.

    Raise ConfigError if there is no journal there, or one of another version; StoreError if it cannot be read.
    """
    modes = list(_modes(folder))  # before SQLite makes files beside it
    yield _holder(folder)
    with closing(open_for_reading(folder)) as db:
        yield Finding(True, f"schema {len(MIGRATIONS)}, the one of this version")
        try:
            yield from _integrity(db)
            yield Finding(True, f"rows: {', '.join(f'{name} {count}' for name, count in _counts(db))}")
            waiting = ", ".join(f"{count} of {platform}" for platform, count in _unfinished(db))
            yield Finding(True, f"messages that are not answered yet: {waiting or 'none'}")
        except sqlite3.Error as error:
            yield Finding(False, str(said_by_sqlite(error, folder / FILE_NAME)))
    yield from modes
    yield from _sizes(folder)


def _holder(folder: Path) -> Finding:
    pid = holder(folder)
    return Finding(True, f"in use by pid {pid}" if pid is not None else "in use by nobody")


def _integrity(db: sqlite3.Connection) -> Iterator[Finding]:
    damage = [row[0] for row in db.execute("PRAGMA integrity_check(5)") if row[0] != "ok"]
    orphans = len(db.execute("PRAGMA foreign_key_check").fetchall())
    yield Finding(not damage, f"damaged: {'; '.join(damage)}" if damage else "the journal is whole")
    if orphans:
        yield Finding(False, f"{orphans} rows belong to rows that are not there")


def _counts(db: sqlite3.Connection) -> Iterator[tuple[str, int]]:
    for name in _tables(db):
        yield name, db.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]


def _unfinished(db: sqlite3.Connection) -> list[tuple[str, int]]:
    """How many messages are neither answered nor told about, by the chat service that they came from."""
    return db.execute(
        "SELECT substr(conversation, 1, instr(conversation, ':') - 1) AS platform, count(*) FROM deliveries "
        "WHERE state IN ('accepted', 'started', 'finished') GROUP BY platform ORDER BY platform"
    ).fetchall()


def _modes(folder: Path) -> Iterator[Finding]:
    wanted = {folder: 0o700, **dict.fromkeys(sorted(folder.glob("journal.*")), 384)}
    open_ones = [(path, mode) for path, most in wanted.items() if (mode := _mode(path)) & 0o777 & ~most]
    for path, mode in open_ones:
        yield Finding(False, f"{path} is open to others (mode {mode & 0o777:03o}): chmod {wanted[path]:03o} closes it")
    if not open_ones:
        yield Finding(True, "closed to others")


def _mode(path: Path) -> int:
    try:
        return path.stat().st_mode
    except FileNotFoundError:  # the write-ahead log comes and goes
        return 0


def _sizes(folder: Path) -> Iterator[Finding]:
    journal = sum(_size(file) for file in folder.glob(f"{FILE_NAME}*"))
    damaged = sorted(folder.glob("journal.damaged-*.db"))
    files = [file for file in (folder / "inbox").rglob("*") if file.is_file() and not file.is_symlink()]
    yield Finding(True, f"journal {_mib(journal)}, {len(files)} files of messages {_mib(sum(map(_size, files)))}")
    if damaged:
        yield Finding(False, f"kept from an earlier damage, and of no use here: {', '.join(map(str, damaged))}")
    free = shutil.disk_usage(folder).free
    yield Finding(free >= _LITTLE, f"{_mib(free)} are free on the disk")
    try:
        kind = network_disk(folder.resolve(), Path("/proc/self/mountinfo").read_text("utf-8", "replace"))
    except OSError:  # not Linux: it cannot be told
        return
    if kind:
        yield Finding(False, f"on a network disk ({kind}): what is said to be kept there may be lost")


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0


def _mib(size: int) -> str:
    return f"{size / 1024 / 1024:.1f} MiB"


# Giving room back.


def vacuum(folder: Path) -> tuple[int, int]:
    """Rebuild the journal without what was deleted; return how many bytes it had, and has.

    Raise StoreError if a broker has it, naming that one, if it is damaged, or if the disk has no room for it twice;
    ConfigError if there is none, or one of another version.
    """
    open_for_reading(folder).close()  # is it one, and ours?
    file = folder / FILE_NAME
    hold = Hold(folder)
    try:
        before = sum(_size(part) for part in folder.glob(f"{FILE_NAME}*"))
        with closing(sqlite3.connect(file, isolation_level=None)) as db:
            examine(db, str(file))
            _rebuild(db, file)
        return before, sum(_size(part) for part in folder.glob(f"{FILE_NAME}*"))
    finally:
        hold.release()


def _rebuild(db: sqlite3.Connection, file: Path) -> None:
    try:
        (verdict,) = db.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            raise StoreError("the journal is damaged", file=str(file))
        db.execute("VACUUM")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    except sqlite3.Error as error:
        raise said_by_sqlite(error, file) from error


# Copying and writing out.


def backup(folder: Path, target: Path) -> int:
    """Write the journal, as it is at one moment, to a new file for this user only; return how many bytes it has.

    Raise ConfigError if there is none, or one of another version, or if `target` is there already; StoreError for a
    disk that fails, or a journal that is damaged: then there is no copy.
    """
    with closing(open_for_reading(folder)) as db:
        if target.exists():
            raise ConfigError("is there already", file=str(target), hint="name another file")
        fresh = target.with_name(f".{target.name}.new")
        try:
            os.close(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600))
            with closing(sqlite3.connect(fresh)) as copy:
                db.backup(copy)
                (verdict,) = copy.execute("PRAGMA quick_check(1)").fetchone()
            if verdict != "ok":
                raise StoreError("the journal is damaged", file=str(folder / FILE_NAME))
            os.link(fresh, target)  # as it is complete, and never over another
        except sqlite3.Error as error:
            raise said_by_sqlite(error, folder / FILE_NAME) from error
        except OSError as error:
            raise StoreError(f"cannot be written: {error.strerror}", file=str(target)) from error
        finally:
            fresh.unlink(missing_ok=True)
    return _size(target)


def export(folder: Path, *, credentials: bool = False) -> Iterator[str]:
    """Yield every row of every table as a line of JSON, all of the same moment; `table` says which.

    The ids by which an agent's sessions can be gone on with are left out, unless `credentials` are wanted. Raise
    ConfigError if there is no journal, StoreError if it cannot be read.
    """
    with closing(open_for_reading(folder)) as db:
        try:
            db.execute("BEGIN")
            for table in _tables(db):
                yield from _rows(db, table, set() if credentials else _CREDENTIALS)
        except sqlite3.Error as error:
            raise said_by_sqlite(error, folder / FILE_NAME) from error


def _rows(db: sqlite3.Connection, table: str, credentials: set[tuple[str, str]]) -> Iterator[str]:
    rows = db.execute(f'SELECT * FROM "{table}"')
    names = [column[0] for column in rows.description]
    hidden = {name for name in names if (table, name) in credentials}
    for row in rows:
        yield _line(table, dict(zip(names, row, strict=True)), hidden)


def _line(table: str, row: dict[str, object], hidden: set[str]) -> str:
    values = {
        name: "[redacted]" if name in hidden and value is not None else _plain(value) for name, value in row.items()
    }
    return json.dumps({"table": table, **values}, ensure_ascii=False)


def _plain(value: object) -> object:
    return {"base64": base64.b64encode(value).decode("ascii")} if isinstance(value, bytes) else value


def _tables(db: sqlite3.Connection) -> list[str]:
    found = db.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'")
    return sorted(row[0] for row in found)
