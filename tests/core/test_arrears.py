"""What was not out when its session ended is brought out while the house lives, once."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

import pytest

from openab_sync.clock import SystemClock
from openab_sync.core import arrears
from openab_sync.core import session as session_module
from openab_sync.core.arrears import Arrears
from openab_sync.core.house import Close
from openab_sync.core.ledger import Journaled
from openab_sync.core.message import Conversation, Inbound, MessageRef
from openab_sync.core.notices import refuse
from openab_sync.core.port import Limits
from openab_sync.errors import ChatRefused, ChatTimeout
from openab_sync.store import Books, ReplyRow, Store, open_books
from tests.core.bed import ANN, Bed, place
from tests.core.makers import house
from tests.core.paper_ledger import PaperLedger
from tests.fakes.platform import FakePlatform
from tests.waiting import until

EDITED = Limits(edit_interval=0.01, controls=True)
ONCE = Limits(live="once", typing_interval=None)


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Books]:
    store = Store.open(tmp_path)
    yield open_books(store)
    assert store.close()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_module, "DELIVERY", 0.05)
    monkeypatch.setattr(arrears, "FIRST", 0.05)


def house_of(books: Books, limits: Limits) -> Bed:
    return Bed(limits=limits, ledger=Journaled(books.deliveries, books.replies))


def say(bed: Bed, text: str) -> MessageRef:
    ledger = bed.app.house.ledger
    ref = MessageRef(place(), "m1")
    number, safe = ledger.accept(ref, ANN, text, {})
    safe.result(10)
    bed.broker.receive(Inbound(ref, ANN, text, delivery=number))
    return ref


def leave(bed: Bed) -> None:
    """Its session ends, as one does that is idle and whose room is wanted."""
    bed.pool.order(place(), Close("idle")).result(10)
    until(lambda: not bed.broker.snapshot().sessions, what="the session has ended")


def done(row: ReplyRow | None) -> Future[ReplyRow | None]:
    found: Future[ReplyRow | None] = Future()
    found.set_result(row)
    return found


def until_out(bed: Bed, books: Books) -> None:
    until(lambda: not books.replies.open(), what="it is out, and closed")
    # What is lost is in flight for ever, as the fake sees it; a platform gives up on it.
    bed.port.violations = [what for what in bed.port.violations if "is in flight" not in what]


@pytest.mark.parametrize("limits", [EDITED, ONCE], ids=["edit", "once"])
def test_a_reply_that_was_lost_on_its_way_is_brought_out_without_its_session(books: Books, limits: Limits) -> None:
    with house_of(books, limits) as bed:
        bed.port.drop_next("post")
        ref = say(bed, "say hello")
        until(lambda: [row.state for row in books.replies.open()] == ["finished"])
        leave(bed)
        until_out(bed, books)
        assert bed.port.texts(place()) == ["hello"]
        assert bed.port.reactions[ref] == ["🆗"]


def test_what_was_on_its_way_and_arrives_after_all_is_not_there_twice(books: Books) -> None:
    with house_of(books, ONCE) as bed:
        bed.port.hold()
        say(bed, "say hello")
        bed.port.until(lambda: any(op.what == "post" for op in bed.port.held))
        until(lambda: [row.state for row in books.replies.open()] == ["finished"])
        leave(bed)
        bed.port.release_all()
        until_out(bed, books)
        assert bed.port.texts(place()) == ["hello"]


def test_an_answer_that_ends_while_an_edit_is_on_its_way_is_on_record_whole(books: Books, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    with house_of(books, EDITED) as bed:
        bed.port.hold()
        say(bed, f"say half of it\ngate {gate}\nsay , and the rest")
        bed.port.until(lambda: any(op.what == "post" for op in bed.port.held))
        gate.touch()
        until(lambda: [row.state for row in books.replies.open()] == ["finished"], what="though nothing has come back")
        assert [page.text for row in books.replies.open() for page in row.pages] == ["half of it, and the rest"]
        leave(bed)
        bed.port.release_all()
        until_out(bed, books)
        assert bed.port.texts(place()) == ["half of it, and the rest"]


def test_while_the_chat_does_not_answer_it_is_tried_again_and_again(books: Books) -> None:
    with house_of(books, ONCE) as bed:
        bed.port.drop_next("post")
        say(bed, "say hello")
        until(lambda: [row.state for row in books.replies.open()] == ["finished"])
        for _ in range(2):
            bed.port.fail_next(ChatTimeout("slow"), what="ours")
        for _ in range(2):
            bed.port.fail_next(ChatTimeout("slow"), what="post")
        leave(bed)
        until_out(bed, books)
        assert bed.port.texts(place()) == ["hello"]
        assert len(bed.port.done("ours")) >= 1


def test_what_the_chat_refuses_for_good_is_not_tried_for_ever(books: Books) -> None:
    with house_of(books, ONCE) as bed:
        bed.port.drop_next("post")
        say(bed, "say hello")
        until(lambda: [row.state for row in books.replies.open()] == ["finished"])
        bed.port.fail_next(ChatRefused("the thread is gone"), what="post")
        leave(bed)
        until_out(bed, books)
        assert ["could not be delivered" in text for text in bed.port.texts(place())] == [True], "and that is said"


def test_at_the_end_it_is_left_for_the_next_start(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrears, "FIRST", 600.0)
    with house_of(books, ONCE) as bed:
        bed.port.drop_next("post")
        say(bed, "say hello")
        until(lambda: [row.state for row in books.replies.open()] == ["finished"])
        leave(bed)
    assert [row.state for row in books.replies.open()] == ["finished"]


def test_who_could_not_be_told_of_a_refusal_is_told_later_and_once(books: Books) -> None:
    with house_of(books, ONCE) as bed:
        bed.port.fail_next(ChatTimeout("slow"), what="post", half_done=True)
        bed.port.fail_next(ChatTimeout("slow"), what="post")
        ref = MessageRef(place(), "m1")
        number, safe = bed.app.house.ledger.accept(ref, ANN, "say hello", {})
        safe.result(10)
        refuse(bed.app.house, bed.port, Inbound(ref, ANN, "say hello", delivery=number), "Not now.")
        until(lambda: not books.deliveries.waiting(), what="it is over")
        assert bed.port.texts(place()) == ["Not now."]
        assert len(bed.port.done("post")) == 3


class Asked(PaperLedger):
    """Looks for what it is asked as the test says."""

    def __init__(self, *rows: ReplyRow | None) -> None:
        super().__init__()
        self.asked: list[str] = []
        self._rows = iter(rows)

    def reply(self, turn: str) -> Future[ReplyRow | None]:
        self.asked.append(turn)
        return done(next(self._rows))


class Stumbling(Asked):
    """Finds the turn t no more than a bug of ours would."""

    def reply(self, turn: str) -> Future[ReplyRow | None]:
        if turn == "t":
            self.asked.append(turn)
            raise LookupError("a bug of ours")
        return super().reply(turn)


class Gate:
    """Where turns begin: quiet as the test says."""

    def __init__(self, *quiet: bool) -> None:
        self.calls: list[str] = []
        self._quiet = iter(quiet)

    def hold_quiet(self, conversation: Conversation) -> bool:
        is_quiet = next(self._quiet, True)
        self.calls.append("hold" if is_quiet else "no")
        return is_quiet

    def let_in(self, conversation: Conversation) -> None:
        self.calls.append("go on")


def owing(ledger: PaperLedger, *turns: str, gate: Gate | None = None) -> tuple[Arrears, FakePlatform]:
    clock = SystemClock()
    owed, port = Arrears(clock), FakePlatform(clock)
    owed.start(replace(house(clock), ledger=ledger), {"test": port}, gate or Gate())
    owed.owe(place(), turns)
    return owed, port


def test_what_is_out_or_forgotten_by_then_is_let_be() -> None:
    ledger = Asked(None, None)
    owed, _ = owing(ledger, "t", "u")
    until(lambda: ledger.asked == ["t", "u"])
    assert owed.stop()


def test_a_reply_whose_end_the_disk_does_not_have_yet_is_looked_for_again() -> None:
    ledger = Asked(ReplyRow("t", place().key, "running"), None)
    owed, port = owing(ledger, "t")
    until(lambda: ledger.asked == ["t", "t"])
    assert owed.stop()
    assert port.ops == [], "nobody was told that it was interrupted"


def test_one_over_which_we_stumble_is_left_for_the_next_start_and_the_others_go_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    ledger = Stumbling(None)
    owed, port = owing(ledger, "t", "u")
    until(lambda: ledger.asked == ["t", "u"])
    until(lambda: owed.beat.due == math.inf, what="it waits, and owes no sign of life")
    assert owed.stop()
    assert "is not tried again before the next start" in caplog.text
    assert port.ops == []


def test_a_disk_that_hangs_is_not_waited_for_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    class Hanging(Asked):
        def reply(self, turn: str) -> Future[ReplyRow | None]:
            self.asked.append(turn)
            return Future()

    monkeypatch.setattr(arrears, "ON_DISK", 0.02)
    ledger = Hanging()
    owed, _ = owing(ledger, "t")
    until(lambda: len(ledger.asked) == 2, what="it is tried again")
    monkeypatch.setattr(arrears, "ON_DISK", 600.0)
    until(lambda: len(ledger.asked) == 3)
    assert owed.beat.due < math.inf
    assert owed.stop(), "it is woken there"


def test_nothing_begins_meanwhile_and_it_goes_on_whatever_comes_of_it() -> None:
    ledger, gate = Stumbling(None), Gate()
    owed, _ = owing(ledger, "t", "u", gate=gate)
    until(lambda: gate.calls == ["hold", "go on"] * 2)
    assert owed.stop()


def test_where_something_is_always_said_it_comes_all_the_same_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrears, "LONGEST", 0.2)
    ledger, gate = Asked(None), Gate(*[False] * 9)
    owed, _ = owing(ledger, "t", gate=gate)
    until(lambda: ledger.asked == ["t"])
    assert owed.stop()
    assert gate.calls == ["no", "no"], "nobody was held"


def test_it_does_not_come_between_the_pages_of_a_newer_reply(
    books: Books, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    gate = tmp_path / "gate"
    with house_of(books, ONCE) as bed:
        bed.port.drop_next("post")
        say(bed, "say hello")
        until(lambda: [row.state for row in books.replies.open()] == ["finished"])
        leave(bed)
        bed.broker.receive(Inbound(MessageRef(place(), "m2"), ANN, f"say newer\ngate {gate}"))
        until(lambda: "something is being said there" in caplog.text)
        assert bed.port.texts(place()) == []
        gate.touch()
        until_out(bed, books)
        assert bed.port.texts(place()) == ["newer", "hello"]
