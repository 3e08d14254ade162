"""What an outage keeps from the disk is written again, in its order, and what is our own fault is not."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from openab_sync.errors import StoreError
from openab_sync.store import Store, journal
from openab_sync.store import insistent as insistent_module
from openab_sync.store.insistent import Insistent
from tests.store.outage import hanging, outage
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


def full() -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorcode = sqlite3.SQLITE_FULL
    return error


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
    until(lambda: insistent.owes == 0)
    assert numbers(store) == [0, 1, 2, 3, 4]


def test_an_outage_that_ends_between_commits_changes_no_order(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second is in the journal's queue already when the first one fails."""
    monkeypatch.setattr(journal, "_MOST", 1)
    insistent = Insistent(store)
    with hanging(store) as gate, outage(store):
        first = insistent.write(add(1))
        first.add_done_callback(lambda _: store._db.execute("PRAGMA query_only = OFF"))
        second = insistent.write(add(2))
        gate.set()
        assert isinstance(first.exception(PATIENCE), StoreError)
        second.result(PATIENCE)
    assert numbers(store) == [1, 2]


def test_what_comes_later_in_the_same_commit_does_not_overtake(store: Store) -> None:
    """The disk takes less than all of a transaction: it is full, and then it is not."""
    insistent, fails = Insistent(store), iter([True, False])

    def once(db: sqlite3.Connection) -> None:
        if next(fails):
            raise full()
        add(1)(db)

    with hanging(store):
        first, rest = insistent.write(once), [insistent.write(add(number)) for number in (2, 3)]
    assert isinstance(first.exception(PATIENCE), StoreError)
    assert [one.result(PATIENCE) for one in rest] == [None, None]
    assert numbers(store) == [1, 2, 3]


def test_what_is_done_again_because_the_disk_undid_it_is_made_once(store: Store) -> None:
    """The disk does not take the first of a commit, takes the second, and undoes all of it with the third."""
    insistent, fails = Insistent(store), iter([True, False, False, False])

    def once(db: sqlite3.Connection) -> None:
        if next(fails):
            raise full()
        add(1)(db)

    def undo(db: sqlite3.Connection) -> None:
        db.execute("ROLLBACK")
        raise full()

    with hanging(store):
        first, second, third = insistent.write(once), insistent.write(add(2)), store.write(undo)
    assert (first.result(PATIENCE), second.result(PATIENCE)) == (None, None)
    assert isinstance(third.exception(PATIENCE), StoreError)
    insistent.settle()
    until(lambda: insistent.owes == 0)
    assert numbers(store) == [1, 2]


def test_while_the_disk_is_away_a_write_tries_one_more_change_however_many_are_owed(store: Store) -> None:
    insistent, tries = Insistent(store), list[int]()

    def counted(number: int) -> Callable[[sqlite3.Connection], None]:
        def change(db: sqlite3.Connection) -> None:
            tries.append(number)
            add(number)(db)

        return change

    with outage(store):
        for number in range(50):
            assert insistent.write(counted(number)).exception(PATIENCE)
    assert len(tries) <= 50
    insistent.write(counted(50)).result(PATIENCE)
    assert numbers(store) == list(range(51))
    assert store.commits < 20, "not each in a commit of its own"


def test_what_is_wrong_does_not_keep_what_is_owed_with_it(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    insistent = Insistent(store)

    def wrong(db: sqlite3.Connection) -> None:
        raise LookupError("x")

    with outage(store):
        for change in (add(1), add(2), wrong, add(3)):
            assert insistent.write(change).exception(PATIENCE)
    insistent.write(add(4)).result(PATIENCE)
    assert (numbers(store), insistent.owes) == ([1, 2, 3, 4], 0)
    assert "a bug" in caplog.text


def test_of_too_much_the_oldest_is_given_up_and_that_is_logged_once(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(insistent_module, "_MOST", 3)
    insistent = Insistent(store)
    with outage(store):
        for number in range(6):
            assert insistent.write(add(number)).exception(PATIENCE)
    insistent.write(add(6)).result(PATIENCE)
    assert numbers(store)[-1] == 6
    assert numbers(store)[0] >= 3
    assert caplog.text.count("are given up") == 1


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
    assert numbers(store) == [1, 2]


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
        for number in range(5):
            assert insistent.write(add(number)).exception(PATIENCE)
    assert store.close()
    again = Store.open(tmp_path)
    assert numbers(again) == [0, 1, 2, 3, 4]
    assert again.close()
