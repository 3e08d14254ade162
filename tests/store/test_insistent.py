"""What an outage keeps from the disk is written again, in its order, and what is our own fault is not."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from openab_sync.errors import StoreError
from openab_sync.store import Store, journal
from openab_sync.store.insistent import Insistent
from tests.store.outage import outage
from tests.waiting import until

PATIENCE = 10.0


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store.open(tmp_path)
    store.write(lambda db: db.execute("CREATE TABLE t (x INTEGER)")).result(PATIENCE)
    yield store
    assert store.close()


def add(number: int) -> Callable[[sqlite3.Connection], None]:
    def change(db: sqlite3.Connection) -> None:
        db.execute("INSERT INTO t VALUES (?)", (number,))

    return change


def numbers(store: Store) -> list[int]:
    return [row[0] for row in store.read(lambda db: db.execute("SELECT x FROM t ORDER BY rowid").fetchall())]


def test_what_an_outage_kept_is_written_before_what_comes_next(store: Store) -> None:
    insistent = Insistent(store)
    with outage(store):
        failed = [insistent.write(add(1)), insistent.write(add(2))]
        assert [isinstance(one.exception(PATIENCE), StoreError) for one in failed] == [True, True]
        assert insistent.owes == 2
    insistent.write(add(3)).result(PATIENCE)
    assert numbers(store) == [1, 2, 3]
    assert insistent.owes == 0


def test_an_outage_that_lasts_loses_nothing_and_no_order(store: Store) -> None:
    insistent = Insistent(store)
    with outage(store):
        for number in range(5):
            insistent.write(add(number)).exception(PATIENCE)
        insistent.settle()
        until(lambda: insistent.owes == 5)
    insistent.settle()
    assert numbers(store) == [0, 1, 2, 3, 4]


def test_a_change_that_is_wrong_is_not_repeated(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    insistent = Insistent(store)

    def wrong(db: sqlite3.Connection) -> None:
        raise LookupError("x")

    assert isinstance(insistent.write(wrong).exception(PATIENCE), LookupError)
    insistent.write(add(1)).result(PATIENCE)
    assert (numbers(store), insistent.owes) == ([1], 0)
    assert "a bug" in caplog.text


def test_what_somebody_no_longer_waits_for_is_written_all_the_same(store: Store) -> None:
    insistent = Insistent(store)
    insistent.write(add(1)).cancel()
    insistent.write(add(2)).result(PATIENCE)
    insistent.settle()
    assert sorted(numbers(store)) == [1, 2]


def test_what_an_outage_kept_is_written_though_nobody_writes_any_more(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a message that was answered would be taken for one that waits, after a restart."""
    monkeypatch.setattr(journal, "_AGAIN", 0.02)
    insistent = Insistent(store)
    with outage(store):
        assert insistent.write(add(1)).exception(PATIENCE)
    until(lambda: not insistent.owes and not store.trouble)
    assert numbers(store) == [1]


def test_what_an_outage_kept_is_tried_once_more_at_the_end(store: Store, tmp_path: Path) -> None:
    insistent = Insistent(store)
    with outage(store):
        assert insistent.write(add(1)).exception(PATIENCE)
    assert store.close()
    again = Store.open(tmp_path)
    assert numbers(again) == [1]
    assert again.close()
