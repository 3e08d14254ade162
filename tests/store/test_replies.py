"""A reply on disk: written before the agent hears of it, while it grows, and until all of it is out."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from openab_sync.store import Books, End, Fact, FileRow, PageRow, ReplyRow, Store, journal, open_books
from tests.fakes.clock import FakeClock
from tests.store.outage import outage

PATIENCE = 10.0
HERE = "discord:1"
FILE = FileRow(0, 1, "a.txt", "text/plain", b"\0data")


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


def accept(books: Books, message: str = "11") -> int:
    number, done = books.deliveries.accept(Fact(HERE, message, "ann", "hello"))
    done.result(PATIENCE)
    return number


def states(store: Store) -> list[tuple[int, str]]:
    return store.read(lambda db: db.execute("SELECT id, state FROM deliveries ORDER BY id").fetchall())


def only(books: Books) -> ReplyRow:
    (row,) = books.replies.open()
    return row


def test_a_turn_that_runs_is_there_with_the_messages_that_it_answers(store: Store, books: Books) -> None:
    numbers = [accept(books, "1"), accept(books, "2"), accept(books, "3")]
    books.replies.start("t", HERE, numbers[:2]).result(PATIENCE)
    row = only(books)
    assert (row.turn, row.conversation, row.state, row.outcome) == ("t", HERE, "running", "")
    assert [one.id for one in row.deliveries] == numbers[:2]
    assert [one.id for one in books.deliveries.waiting()] == numbers[2:]
    assert states(store) == list(zip(numbers, ("started", "started", "accepted"), strict=True))


def test_a_turn_whose_people_were_told_that_it_hangs_is_over(store: Store, books: Books) -> None:
    """Else the next start would tell them that it was interrupted, days later."""
    number, other = accept(books, "1"), accept(books, "2")
    books.replies.start("t", HERE, [number])
    books.replies.start("u", HERE, [other])
    books.deliveries.fail([number]).result(PATIENCE)
    books.replies.draw("t", [PageRow(0, "late")]).result(PATIENCE)
    assert [row.turn for row in books.replies.open()] == ["u"]
    end = End("done", "", [PageRow(0, "late", "m0", is_shown=True)])
    books.replies.finish("t", [number], end).result(PATIENCE)
    assert [row.turn for row in books.replies.open()] == ["t", "u"], "it came back after all"
    books.replies.close("t", well=True).result(PATIENCE)
    assert states(store) == [(number, "failed"), (other, "started")]


def test_what_had_been_said_is_known_page_by_page(books: Books) -> None:
    books.replies.start("t", HERE, [accept(books)])
    books.replies.draw("t", [PageRow(0, "one", "m0", is_shown=True), PageRow(1, "tw")])
    books.replies.draw("t", [PageRow(1, "two", "m1", 1)]).result(PATIENCE)
    assert only(books).pages == (PageRow(0, "one", "m0", is_shown=True), PageRow(1, "two", "m1", 1))


def test_pages_of_a_turn_that_nobody_knows_are_no_matter(books: Books) -> None:
    books.replies.draw("t", [PageRow(0, "one")]).result(PATIENCE)
    assert books.replies.open() == []


def test_a_finished_one_has_all_its_pages_and_files(store: Store, books: Books) -> None:
    number = accept(books)
    books.replies.start("t", HERE, [number])
    books.replies.draw("t", [PageRow(0, "on"), PageRow(1, "two"), PageRow(2, "left over")])
    pages = (PageRow(0, "one", "m0"), PageRow(1, "two"))
    books.replies.finish("t", [number], End("failed", "It broke.", pages, [FILE])).result(PATIENCE)
    row = only(books)
    assert (row.state, row.outcome, row.reason, row.pages, row.files) == (
        "finished", "failed", "It broke.", pages, (FILE,)
    )  # fmt: skip
    assert states(store) == [(number, "finished")]
    books.replies.sent("t", 0).result(PATIENCE)
    assert only(books).files == ()


@pytest.mark.parametrize(("well", "state"), [(True, "delivered"), (False, "failed")])
def test_a_closed_one_is_over(store: Store, books: Books, well: bool, state: str) -> None:
    number = accept(books)
    books.replies.start("t", HERE, [number])
    books.replies.finish("t", [number], End("done", "", [PageRow(0, "one")], [FILE]))
    books.replies.close("t", well=well).result(PATIENCE)
    assert (books.replies.open(), states(store)) == ([], [(number, state)])


def test_late_text_opens_it_again(store: Store, books: Books) -> None:
    number = accept(books)
    books.replies.start("t", HERE, [number])
    books.replies.finish("t", [number], End("done", "", [PageRow(0, "one")]))
    books.replies.close("t", well=True)
    books.replies.finish("t", [number], End("done", "", [PageRow(0, "one", "m0"), PageRow(1, "late")]))
    assert [page.text for page in only(books).pages] == ["one", "late"]
    assert states(store) == [(number, "finished")]
    books.replies.close("t", well=True)
    assert states(store) == [(number, "delivered")]


def test_a_turn_whose_beginning_was_lost_in_an_outage_is_whole_in_the_end(store: Store, books: Books) -> None:
    number = accept(books)
    with outage(store):
        assert books.replies.start("t", HERE, [number]).exception(PATIENCE)
        assert books.replies.draw("t", [PageRow(0, "on")]).exception(PATIENCE)
    books.replies.finish("t", [number], End("done", "", [PageRow(0, "one")])).result(PATIENCE)
    assert only(books).pages == (PageRow(0, "one"),)
    assert states(store) == [(number, "finished")]


def test_a_page_that_an_outage_kept_does_not_undo_the_end(
    store: Store, books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is back before the end is written, which is in the journal's queue by then."""
    monkeypatch.setattr(journal, "_MOST", 1)
    number, gate = accept(books), threading.Event()
    books.replies.start("t", HERE, [number]).result(PATIENCE)
    store.write(lambda _: gate.wait(PATIENCE))
    drawn = books.replies.draw("t", [PageRow(0, "on")])
    drawn.add_done_callback(lambda _: store._db.execute("PRAGMA query_only = OFF"))
    finished = books.replies.finish("t", [number], End("done", "", [PageRow(0, "one")]))
    with outage(store):
        gate.set()
        assert drawn.exception(PATIENCE)
        finished.result(PATIENCE)
    books.deliveries.edit(HERE, "x", "").result(PATIENCE)  # whatever is written next
    assert only(books).pages == (PageRow(0, "one"),)


