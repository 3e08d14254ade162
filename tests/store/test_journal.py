"""The journal: what is reported is kept, one bad change harms nobody else, and a failing disk is survived."""

from __future__ import annotations

import math
import resource
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest

from openab_sync.errors import ConfigError, StoreError
from openab_sync.store import Store, journal
from openab_sync.store.place import LOCK_NAME
from openab_sync.threads import spawn
from tests.waiting import until

PATIENCE = 10.0


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store.open(tmp_path / "state")
    store.write(lambda db: db.execute("CREATE TABLE t (x INTEGER PRIMARY KEY, y TEXT)")).result(PATIENCE)
    yield store
    assert store.close()


def add(number: int, text: str = "") -> Callable[[sqlite3.Connection], int]:
    def change(db: sqlite3.Connection) -> int:
        db.execute("INSERT INTO t VALUES (?, ?)", (number, text))
        return number

    return change


def numbers(store: Store) -> list[int]:
    return [row[0] for row in store.read(lambda db: db.execute("SELECT x FROM t ORDER BY x").fetchall())]


class Held:
    """Keeps the journal's thread inside a change, so that what is written meanwhile has to wait."""

    def __init__(self, store: Store) -> None:
        self._inside, self._go = threading.Event(), threading.Event()
        self.done = store.write(self._change)
        assert self._inside.wait(PATIENCE)

    def _change(self, _: sqlite3.Connection) -> None:
        self._inside.set()
        assert self._go.wait(PATIENCE)

    def release(self) -> None:
        self._go.set()


def outcome(done: Future[int]) -> int | str:
    error = done.exception(PATIENCE)
    return done.result() if error is None else type(error).__name__


# ---- kept ----


def test_a_change_is_kept_and_its_result_reported(store: Store) -> None:
    assert store.write(add(1)).result(PATIENCE) == 1
    assert numbers(store) == [1]


