"""Up to where places have been read: in memory at once, after a restart too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from openab_sync.store import Cursor, Cursors, Store

ONE = Cursor("discord:1", "10", within="2", guild="3")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store.open(tmp_path)
    yield store
    assert store.close()


def test_of_an_unknown_place_nothing_is_known(store: Store) -> None:
    cursors = Cursors(store)
    assert cursors.get("discord:1") is None
    assert repr(cursors) == "<Cursors 0>"


def test_what_is_known_survives_a_restart(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    Cursors(store).put(ONE)
    assert store.close()
    store = Store.open(tmp_path)
    assert list(Cursors(store)) == [ONE]
    assert store.close()


def test_what_is_the_same_costs_no_writing(store: Store) -> None:
    cursors = Cursors(store)
    cursors.put(ONE)
    store.read(lambda _: None)
    before = store.changes
    cursors.put(ONE)
    store.read(lambda _: None)
    assert store.changes == before + 1, "the reading only"


def test_a_place_that_is_gone_is_forgotten_for_good(store: Store) -> None:
    cursors = Cursors(store)
    cursors.put(ONE)
    cursors.forget("discord:1")
    cursors.forget("discord:2")
    assert list(Cursors(store)) == []


def test_a_cursor_knows_its_place() -> None:
    assert ONE.place == 1
