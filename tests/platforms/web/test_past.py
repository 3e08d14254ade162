"""What was said before a restart is on the page again."""

from __future__ import annotations

from pathlib import Path

from openab_sync.core.events import Said
from openab_sync.core.ledger import Journaled
from openab_sync.core.message import Person
from openab_sync.platforms.web.entries import Message, Stopped, Words
from openab_sync.platforms.web.past import recalled
from openab_sync.store import Delivery, Fact, ReplyRow, Store, open_books
from tests.waiting import until

from .bed import page

ME = Person("page", "Ann")


def test_a_kept_reply_is_what_happened_then() -> None:
    message = Delivery(1, Fact("web:1", "m1", "page", "hello"), "delivered", accepted=10.0)
    by_api = Delivery(2, Fact("web:1", "m2", "CI", "red"), "delivered", accepted=11.0)
    row = ReplyRow("t", "web:1", "delivered", "cancelled", "Enough.", 12.0, 15.0, (message, by_api), draft="half")
    happened = list(recalled(row, ME, str.upper))
    names = ["Inbound", "Inbound", "TurnStarted", "Said", "TurnEnded"]
    assert [type(one.what).__name__ for one in happened] == names
    assert [one.at for one in happened] == [10.0, 11.0, 12.0, 15.0, 15.0]
    assert happened[3].what == Said("HALF"), "an answer is shown without secrets"


def test_of_a_reply_that_was_cut_off_its_messages_are_there_before_it_is_told_how_it_ended() -> None:
    message = Delivery(1, Fact("web:1", "m1", "page", "hello"), "started", accepted=10.0)
    row = ReplyRow("t", "web:1", "running", "", "", 12.0, 0.0, (message,), draft="half")
    assert [type(one.what).__name__ for one in recalled(row, ME)] == ["Inbound"]


def test_after_a_restart_a_conversation_is_there_with_what_was_said(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    books = open_books(store)
    ledger = Journaled(books.deliveries, books.replies)
    with page(tmp_path, ledger=ledger) as bed:
        bed.write("say good morning")
        bed.write("crash", "web:2")
        until(lambda: len(books.replies.past("web")) == 2, what="both turns are closed")
    with page(tmp_path, ledger=ledger, past=books.replies.past("web")) as bed:
        bed.until_text("good morning")
        [asked, said, end] = bed.contents()
        assert isinstance(asked, Message) and (asked.text, asked.fate) == ("say good morning", "answered")
        assert isinstance(said, Words) and isinstance(end, Stopped) and end.outcome == "done"
        until(lambda: bed.contents("web:2"))
        house = bed.ask("/web/look").data["house"]
        assert {card["key"] for card in house["cards"]} == {"web:1", "web:2"}
        assert house["faults"] == [], "what was told before the restart is no news"
        bed.write("say good evening")
        bed.until_text("good evening")
    assert store.close()