def test_of_a_turn_that_was_never_begun_nothing_is_kept(store: Store, books: Books) -> None:
    """Or its messages were forgotten: what was said in a thread that is deleted must not come back."""
    number = accept(books)
    books.replies.finish("t", [number], End("done", "", [PageRow(0, "one")], [FILE]))
    books.replies.start("u", HERE, [number + 1])
    assert (books.replies.open(), states(store)) == ([], [(number, "accepted")])


def test_closed_ones_are_forgotten_with_what_they_said(store: Store, books: Books, clock: FakeClock) -> None:
    number = accept(books)
    books.replies.start("t", HERE, [number])
    books.replies.finish("t", [number], End("done", "", [PageRow(0, "one")]))
    books.replies.start("runs", HERE, [accept(books)])
    books.replies.close("t", well=True).result(PATIENCE)
    clock.advance(100)
    assert books.replies.forget_before(clock.time()).result(PATIENCE) == 1
    assert store.read(lambda db: db.execute("SELECT count(*) FROM pages").fetchone()) == (0,)
    assert store.read(lambda db: db.execute("SELECT turn FROM deliveries WHERE id = ?", (number,)).fetchone()) == (
        None,
    )
    assert only(books).turn == "runs"


def test_what_was_said_is_in_no_repr(books: Books) -> None:
    number = accept(books)
    books.replies.start("t", HERE, [number])
    books.replies.finish("t", [number], End("done", "", [PageRow(0, "secret")], [FILE])).result(PATIENCE)
    assert "secret" not in repr(books.replies.open()) and "data" not in repr(only(books).files)


def test_what_a_turn_says_so_far_is_known_until_it_is_whole(books: Books) -> None:
    numbers = [accept(books)]
    books.replies.start("t", HERE, numbers)
    books.replies.draft("t", "half")
    books.replies.draft("nobody's", "x")
    books.replies.draft("t", "half of it").result(PATIENCE)
    assert only(books).draft == "half of it"
    books.replies.finish("t", numbers, End("done", "", [PageRow(0, "half of it and the rest")]))
    books.replies.draft("t", "late").result(PATIENCE)
    assert only(books).draft == ""


def test_what_a_closed_reply_said_is_kept_once(store: Store, books: Books) -> None:
    """Where people saw pages those say it, else its draft does: it is shown again after a restart."""
    for turn, pages in (("t", ()), ("u", (PageRow(0, "all of it", "m0"),))):
        numbers = [accept(books, turn)]
        books.replies.start(turn, HERE, numbers)
        books.replies.finish(turn, numbers, End("done", "", pages, draft="all of it")).result(PATIENCE)
        assert only(books).draft == "all of it"
        books.replies.close(turn, well=True)
    drafts = store.read(lambda db: db.execute("SELECT turn, draft FROM replies ORDER BY turn").fetchall())
    assert drafts == [("t", "all of it"), ("u", "")]


def test_the_last_closed_replies_of_a_platform_are_the_past(books: Books, clock: FakeClock) -> None:
    platform = HERE.partition(":")[0]
    for turn, place in (("a", HERE), ("b", HERE), ("c", f"{platform}er:1"), ("d", HERE), ("e", HERE)):
        numbers = [accept(books, turn)] if place == HERE else []
        clock.advance(1)
        books.replies.start(turn, place, numbers)
        if turn == "c":
            numbers = [books.deliveries.accept(Fact(place, turn, "ann", "hello"))[0]]
            books.replies.start(turn, place, numbers)
        books.replies.finish(turn, numbers, End("done", "", (), draft=f"said {turn}"))
        if turn != "e":
            books.replies.close(turn, well=True)
    past = books.replies.past(platform, 2)
    assert [(row.turn, row.draft, [one.fact.message for one in row.deliveries]) for row in past] == [
        ("b", "said b", ["b"]),
        ("d", "said d", ["d"]),
    ]
