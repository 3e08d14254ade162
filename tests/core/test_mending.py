"""Replies that a restart has cut off are brought to their end: once, in the place where they stand."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from openab_sync.acp.events import Said
from openab_sync.clock import SystemClock
from openab_sync.config.schema import Config
from openab_sync.core.ledger import Journaled, numbers
from openab_sync.core.mending import Mending, Patience, Stopped
from openab_sync.core.message import Inbound
from openab_sync.core.port import Controls, File, Limits, TurnEnded, TurnStarted
from openab_sync.core.retrace import INTERRUPTED, SILENT
from openab_sync.errors import ChatError, ChatRefused, ChatTimeout
from openab_sync.store import Books, End, FileRow, PageRow, Store, open_books
from tests.core.makers import ANNA, BEN, HERE, house, note
from tests.fakes.platform import FakePlatform

PATIENCE = 10.0
CAN = Limits(controls=True, page=200)


class Scene:
    """A journal, a chat, and what mends."""

    def __init__(self, books: Books, limits: Limits = CAN, **settings: Any) -> None:
        self.books, self.ledger = books, Journaled(books.deliveries, books.replies)
        clock = SystemClock()
        self.port = FakePlatform(clock, limits)
        self.house = replace(house(clock, msgspec.convert(settings, Config)), ledger=self.ledger)
        self.patience = Patience(clock)

    def accept(self, name: str = "m", by: Any = ANNA) -> Inbound:
        number, done = self.ledger.accept(note(name).ref, by, name, {})
        done.result(PATIENCE)
        whole = replace(note(name, by=by), delivery=number)
        self.ledger.complete(whole)
        return whole

    def begin(self, *pages: PageRow, notes: tuple[Inbound, ...] = ()) -> tuple[Inbound, ...]:
        notes = notes or (self.accept(),)
        self.ledger.start("t", notes)
        self.ledger.draw("t", pages)
        return notes

    def finish(self, end: End) -> None:
        notes = (self.accept(),)
        self.ledger.start("t", notes)
        self.ledger.finish("t", notes, end).result(PATIENCE)

    def post(self, text: str, controls: Controls | None = None, nonce: str = "") -> str:
        return self.port.post(HERE, text, controls=controls, nonce=nonce).result().id

    def mend(self) -> int | None:
        """Mend all that is open there; return the number of the message that had been begun unseen."""
        left = self.ledger.unfinished()
        begun = Mending(self.house, self.port, HERE, self.patience).mend(left.replies, left.waiting)
        return begun.id if begun is not None else None

    def states(self) -> list[str]:
        self.ledger.unfinished()

        def ask(db: Any) -> list[str]:
            return [row[0] for row in db.execute("SELECT state FROM deliveries ORDER BY id")]

        return self.books.deliveries._store.read(ask)


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Books]:
    store = Store.open(tmp_path)
    yield open_books(store)
    assert store.close()


@pytest.fixture
def scene(books: Books) -> Scene:
    return Scene(books)


def test_an_interrupted_turn_is_told_where_it_was_said(scene: Scene) -> None:
    (whole,) = scene.begin()
    stops = Controls(stop=True, turn="t", about=(whole.ref,), people=(ANNA,))
    message = scene.post("half of it", stops)
    scene.ledger.draw("t", [PageRow(0, "half of it", message, is_shown=True)])
    scene.mend()
    (page,) = scene.port.messages(HERE)
    assert page.text == f"half of it\n\n> ⚠️ {INTERRUPTED}"
    assert page.controls == Controls(retry=True, discard=True, turn="t", about=(whole.ref,), people=(ANNA,))
    assert scene.port.reactions[whole.ref] == ["😱"]
    assert (scene.states(), scene.ledger.unfinished().replies) == (["delivered"], [])


def test_one_that_had_said_nothing_is_told_as_a_reply(scene: Scene) -> None:
    (whole,) = scene.begin()
    scene.mend()
    (page,) = scene.port.messages(HERE)
    assert "before anything had been said" in page.text
    assert page.reply_to == whole.ref


def test_the_buttons_are_for_everybody_whose_message_it_answers(scene: Scene) -> None:
    notes = scene.begin(notes=(scene.accept("m"), scene.accept("n", BEN)))
    scene.mend()
    (page,) = scene.port.messages(HERE)
    assert page.controls.people == (ANNA, BEN)
    assert page.controls.about == tuple(one.ref for one in notes)
    assert [scene.port.reactions[one.ref] for one in notes] == [["😱"], ["😱"]]


def test_what_is_missing_of_a_finished_answer_is_delivered(scene: Scene) -> None:
    first = scene.post("one")
    pages = [PageRow(0, "one", first, is_shown=True), PageRow(1, "two"), PageRow(2, "three")]
    scene.finish(End("done", "", pages))
    scene.mend()
    assert scene.port.texts(HERE) == ["one", "two", "three"]
    assert scene.port.done("edit") == [], "what is right is left alone"
    assert scene.port.reactions[note("m").ref] == ["🆗"]
    assert scene.states() == ["delivered"]


def test_a_page_that_was_posted_though_nobody_wrote_that_down_is_not_posted_again(scene: Scene) -> None:
    scene.post("one")
    scene.finish(End("done", "", [PageRow(0, "one two")]))
    scene.mend()
    assert scene.port.texts(HERE) == ["one two"]


def test_a_page_that_was_not_whole_is_brought_up_to_date(scene: Scene) -> None:
    message = scene.post("on")
    scene.finish(End("failed", "It broke.", [PageRow(0, "one", message)]))
    scene.mend()
    (page,) = scene.port.messages(HERE)
    assert (page.text, page.controls.retry, page.controls.discard) == ("one", True, False)


def test_a_file_that_was_not_out_is_sent_and_one_that_was_is_not(scene: Scene) -> None:
    scene.port.upload(HERE, File("a.txt", b"a"))
    files = [FileRow(1, 0, "a.txt", "text/plain", b"a"), FileRow(2, 0, "b.txt", "text/plain", b"b")]
    scene.finish(End("done", "", [PageRow(0, "one")], files))
    scene.mend()
    assert [file.name for file in scene.port.files(HERE)] == ["a.txt", "b.txt"]


def test_where_the_history_cannot_be_read_nonces_decide(scene: Scene) -> None:
    scene.finish(End("done", "", [PageRow(0, "one")]))
    scene.port.fail_next(ChatRefused("no history"), what="ours")
    scene.port.fail_next(ChatTimeout("slow"), what="post", half_done=True)
    scene.mend()
    assert scene.port.texts(HERE) == ["one"]
    assert [op.text for op in scene.port.done("edit")] == ["one"], "what the nonce has found may say less"


def test_what_cannot_be_delivered_is_accounted_for(scene: Scene) -> None:
    scene.finish(End("done", "", [PageRow(0, "one")]))
    scene.port.fail_next(ChatRefused("gone"), what="post")
    scene.mend()
    assert scene.states() == ["failed"]
    assert scene.port.reactions[note("m").ref] == ["😱"]


def test_a_second_crash_in_the_middle_changes_nothing(books: Books) -> None:
    first = Scene(books)
    first.begin()
    first.port.hold()
    left = first.ledger.unfinished()
    mending = Mending(first.house, first.port, HERE, first.patience)
    ended: list[bool] = []

    def mend() -> None:
        with pytest.raises(Stopped):
            mending.mend(left.replies, left.waiting)
        ended.append(True)

    thread = threading.Thread(target=mend)
    thread.start()
    first.port.until(lambda: bool(first.port.held))
    first.port.release()  # the history
    first.port.until(lambda: bool(first.port.held), PATIENCE)  # the page is being posted
    first.patience.end()
    thread.join(PATIENCE)
    assert ended == [True]
    (row,) = first.ledger.unfinished().replies
    assert (row.state, row.outcome) == ("finished", "interrupted")
    second = Scene(books)
    second.mend()
    assert len(second.port.texts(HERE)) == 1
    assert second.states() == ["delivered"]


def test_a_turn_that_the_disk_did_not_take_is_not_begun_again(scene: Scene) -> None:
    first, second = scene.accept("m"), scene.accept("n")
    scene.post("half", Controls(stop=True, turn="t", about=(first.ref,), people=(ANNA,)))
    assert scene.mend() == first.delivery
    (page,) = scene.port.messages(HERE)
    assert page.text.endswith(INTERRUPTED)
    assert scene.states() == ["delivered", "accepted"]
    assert numbers([second]) == [one.id for one in scene.ledger.unfinished().waiting]


def test_signs_are_left_away_where_they_are_not_wanted(books: Books) -> None:
    scene = Scene(books, reactions={"enabled": False})
    scene.begin()
    scene.mend()
    assert scene.port.done("sign") == []


def test_waiting_is_bounded_and_ends_with_the_house() -> None:
    patience = Patience(SystemClock())
    never: Future[None] = Future()
    with pytest.raises(ChatError, match="too long"):
        patience.result(never, 0.01)
    patience.end()
    with pytest.raises(Stopped):
        patience.result(never, 60)


def test_what_had_been_said_and_nobody_had_seen_is_posted(books: Books) -> None:
    """Where another bot listens nothing is posted before it is whole."""
    scene = Scene(books, replace(CAN, live="once"))
    (whole,) = scene.begin()
    scene.ledger.draft("t", "half of it").result(PATIENCE)
    scene.mend()
    (page,) = scene.port.messages(HERE)
    assert page.text == f"half of it\n\n> ⚠️ {INTERRUPTED}"
    assert (page.controls.retry, page.controls.discard, page.reply_to) == (True, True, whole.ref)
    assert (scene.states(), scene.ledger.unfinished().replies) == (["delivered"], [])


@pytest.mark.parametrize(("draft", "reason"), [("half of it", INTERRUPTED), ("", SILENT)])
def test_a_platform_that_draws_by_itself_is_told_what_had_been_said(books: Books, draft: str, reason: str) -> None:
    scene = Scene(books, Limits(live="events"))
    refs = tuple(one.ref for one in scene.begin())
    scene.ledger.draft("t", draft).result(PATIENCE)
    scene.mend()
    told = [event for _, event in scene.port.events]
    assert told == [TurnStarted(refs), *([Said(draft)] if draft else []), TurnEnded(refs, "failed", reason)]
    assert scene.states() == ["delivered"]