def test_what_was_written_is_there_after_a_restart(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    store.write(lambda db: db.execute("CREATE TABLE t (x INTEGER PRIMARY KEY, y TEXT)"))
    store.write(add(7))
    assert store.close(), "what waits is written first"
    again = Store.open(tmp_path)
    assert numbers(again) == [7]
    assert again.close()


def test_changes_run_in_the_order_in_which_they_came(store: Store) -> None:
    held, order = Held(store), []
    waiting = [store.write(lambda _, n=n: order.append(n)) for n in range(50)]  # type: ignore[misc]  # n is bound
    held.release()
    for done in waiting:
        done.result(PATIENCE)
    assert order == list(range(50))


def test_what_waits_goes_into_one_commit(store: Store) -> None:
    held = Held(store)
    waiting = [store.write(add(n)) for n in range(100)]
    before = store.commits
    held.release()
    assert [done.result(PATIENCE) for done in waiting] == list(range(100))
    assert store.commits - before == 2, "the one that was held, and one for a hundred"
    assert (store.changes, repr(store).endswith("changes=102 commits=3>")) == (102, True)


def test_a_commit_is_bounded(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "_MOST", 10)
    held = Held(store)
    waiting = [store.write(add(n)) for n in range(25)]
    before = store.commits
    held.release()
    for done in waiting:
        done.result(PATIENCE)
    assert store.commits - before == 1 + 3


def test_many_threads_write_at_once(store: Store) -> None:
    reported: list[int] = []

    def work(first: int) -> None:
        reported.extend(store.write(add(number)).result(PATIENCE) for number in range(first, first + 100))

    threads = [spawn(f"writer-{n}", lambda n=n: work(n * 100)) for n in range(8)]  # type: ignore[misc]  # n is bound
    for thread in threads:
        thread.join(PATIENCE)
    assert sorted(reported) == numbers(store) == list(range(800))
    assert store.commits < store.changes


def test_a_callback_runs_after_the_commit(store: Store) -> None:
    seen: list[int] = []
    looked = threading.Event()

    def look(_: object) -> None:
        with sqlite3.connect(store.folder / "journal.db") as other:
            seen.extend(row[0] for row in other.execute("SELECT x FROM t"))
        other.close()
        looked.set()

    store.write(add(1)).add_done_callback(look)
    assert looked.wait(PATIENCE)
    assert seen == [1]


# ---- a bad change ----


def test_a_change_that_fails_is_undone_alone(store: Store) -> None:
    def half(db: sqlite3.Connection) -> int:
        db.execute("INSERT INTO t VALUES (50, '')")
        raise LookupError

    held = Held(store)
    waiting = [store.write(change) for change in (add(1), half, add(1), add(2))]
    held.release()
    assert [outcome(done) for done in waiting] == [1, "LookupError", "IntegrityError", 2]
    assert numbers(store) == [1, 2]


def test_a_change_that_undoes_everything_fails_alone_all_the_same(store: Store) -> None:
    def undo(db: sqlite3.Connection) -> int:
        db.execute("INSERT OR ROLLBACK INTO t VALUES (1, '')")
        return 0

    held = Held(store)
    waiting = [store.write(change) for change in (add(1), add(2), undo, add(3))]
    held.release()
    assert [outcome(done) for done in waiting] == [1, 2, "IntegrityError", 3]
    assert numbers(store) == [1, 2, 3]


def test_a_change_that_was_cancelled_does_not_run(store: Store) -> None:
    held = Held(store)
    waiting = store.write(add(1))
    assert waiting.cancel()
    held.release()
    assert numbers(store) == []


def test_a_callback_that_fails_harms_nobody(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    held = Held(store)
    done = store.write(add(1))
    done.add_done_callback(lambda _: 1 // 0)
    held.release()
    assert store.write(add(2)).result(PATIENCE) == 2
    assert "exception calling callback" in caplog.text


# ---- a failing disk ----


def limit(store: Store, pages: int) -> None:
    store.write(lambda db: db.execute(f"PRAGMA max_page_count = {pages}").fetchone()).result(PATIENCE)


def test_a_full_disk_is_told_logged_once_and_recovered_from(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    limit(store, 1)  # SQLite takes what is used already
    held = Held(store)
    waiting = [store.write(add(n, "x" * 500_000)) for n in range(3)]
    held.release()
    for done in waiting:
        with pytest.raises(StoreError, match="the disk is full") as caught:
            done.result(PATIENCE)
        assert str(store.folder) not in caught.value.user_text()
    assert caplog.text.count("tried again with every change") == 1
    limit(store, 1_000_000)
    assert store.write(add(9, "x" * 500_000)).result(PATIENCE) == 9
    assert (numbers(store), "can be written again" in caplog.text) == ([9], True)


def test_a_disk_that_does_not_take_the_commit_fails_all_of_it_and_is_recovered_from(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    held = Held(store)
    waiting = [store.write(add(n, "x" * 50_000)) for n in range(3)]
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        held.release()
        errors = [done.exception(PATIENCE) for done in waiting]
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [type(error) for error in errors] == [StoreError] * 3
    assert held.done.exception(PATIENCE) is None, "it wrote nothing"
    assert store.write(add(9)).result(PATIENCE) == 9
    assert numbers(store) == [9]
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]


def test_a_commit_that_is_refused_keeps_nothing_and_leaves_nothing_open(store: Store) -> None:
    def orphan(db: sqlite3.Connection) -> None:
        db.execute("CREATE TABLE parents (id INTEGER PRIMARY KEY)")
        db.execute("CREATE TABLE children (parent INTEGER REFERENCES parents DEFERRABLE INITIALLY DEFERRED)")
        db.execute("INSERT INTO children VALUES (1)")  # found out at the commit

    with pytest.raises(StoreError, match="FOREIGN KEY"):
        store.write(orphan).result(PATIENCE)
    assert store.write(add(1)).result(PATIENCE) == 1
    assert store.read(lambda db: db.execute("SELECT name FROM sqlite_schema WHERE name = 'children'").fetchall()) == []


def test_a_disk_that_fails_at_undoing_leaves_nobody_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object) -> None:
        raise sqlite3.OperationalError("cannot rollback")

    monkeypatch.setattr(Store, "_undo", refuse)
    store = Store.open(tmp_path)
    store.write(lambda db: db.execute("PRAGMA foreign_keys = OFF")).result(PATIENCE)
    held = Held(store)
    waiting = [store.write(change) for change in (_close, lambda _: 1)]
    held.release()
    with pytest.raises(StoreError, match="the journal has stopped"):
        waiting[1].result(PATIENCE)
    assert store.close()
    assert "the journal has stopped: a bug" in caplog.text
    with pytest.raises(StoreError, match="is closed"):
        store.write(lambda _: 1).result(PATIENCE)


def _close(db: sqlite3.Connection) -> None:
    db.close()  # whatever comes after it fails


# ---- one at a time, and the end ----


def test_one_broker_a_store(store: Store) -> None:
    with pytest.raises(StoreError, match="is in use by another openab-sync"):
        Store.open(store.folder)


def test_a_store_that_cannot_be_opened_holds_nothing(tmp_path: Path) -> None:
    (tmp_path / "journal.db").mkdir()
    for _ in range(2):
        with pytest.raises(ConfigError, match="cannot be used"):
            Store.open(tmp_path)
    (tmp_path / "journal.db").rmdir()
    assert Store.open(tmp_path).close()


def test_its_end_leaves_nothing_open_and_refuses_what_comes(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    assert "open" in repr(store)
    assert store.close()
    assert store.close(), "again: nothing to do"
    with pytest.raises(StoreError, match="the journal is closed"):
        store.write(add(1)).result(PATIENCE)
    with pytest.raises(StoreError):
        store.read(add(1))
    assert "closed" in repr(store)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["journal.db", LOCK_NAME], "its log is in the file"


def test_what_is_written_while_it_ends_is_kept_or_refused_and_never_forgotten(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    store.write(lambda db: db.execute("CREATE TABLE t (x INTEGER PRIMARY KEY, y TEXT)")).result(PATIENCE)
    begun, done = threading.Event(), []

    def work() -> None:
        for number in range(3000):
            done.append(store.write(add(number)))
            begun.set()

    writer = spawn("writer", work)
    assert begun.wait(PATIENCE)
    assert store.close()
    writer.join(PATIENCE)
    kept = [number for number, future in enumerate(done) if future.exception(PATIENCE) is None]
    again = Store.open(tmp_path)
    assert numbers(again) == kept == list(range(len(kept)))
    assert again.close()


def test_a_disk_that_hangs_does_not_hold_up_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(journal, "_PATIENCE", 0.01)
    store = Store.open(tmp_path)
    held = Held(store)
    assert not store.close()
    with pytest.raises(StoreError, match="is in use"):
        Store.open(tmp_path)
    assert "thread journal did not end" in caplog.text
    held.release()
    monkeypatch.setattr(journal, "_PATIENCE", PATIENCE)
    assert store.close()


# ---- seen from outside ----


def test_it_tells_how_long_each_commit_took_and_owes_a_sign_only_while_it_works(store: Store) -> None:
    seconds: list[float] = []
    store.timed = seconds.append
    held = Held(store)
    assert store.beat.due < math.inf
    held.release()
    store.write(add(1)).result(PATIENCE)
    until(lambda: store.beat.due == math.inf)
    assert seconds and all(0 <= one < PATIENCE for one in seconds)


def test_an_outage_is_a_trouble_until_it_is_over(store: Store) -> None:
    assert store.trouble == ""

    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorcode = sqlite3.SQLITE_FULL

    def full(db: sqlite3.Connection) -> None:
        raise error

    store.write(full).exception(PATIENCE)
    assert "cannot be written" in store.trouble
    assert store.read(lambda db: db.execute("SELECT 1").fetchone()) == (1,)
    assert "cannot be written" in store.trouble, "what has written nothing says nothing of the disk"
    store.write(add(1)).result(PATIENCE)
    assert store.trouble == ""


def test_a_disk_that_does_not_answer_is_a_trouble(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    gate, begun = threading.Event(), threading.Event()
    monkeypatch.setattr(journal, "_SLOW", -60.0)  # it should have been back a minute ago

    def hang(_: object) -> None:
        begun.set()
        gate.wait(PATIENCE)

    done = store.write(hang)
    assert begun.wait(PATIENCE)
    assert "does not answer" in store.trouble
    gate.set()
    done.result(PATIENCE)
    until(lambda: store.trouble == "")


def test_while_a_disk_hangs_what_can_be_refused_is_refused_beyond_a_bound(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "_FULL", 3)
    held = Held(store)
    waiting = [store.try_write(add(number)) for number in range(3)]
    refused = store.try_write(add(3)).exception(0)
    assert isinstance(refused, StoreError) and "too much waits" in str(refused)
    kept = store.write(add(4))
    held.release()
    assert [outcome(one) for one in (*waiting, kept)] == [0, 1, 2, 4]
    assert outcome(store.try_write(add(5))) == 5
    assert numbers(store) == [0, 1, 2, 4, 5]
