"""A table in memory and on the disk: the same in both, whatever the disk did meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openab_sync.errors import StoreError
from openab_sync.store import Store, journal
from openab_sync.store.mirror import Mirror, Row, Table
from openab_sync.threads import spawn

PATIENCE = 10.0
TABLE: Table[str] = Table("words", ("key", "word"), lambda word: (word[0], word), lambda row: str(row[1]))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store.open(tmp_path)
    empty(store)
    yield store
    assert store.close()


def empty(store: Store) -> None:
    def change(db: object) -> None:
        assert hasattr(db, "execute")
        db.execute("DROP TABLE IF EXISTS words")
        db.execute("CREATE TABLE words (key TEXT PRIMARY KEY, word TEXT NOT NULL, touched INTEGER NOT NULL) STRICT")

    store.write(change).result(PATIENCE)


def mirror(store: Store, most: int = 100) -> Mirror[str]:
    return Mirror(store, TABLE, most)


def on_disk(store: Store) -> list[Row]:
    return store.read(lambda db: db.execute("SELECT key, word FROM words ORDER BY touched").fetchall())


def test_what_is_put_is_there_at_once_and_on_the_disk_soon(store: Store) -> None:
    words = mirror(store)
    words.put("a", "apple")
    words.put("b", "bear")
    words.put("a", "ant")
    assert (words.get("a"), words.get("x"), len(words)) == ("ant", None, 2)
    assert on_disk(store) == [("b", "bear"), ("a", "ant")]
    assert list(mirror(store)) == [("b", "bear"), ("a", "ant")]


def test_what_is_dropped_is_gone_from_both(store: Store) -> None:
    words = mirror(store)
    words.put("a", "apple")
    words.drop("a", "never there")
    words.drop("a")
    assert (words.get("a"), on_disk(store)) == (None, [])


def test_only_the_newest_are_held_and_on_the_disk_too(store: Store) -> None:
    words = mirror(store, most=2)
    for word in ("apple", "bear", "ant", "cat"):
        words.put(word[0], word)
    assert list(words) == [("a", "ant"), ("c", "cat")]
    assert on_disk(store) == list(words)


def test_a_smaller_limit_forgets_the_oldest_when_it_is_read(store: Store) -> None:
    words = mirror(store)
    for word in ("apple", "bear", "cat"):
        words.put(word[0], word)
    assert list(mirror(store, most=2)) == [("b", "bear"), ("c", "cat")]
    assert on_disk(store) == [("b", "bear"), ("c", "cat")]


def test_what_the_disk_did_not_take_goes_with_the_next_change(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    words = mirror(store)
    words.put("d", "dog")

    def refuse(_: object) -> Future[None]:
        failed: Future[None] = Future()
        failed.set_exception(StoreError("the disk is full"))
        return failed

    with monkeypatch.context() as patch:
        patch.setattr(store, "write", refuse)
        words.put("a", "apple")
        words.drop("d")
    assert (words.get("a"), words.get("d")) == ("apple", None)
    assert on_disk(store) == [("d", "dog")]
    words.put("b", "bear")
    assert sorted(on_disk(store)) == [("a", "apple"), ("b", "bear")]


def test_a_key_that_is_held_is_seen_at_every_moment(store: Store) -> None:
    words = mirror(store)
    words.put("a", "apple")
    missing, stop = [], threading.Event()

    def look() -> None:
        while not stop.is_set():
            if words.get("a") is None:
                missing.append(1)

    looker = spawn("looker", look)
    for _ in range(2000):
        words.put("a", "apple")
    stop.set()
    looker.join(PATIENCE)
    assert missing == []


STEPS = st.lists(st.tuples(st.booleans(), st.sampled_from(["a1", "a2", "b1", "b2", "c1", "d1"])), max_size=20)


def test_memory_and_disk_are_the_same_after_any_steps(store: Store) -> None:
    @given(STEPS)
    def check(steps: list[tuple[bool, str]]) -> None:
        empty(store)
        words, expected = mirror(store, most=3), dict[str, str]()
        for is_put, word in steps:
            expected.pop(word[0], None)
            if is_put:
                expected[word[0]] = word
                words.put(word[0], word)
            else:
                words.drop(word[0])
            expected = dict(list(expected.items())[-3:])
        assert list(words) == list(expected.items()) == on_disk(store) == list(mirror(store, most=3))

    check()


def test_what_a_disk_that_hangs_keeps_out_goes_with_the_next_change(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = mirror(store)
    monkeypatch.setattr(journal, "_FULL", 0)
    words.put("a", "apple")
    assert (words.get("a"), on_disk(store)) == ("apple", [])
    monkeypatch.undo()
    words.put("b", "bear")
    assert sorted(on_disk(store)) == [("a", "apple"), ("b", "bear")]
