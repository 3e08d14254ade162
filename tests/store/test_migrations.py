"""The tables: every step from nothing to now, each whole or not at all; what is not ours is refused untouched."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest

from openab_sync.errors import ConfigError
from openab_sync.store import migrations
from openab_sync.store.migrations import MIGRATIONS, examine, migrate


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    yield connection
    connection.close()


def version(db: sqlite3.Connection) -> int:
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def tables(db: sqlite3.Connection) -> dict[str, str]:
    return dict(db.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'table'"))


def test_from_nothing_to_now(db: sqlite3.Connection) -> None:
    examine(db, "x.db")
    migrate(db)
    examine(db, "x.db")
    assert version(db) == len(MIGRATIONS)
    migrate(db)
    assert version(db) == len(MIGRATIONS), "again: nothing to do"


def test_every_table_is_strict(db: sqlite3.Connection) -> None:
    migrate(db)
    assert [name for name, sql in tables(db).items() if "STRICT" not in sql.rpartition(")")[2]] == ["sqlite_sequence"]
    assert {"conversations", "buttons"} <= set(tables(db))


@pytest.mark.parametrize("start", range(len(MIGRATIONS)))
def test_from_every_older_version_the_same_comes_out(db: sqlite3.Connection, start: int) -> None:
    fresh = sqlite3.connect(":memory:", isolation_level=None)
    migrate(fresh)
    for statements in MIGRATIONS[:start]:
        for statement in statements:
            db.execute(statement)
    db.execute(f"PRAGMA user_version = {start}")
    migrate(db)
    assert (tables(db), version(db)) == (tables(fresh), version(fresh))
    fresh.close()


def test_a_step_that_fails_leaves_nothing_of_itself(db: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    migrate(db)
    broken = ("CREATE TABLE half (x TEXT) STRICT", "this is no SQL")
    monkeypatch.setattr(migrations, "MIGRATIONS", (*MIGRATIONS, broken))
    with pytest.raises(sqlite3.OperationalError):
        migrate(db)
    assert version(db) == len(MIGRATIONS)
    assert "half" not in tables(db)
    assert not db.in_transaction


def test_a_newer_schema_is_refused_in_one_sentence(db: sqlite3.Connection) -> None:
    db.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    with pytest.raises(ConfigError, match="was written by a newer openab-sync") as caught:
        examine(db, "/state/journal.db")
    assert str(caught.value).startswith("/state/journal.db: ")
    assert "run that version" in str(caught.value)


def test_a_database_of_something_else_is_refused(db: sqlite3.Connection) -> None:
    db.execute("CREATE TABLE theirs (x)")
    with pytest.raises(ConfigError, match="is a database of something else"):
        examine(db, "x.db")
    assert set(tables(db)) == {"theirs"}
