"""The book of memories: what is held, what is kept beyond the process, and what is forgotten."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from concurrent.futures import Future

from openab_sync.core.house import Memory
from openab_sync.core.memories import Memories
from openab_sync.errors import StoreError


class FakeShelf:
    """Keeps what it is told, or fails as long as `error` is set. It looks when `work` is called, as a disk would."""

    def __init__(self, **kept: Memory) -> None:
        self.kept = kept
        self.error: Exception | None = None
        self._todo: list[tuple[set[str], Callable[[str], Memory | None], Future[None]]] = []

    def read(self) -> Iterable[tuple[str, Memory]]:
        return list(self.kept.items())

    def save(self, keys: Collection[str], look: Callable[[str], Memory | None]) -> Future[None]:
        done: Future[None] = Future()
        self._todo.append((set(keys), look, done))
        return done

    def work(self) -> list[set[str]]:
        """Do what was asked; return which keys."""
        todo, self._todo = self._todo, []
        for keys, look, done in todo:
            if self.error is not None:
                done.set_exception(self.error)
                continue
            for key in keys:
                memory = look(key)
                self.kept.pop(key, None)
                if memory is not None:
                    self.kept[key] = memory
            done.set_result(None)
        return [keys for keys, _, _ in todo]


def test_a_session_is_remembered_by_one_conversation_only() -> None:
    memories = Memories()
    for key, memory in {"a": Memory("one"), "b": Memory("two"), "c": Memory(None)}.items():
        memories.put(key, memory)
    memories.put("c", Memory("one"))
    assert memories.of("a") == Memory(archive=("one",)), "it had one"
    assert memories.of("c") == Memory("one")
    memories.put("x", Memory(None))
    memories.put("b", None)
    assert memories.of("b") == Memory()
    memories.put("d", Memory("two"))  # nobody's any more
    assert len(memories) == 3, "what says nothing is not kept"


def test_the_longest_unused_is_forgotten_first() -> None:
    memories = Memories(most=2)
    memories.put("a", Memory("one"))
    memories.put("b", Memory("two"))
    memories.put("a", Memory("one"))
    memories.put("c", Memory("three"))
    assert memories.of("b") == Memory()
    assert memories.of("a") == Memory("one")
    assert repr(memories) == "<Memories 2>"


def test_what_a_shelf_keeps_is_there_from_the_start_and_not_written_again() -> None:
    shelf = FakeShelf(a=Memory("one"), b=Memory("two"))
    memories = Memories(shelf)
    assert memories.of("a") == Memory("one")
    memories.save()
    assert shelf.work() == []


def test_what_changed_is_kept_as_it_is_when_it_is_kept() -> None:
    shelf = FakeShelf(b=Memory("two"))
    memories = Memories(shelf)
    memories.put("a", Memory("one"))
    memories.put("b", None)
    memories.save()
    memories.put("a", Memory("later"))
    assert shelf.work() == [{"a", "b"}]
    assert shelf.kept == {"a": Memory("later")}
    memories.save()
    assert shelf.work() == [{"a"}]


def test_what_could_not_be_kept_is_tried_again_with_the_next_change() -> None:
    shelf = FakeShelf()
    memories = Memories(shelf)
    memories.put("a", Memory("one"))
    memories.save()
    shelf.error = StoreError("the disk is full")
    shelf.work()
    shelf.error = None
    memories.put("b", Memory("two"))
    memories.save()
    assert shelf.work() == [{"a", "b"}]
    assert shelf.kept == {"a": Memory("one"), "b": Memory("two")}


def test_what_was_not_used_for_long_is_forgotten_but_for_what_is_in_use() -> None:
    memories = Memories()
    for key, used in (("old", 1.0), ("busy", 1.0), ("young", 9.0)):
        memories.put(key, Memory(f"session of {key}", used=used))
    memories.forget_before(5.0, lambda key: key == "busy")
    assert [memories.of(key).acp_session_id is None for key in ("old", "busy", "young")] == [True, False, False]
