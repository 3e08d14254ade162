"""What the core writes down, and that a message comes back from it as it was."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from openab_sync.core.ledger import UNWRITTEN, Journaled, Ledger, read_note
from openab_sync.core.message import Attachment
from openab_sync.store import Books, End, PageRow, Store, open_books
from tests.core.makers import ANNA, HERE, THERE, note

PATIENCE = 10.0
FILES = (
    Attachment("image", "a.png", "image/png", data="aGVsbG8="),
    Attachment("file", "b.bin", path="/x/b.bin", size=3),
)


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Books]:
    store = Store.open(tmp_path)
    yield open_books(store)
    assert store.close()


@pytest.fixture
def ledger(books: Books) -> Journaled:
    return Journaled(books.deliveries, books.replies)


def accept(ledger: Ledger, name: str = "m") -> int:
    number, done = ledger.accept(note(name).ref, ANNA, name, {"channel": "5"})
    done.result(PATIENCE)
    return number


def test_a_message_comes_back_as_it_was(books: Books, ledger: Journaled) -> None:
    number = accept(ledger)
    whole = replace(note("m", "words “of” Anna"), attachments=FILES, context="<c>x</c>", delivery=number)
    ledger.complete(whole)
    (kept,) = books.deliveries.waiting()
    assert read_note(kept.note, kept.id) == replace(whole, is_marked=True)
    assert (kept.fact.conversation, kept.fact.author, kept.fact.route) == (HERE.key, "a", {"channel": "5"})


def test_an_edit_is_replayed(books: Books, ledger: Journaled) -> None:
    number = accept(ledger)
    ledger.complete(replace(note("m"), delivery=number))
    ledger.edit(note("m").ref, "other words")
    ledger.edit(note("m", where=THERE).ref, "of somebody else's")
    (kept,) = books.deliveries.waiting()
    assert read_note(kept.note, 1).text == "other words"


def test_what_is_no_message_is_refused() -> None:
    with pytest.raises(ValueError, match="JSON"):
        read_note("x", 1)


def test_a_turn_from_its_beginning_to_its_end(books: Books, ledger: Journaled) -> None:
    notes = [replace(note(name), delivery=accept(ledger, name)) for name in ("m", "n")]
    ledger.start("t", notes).result(PATIENCE)
    ledger.draw("t", [PageRow(0, "on")])
    (running,) = books.replies.open()
    assert ([one.fact.message for one in running.deliveries], running.pages) == (["m", "n"], (PageRow(0, "on"),))
    ledger.finish("t", notes, End("done", "", [PageRow(0, "one")])).result(PATIENCE)
    (finished,) = books.replies.open()
    assert (finished.state, finished.outcome, finished.pages) == ("finished", "done", (PageRow(0, "one"),))
    ledger.close("t", well=True)
    assert books.replies.open() == []


def test_what_is_withdrawn_or_fails_waits_no_more(books: Books, ledger: Journaled) -> None:
    ledger.withdraw([accept(ledger)])
    ledger.fail([accept(ledger)])
    assert books.deliveries.waiting() == []


def test_a_message_that_was_not_accepted_here_is_let_be(books: Books, ledger: Journaled) -> None:
    ledger.complete(note("m"))
    assert books.deliveries.waiting() == []


def test_where_nothing_is_kept_everything_is_safe_at_once() -> None:
    number, done = UNWRITTEN.accept(note("m").ref, ANNA, "m", {})
    assert (number, done.done(), UNWRITTEN.keeps) == (0, True, False)
    assert UNWRITTEN.start("t", [note("m")]).done()
    assert UNWRITTEN.finish("t", [note("m")], End("done", "", [])).done()
