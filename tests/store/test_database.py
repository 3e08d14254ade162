"""The journal's file: how it is opened, what becomes of a damaged one, and what SQLite's errors mean for people."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from openab_sync.errors import ConfigError, StoreError
from openab_sync.store import database
from openab_sync.store.database import FILE_NAME, is_outage, open_database, said_by_sqlite


def pragma(db: sqlite3.Connection, name: str) -> object:
    return db.execute(f"PRAGMA {name}").fetchone()[0]


def fill(folder: Path) -> Path:
    """A journal with something in it; returns its file."""
    with closing(open_database(folder)) as db:
        for number in range(200):
            db.execute("INSERT INTO buttons VALUES (?, 'k', 'c', '{}', '[]', 1.0, 1)", (f"{number:0400}",))
    return folder / FILE_NAME


def test_what_is_committed_is_on_the_disk_and_readers_disturb_nobody(tmp_path: Path) -> None:
    with closing(open_database(tmp_path)) as db:
        assert (pragma(db, "journal_mode"), pragma(db, "synchronous")) == ("wal", 2)
        assert (pragma(db, "foreign_keys"), pragma(db, "fullfsync"), pragma(db, "busy_timeout")) == (1, 1, 5000)


def test_its_files_are_for_this_user_only(tmp_path: Path) -> None:
    with closing(open_database(tmp_path)) as db:
        db.execute("INSERT INTO buttons VALUES ('a', 'k', 'c', '{}', '[]', 1.0, 1)")
        modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    assert modes == dict.fromkeys(("journal.db", "journal.db-wal", "journal.db-shm"), 0o600)


def test_a_file_that_was_open_to_others_is_closed_to_them(tmp_path: Path) -> None:
    fill(tmp_path).chmod(0o644)
    open_database(tmp_path).close()
    assert (tmp_path / FILE_NAME).stat().st_mode & 0o777 == 0o600


def test_what_was_written_is_there_when_it_is_opened_again(tmp_path: Path) -> None:
    fill(tmp_path)
    with closing(open_database(tmp_path)) as db:
        assert db.execute("SELECT count(*) FROM buttons").fetchone() == (200,)


@pytest.mark.parametrize("damage", ["no database", "torn pages"])
def test_a_damaged_file_is_kept_and_a_new_one_begun(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: str
) -> None:
    file = fill(tmp_path)
    raw = bytearray(file.read_bytes())
    if damage == "no database":
        raw[:16] = b"something other."
    else:
        raw[4096:] = b"\xff" * (len(raw) - 4096)
    file.write_bytes(raw)
    with closing(open_database(tmp_path)) as db:
        assert db.execute("SELECT count(*) FROM buttons").fetchone() == (0,)
    assert (tmp_path / "journal.damaged-1.db").read_bytes() == raw
    assert f"{file} is damaged: it is kept as {tmp_path / 'journal.damaged-1.db'}" in caplog.text


def test_damaged_files_are_never_written_over(tmp_path: Path) -> None:
    for text in (b"one is no database" * 9, b"nor is this one..." * 9):
        (tmp_path / FILE_NAME).write_bytes(text)
        (tmp_path / f"{FILE_NAME}-wal").write_bytes(b"")
        open_database(tmp_path).close()
    kept = [(tmp_path / f"journal.damaged-{number}.db").read_bytes()[:3] for number in (1, 2)]
    assert kept == [b"one", b"nor"]


def test_a_file_that_is_none_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).mkdir()
    with pytest.raises(ConfigError, match=r"journal\.db: cannot be used: Is a directory"):
        open_database(tmp_path)


def test_a_newer_file_is_refused_and_stays_as_it_is(tmp_path: Path) -> None:
    file = fill(tmp_path)
    with closing(sqlite3.connect(file)) as db:
        db.execute("PRAGMA user_version = 99")
    before = file.read_bytes()
    with pytest.raises(ConfigError, match="schema 99"):
        open_database(tmp_path)
    assert file.read_bytes() == before


def test_a_disk_that_fails_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise failure(sqlite3.SQLITE_IOERR_READ, "disk I/O error")

    monkeypatch.setattr(database, "migrate", refuse)
    with pytest.raises(StoreError, match="the disk fails to read or write"):
        open_database(tmp_path)


def test_a_disk_that_damages_the_new_one_too_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise failure(sqlite3.SQLITE_CORRUPT, "malformed")

    monkeypatch.setattr(database, "migrate", refuse)
    with pytest.raises(StoreError, match="the journal is damaged"):
        open_database(tmp_path)


def test_an_old_sqlite_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 36, 0))
    with pytest.raises(ConfigError, match=r"3\.37 or newer is needed"):
        open_database(tmp_path)


def test_a_disk_without_shared_memory_costs_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Old(sqlite3.Connection):
        def execute(self, sql: str, *rest: object) -> sqlite3.Cursor:
            return super().execute(sql.replace("= WAL", "= DELETE"))

    real = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *a, **k: real(*a, **k, factory=Old))
    open_database(tmp_path).close()
    assert "SQLite goes on in mode delete" in caplog.text


# ---- words ----


def failure(code: int, text: str) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError(text)
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (sqlite3.SQLITE_FULL, "the disk is full"),
        (sqlite3.SQLITE_READONLY_DBMOVED, "the disk is read-only"),
        (sqlite3.SQLITE_IOERR_FSYNC, "the disk fails to read or write"),
        (sqlite3.SQLITE_BUSY, "another program holds the journal"),
    ],
)
def test_what_the_disk_does_is_said_in_words(code: int, words: str) -> None:
    error = failure(code, "disk I/O error")
    assert is_outage(error)
    assert str(said_by_sqlite(error, Path("/x/journal.db"))) == f"/x/journal.db: {words}"


def test_a_fault_of_ours_is_no_outage() -> None:
    assert not is_outage(failure(sqlite3.SQLITE_CONSTRAINT_UNIQUE, "UNIQUE"))
    assert not is_outage(sqlite3.ProgrammingError("Cannot operate on a closed database."))
    assert not is_outage(OSError())


def test_what_has_no_words_is_said_in_those_of_sqlite() -> None:
    assert said_by_sqlite(sqlite3.ProgrammingError("odd"), Path("/x")).message == "SQLite says: odd"
