"""What was said, found by whose it is and by its age, and deleted."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from openab_sync.store import (
    Books,
    End,
    Fact,
    FileRow,
    Keeping,
    Known,
    Memory,
    PageRow,
    Store,
    Theirs,
    keeping,
    open_books,
)
from openab_sync.store.database import open_for_reading
from tests.fakes.clock import FakeClock

NOBODY = Theirs()


class Desk:
    """A store in which people have written."""

    def __init__(self, store: Store) -> None:
        self.store, self.clock = store, FakeClock()
        self.books: Books = open_books(store, self.clock)
        self.keeping = Keeping(store)

    def write(self, conversation: str, author: str, *, ends: bool = True) -> None:
        """Somebody writes; it is answered and all is out, if it `ends`."""
        number, safe = self.books.deliveries.accept(Fact(conversation, f"m-{conversation}-{author}", author, "words"))
        safe.result(10)
        turn = f"turn-{number}"
        self.books.replies.start(turn, conversation, [number]).result(10)
        if ends:
            end = End("done", "", [PageRow(0, "an answer", "p1", is_shown=True)])
            self.books.replies.finish(turn, [number], end).result(10)
            self.books.replies.close(turn, well=True).result(10)

    def of(self, person: str) -> Theirs:
        return self.keeping.of("test", person).result(10)

    def count(self) -> dict[str, int]:
        tables = ("deliveries", "replies", "pages", "files", "buttons", "conversations", "memories")
        return {
            name: self.store.read(lambda db, name=name: db.execute(f"SELECT count(*) FROM {name}").fetchone()[0])  # type: ignore[misc]  # a default
            for name in tables
        }


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    store = Store.open(tmp_path)
    yield Desk(store)
    assert store.close()


def test_what_is_somebody_s_own_is_where_nobody_else_has_written(desk: Desk) -> None:
    desk.write("test:1", "ann")
    desk.write("test:2", "ann")
    desk.write("test:2", "bob")
    desk.write("other:3", "ann")
    assert desk.of("ann") == Theirs(frozenset({"test:1"}), frozenset({"test:2"}))
    assert desk.of("bob") == Theirs(shared=frozenset({"test:2"}))
    assert desk.of("eve") == NOBODY


def test_who_wrote_before_what_is_kept_counts_too(desk: Desk) -> None:
    """Messages are deleted after their days; who took part is known for longer."""
    desk.write("test:1", "ann")
    desk.books.conversations.put(Known("test:1", took_part=True, people=("bob", "ann")))
    desk.books.conversations.put(Known("test:2", took_part=True, people=("ann",)))
    assert desk.of("ann") == Theirs(frozenset({"test:2"}), frozenset({"test:1"}))


def test_what_is_forgotten_leaves_nothing_anywhere(desk: Desk) -> None:
    for key in ("test:1", "test:2"):
        desk.write(key, "ann")
        desk.books.buttons.make("stop", key, {})
        desk.books.conversations.put(Known(key, took_part=True, people=("ann",)))
        desk.books.memories.save([key], lambda _: Memory("a session")).result(10)
    before = desk.count()
    desk.keeping.forget(["test:1"]).result(10)
    assert desk.count() == {name: count // 2 for name, count in before.items()}
    assert desk.of("ann") == Theirs(frozenset({"test:2"}))


@pytest.mark.parametrize("is_read", [False, True])
def test_what_is_forgotten_stands_nowhere_in_the_file_nor_in_its_log(
    desk: Desk, tmp_path: Path, *, is_read: bool
) -> None:
    """Who reads it meanwhile keeps the log, and holds nobody up; it is gone with the next that is forgotten."""
    for key in ("test:1", "test:2"):
        desk.write(key, "ann")
        number, safe = desk.books.deliveries.accept(Fact(key, "m9", "ann", f"a secret of {key}"))
        safe.result(10)
        desk.books.replies.start(f"turn {key}", key, [number])
        desk.books.replies.draw(f"turn {key}", [PageRow(0, f"an answer to {key}" * 100)]).result(10)

    def holds(key: str) -> bool:
        words = (f"a secret of {key}".encode(), f"an answer to {key}".encode())
        return any(word in file.read_bytes() for file in tmp_path.glob("journal.db*") for word in words)

    assert holds("test:1") and holds("test:2")
    with closing(open_for_reading(tmp_path)) as reader:
        if is_read:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM deliveries").fetchone()
        began = time.monotonic()
        desk.keeping.forget(["test:1"]).result(10)
        assert time.monotonic() - began < 4
        assert holds("test:1") == is_read and holds("test:2")
    desk.keeping.forget(["test:2"]).result(10)
    assert not holds("test:1") and not holds("test:2")


def test_what_is_over_goes_after_its_days_and_what_is_not_stays(desk: Desk) -> None:
    desk.write("test:1", "ann")
    desk.write("test:2", "ann", ends=False)
    desk.clock.advance(100)
    desk.write("test:3", "ann")
    assert desk.keeping.forget_before(desk.clock.time() - 50).result(10) is False
    counted = desk.count()
    assert (counted["deliveries"], counted["replies"], counted["pages"]) == (2, 2, 1)
    assert desk.of("ann").own == {"test:2", "test:3"}


def test_so_many_go_at_once_and_it_is_told_that_there_are_more(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "_AT_ONCE", 2)
    for number in range(3):
        desk.write(f"test:{number}", "ann")
    desk.clock.advance(1)
    steps = [desk.keeping.forget_before(desk.clock.time()).result(10) for _ in range(2)]
    assert steps == [True, False]
    assert desk.count()["deliveries"] == 0


def test_what_is_forgotten_is_not_written_again_by_what_comes_later_of_it(desk: Desk) -> None:
    """A thread is deleted while a turn runs there: its end comes afterwards, with all that was said."""
    books = desk.books
    number, _ = books.deliveries.accept(Fact("test:1", "m1", "ann", "words"))
    late, _ = books.deliveries.accept(Fact("test:1", "m2", "ann", "words"))
    books.replies.start("t", "test:1", [number])
    books.replies.draw("t", [PageRow(0, "half")])
    desk.keeping.forget(["test:1"])
    books.deliveries.complete(late, "test:1", "m2", '{"text": "words"}')
    books.deliveries.edit("test:1", "m2", "other words")
    books.replies.draw("t", [PageRow(0, "half of it")])
    books.replies.draft("t", "half of it")
    books.replies.finish(
        "t", [number], End("cancelled", "", [PageRow(0, "all of it")], [FileRow(1, 0, "a", "b", b"c")])
    )
    books.replies.sent("t", 1)
    books.replies.start("u", "test:1", [late])
    books.replies.draw("u", [PageRow(0, "more")])
    books.replies.close("t", well=False).result(10)
    assert not any(desk.count().values())
