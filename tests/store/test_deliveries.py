"""What becomes of what people wrote: every step that there is, and none that there is not."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from openab_sync.errors import StoreError
from openab_sync.store import Books, Delivery, Fact, Store, journal, open_books
from tests.fakes.clock import FakeClock
from tests.store.outage import outage
from tests.store.syncs import counted
from tests.waiting import until

PATIENCE = 10.0
FACT = Fact("discord:1", "11", "ann", "hello", {"channel": "5"})


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store.open(tmp_path)
    yield store
    assert store.close()


@pytest.fixture
def books(store: Store, clock: FakeClock) -> Books:
    return open_books(store, clock)


def accept(books: Books, message: str = "11", conversation: str = "discord:1") -> int:
    number, done = books.deliveries.accept(Fact(conversation, message, "ann", "hello", {"channel": "5"}))
    done.result(PATIENCE)
    return number


def state(store: Store, number: int) -> str:
    return str(store.read(lambda db: db.execute("SELECT state FROM deliveries WHERE id = ?", (number,)).fetchone()[0]))


def test_an_accepted_message_is_there_after_a_restart(tmp_path: Path, clock: FakeClock) -> None:
    with_one = Store.open(tmp_path)
    number, done = open_books(with_one, clock).deliveries.accept(FACT)
    assert with_one.close()
    assert done.done()
    again = Store.open(tmp_path)
    books = open_books(again, clock)
    assert books.deliveries.waiting() == [Delivery(number, FACT, "accepted", accepted=clock.time())]
    assert books.deliveries.accept(FACT)[0] > number, "numbers go on"
    assert again.close()


def test_they_wait_in_the_order_in_which_they_were_accepted(books: Books) -> None:
    numbers = [accept(books, str(message)) for message in (9, 3, 7)]
    assert [one.id for one in books.deliveries.waiting()] == numbers


def test_a_complete_one_can_be_replayed_where_it_belongs(books: Books) -> None:
    number = accept(books)
    books.deliveries.complete(number, "discord:2", "12", '{"text": "hello"}').result(PATIENCE)
    (one,) = books.deliveries.waiting()
    assert (one.fact.conversation, one.fact.message, one.note) == ("discord:2", "12", '{"text": "hello"}')


def test_an_edit_changes_what_is_replayed(books: Books) -> None:
    bare, whole, other = accept(books, "1"), accept(books, "2"), accept(books, "3")
    books.deliveries.complete(whole, "discord:1", "2", json.dumps({"text": "old", "more": 1}))
    for message in ("1", "2"):
        books.deliveries.edit("discord:1", message, "new “words”").result(PATIENCE)
    found = {one.id: one for one in books.deliveries.waiting()}
    assert (found[bare].fact.text, found[bare].note) == ("new “words”", "")
    assert json.loads(found[whole].note) == {"text": "new “words”", "more": 1}
    assert found[other].fact.text == "hello"


def test_what_was_withdrawn_stays_withdrawn(store: Store, books: Books) -> None:
    number = accept(books)
    books.deliveries.withdraw([number])
    books.replies.start("t", "discord:1", [number])
    books.deliveries.complete(number, "discord:1", "11", "{}").result(PATIENCE)
    assert state(store, number) == "withdrawn"
    assert books.deliveries.waiting() == []


def test_one_that_is_refused_waits_to_be_told(store: Store, books: Books) -> None:
    first, begun = accept(books), accept(books, "12")
    books.replies.start("t", "discord:1", [begun])
    books.deliveries.refuse([first, begun], "Not now.")
    assert [(kept.id, kept.refusal) for kept in books.deliveries.waiting()] == [(first, "Not now.")]
    books.deliveries.fail([first])
    assert books.deliveries.waiting() == []


def test_what_has_begun_is_not_withdrawn(store: Store, books: Books) -> None:
    number = accept(books)
    books.replies.start("t", "discord:1", [number])
    books.deliveries.withdraw([number]).result(PATIENCE)
    assert state(store, number) == "started"


@pytest.mark.parametrize("begun", [False, True])
def test_one_that_cannot_be_answered_fails(store: Store, books: Books, begun: bool) -> None:
    number = accept(books)
    if begun:
        books.replies.start("t", "discord:1", [number])
    books.deliveries.fail([number]).result(PATIENCE)
    assert state(store, number) == "failed"


def test_many_that_are_accepted_at_once_cost_one_fsync_and_none_is_told_before_it(store: Store, books: Books) -> None:
    gate, inside, told = threading.Event(), threading.Event(), list[int]()

    def hold(_: object) -> None:
        inside.set()
        assert gate.wait(PATIENCE)

    accept(books, "0")  # the log has its head
    with counted(store) as syncs:
        store.write(hold)
        assert inside.wait(PATIENCE)
        waiting = [books.deliveries.accept(Fact("discord:1", str(n), "ann", "hello"))[1] for n in range(1, 101)]
        for done in waiting:
            done.add_done_callback(lambda _: told.append(syncs.count))
        gate.set()
        until(lambda: len(told) == 100, PATIENCE)
        assert set(told) == {1}
        for n in (101, 102, 103):
            accept(books, str(n))
        assert syncs.count == 4, "one that comes alone waits for nobody"


def test_a_disk_that_takes_nothing_accepts_nothing(store: Store, books: Books) -> None:
    with outage(store):
        _, done = books.deliveries.accept(FACT)
        assert isinstance(done.exception(PATIENCE), StoreError)
    assert books.deliveries.waiting() == []


def test_what_happened_while_the_disk_was_away_is_written_with_the_next_message(store: Store, books: Books) -> None:
    first = accept(books, "1")
    with outage(store):
        assert books.deliveries.withdraw([first]).exception(PATIENCE)
    second = accept(books, "2")
    assert [one.id for one in books.deliveries.waiting()] == [second]
    assert state(store, first) == "withdrawn"


def test_messages_that_were_accepted_once_are_known(books: Books) -> None:
    over = accept(books, "1")
    books.deliveries.withdraw([over])
    accept(books, "2", "slack:1")
    known = books.deliveries.known("discord", ["1", "2", "3"]).result(PATIENCE)
    assert known == {"1"}


def test_what_is_long_over_is_forgotten_and_nothing_else(store: Store, books: Books, clock: FakeClock) -> None:
    old, waits = accept(books, "1"), accept(books, "2")
    books.deliveries.withdraw([old]).result(PATIENCE)
    clock.advance(100)
    assert books.deliveries.forget_before(clock.time() - 100).result(PATIENCE) == 0
    assert books.deliveries.forget_before(clock.time() - 99).result(PATIENCE) == 1
    assert [one.id for one in books.deliveries.waiting()] == [waits]


def test_while_too_much_waits_for_the_disk_nothing_more_is_accepted(
    store: Store, books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "_FULL", 0)
    number, done = books.deliveries.accept(FACT)
    assert (number, type(done.exception(0))) == (0, StoreError)
    monkeypatch.undo()
    assert state(store, accept(books)) == "accepted"
    assert [one.state for one in books.deliveries.waiting()] == ["accepted"]


def test_the_words_of_people_are_in_no_repr(books: Books) -> None:
    accept(books)
    assert "hello" not in repr(books.deliveries.waiting())


def test_numbers_are_never_given_twice(books: Books) -> None:
    take: Callable[[], int] = lambda: books.deliveries.accept(FACT)[0]  # noqa: E731  # it is one thing, done often
    assert len({take() for _ in range(50)}) == 50
