"""What is kept of how conversations are taken up again: on the disk soon, in the order of use, not for ever."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from openab_sync.errors import StoreError
from openab_sync.store import Memory, MemoryShelf, Store
from openab_sync.store import memories as module
from openab_sync.store.memories import KEPT, MOST_OLD
from tests.fakes.clock import FakeClock

NOW = FakeClock().time()
FULL = Memory("secret-id", (("model", "big"), ("fast", True)), "/work", "demo", NOW, ("older-id",))
EARLIER = Memory("other-id", used=NOW - 9.0)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store.open(tmp_path)
    yield store
    assert store.close()


def keep(shelf: MemoryShelf, **memories: Memory | None) -> None:
    shelf.save(memories, memories.get).result(5)


def shelf_of(store: Store) -> MemoryShelf:
    return MemoryShelf(store, FakeClock())


def test_what_is_kept_survives_a_restart_as_it_was(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    keep(shelf_of(store), b=FULL, a=EARLIER)
    assert store.close()
    store = Store.open(tmp_path)
    assert shelf_of(store).read() == [("a", EARLIER), ("b", FULL)]
    assert store.close()


def test_what_is_written_is_what_is_so_when_it_is_written(store: Store) -> None:
    """Two threads may save in either order: the last word is the newest."""
    held: dict[str, Memory] = {}
    shelf = shelf_of(store)
    shelf.save(["a"], held.get)
    held["a"] = FULL
    shelf.save(["a"], held.get).result(5)
    assert shelf.read() == [("a", FULL)]
    keep(shelf, a=None)
    assert shelf.read() == []


def test_what_was_not_used_for_long_is_forgotten(store: Store) -> None:
    """FIELD D4."""
    clock = FakeClock()
    shelf = MemoryShelf(store, clock)
    keep(shelf, old=Memory("x", used=clock.time()), new=Memory("y", used=clock.time() + 10))
    clock.advance(KEPT + 5)
    assert [key for key, _ in shelf.read()] == ["new"]


def test_only_so_many_are_kept(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 2)
    shelf = shelf_of(store)
    keep(shelf, a=Memory("x", used=NOW - 3), b=Memory("y", used=NOW - 1), c=Memory("z", used=NOW - 2))
    assert [key for key, _ in shelf.read()] == ["c", "b"]


def test_no_repr_gives_a_session_away() -> None:
    """FIELD I7."""
    assert "secret-id" not in repr(FULL)
    assert "older-id" not in repr(FULL)


def test_a_session_that_is_not_taken_up_again_goes_to_the_archive() -> None:
    assert FULL.archived().acp_session_id is None
    assert FULL.archived().archive == ("secret-id", "older-id")
    assert Memory().archived() == Memory()
    memory = Memory()
    for number in range(MOST_OLD + 5):
        memory = Memory(f"id-{number}", archive=memory.archive).archived()
    assert len(memory.archive) == MOST_OLD
    assert memory.archive[0] == f"id-{MOST_OLD + 4}"


def test_a_store_that_is_closed_says_so(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    shelf = shelf_of(store)
    assert store.close()
    assert isinstance(shelf.save(["a"], lambda _: FULL).exception(5), StoreError)
