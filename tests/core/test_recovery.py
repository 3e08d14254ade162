"""What a house finds unfinished, handed to those who bring it to an end."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from openab_sync.clock import SystemClock
from openab_sync.core.ledger import Journaled
from openab_sync.core.message import Conversation, Inbound
from openab_sync.core.recovery import Recovery, Waiting
from openab_sync.store import Books, Store, open_books
from tests.core.makers import ANNA, HERE, THERE, house, note
from tests.fakes.platform import FakePlatform
from tests.waiting import until

PATIENCE = 10.0


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Books]:
    store = Store.open(tmp_path)
    yield open_books(store)
    assert store.close()


class Scene:
    """A house that starts."""

    def __init__(self, books: Books) -> None:
        self.ledger, self.port = Journaled(books.deliveries, books.replies), FakePlatform(SystemClock())
        self.held: list[Conversation] = []
        self.last = 0
        self.recovery = Recovery(replace(house(SystemClock()), ledger=self.ledger), {"test": self.port}, self)

    def hold(self, conversations: Iterable[Conversation], last: int = 0) -> None:
        self.held += conversations
        self.last = last

    def let_in(self, conversation: Conversation) -> None:
        self.held.remove(conversation)

    def accept(self, name: str, where: Conversation = HERE, *, is_whole: bool = True) -> Inbound:
        number, done = self.ledger.accept(note(name, where=where).ref, ANNA, name, {"channel": "5"})
        done.result(PATIENCE)
        whole = replace(note(name, where=where), delivery=number)
        if is_whole:
            self.ledger.complete(whole)
        return whole


@pytest.fixture
def scene(books: Books) -> Iterator[Scene]:
    scene = Scene(books)
    yield scene
    assert scene.recovery.stop()


def test_where_nothing_is_left_nothing_is_begun(scene: Scene) -> None:
    scene.recovery.read()
    assert scene.recovery.conversations("test") == []
    assert scene.recovery._threads == []


def test_messages_are_handed_out_in_the_order_of_their_acceptance(scene: Scene) -> None:
    first, bare, there = scene.accept("a"), scene.accept("b", is_whole=False), scene.accept("c", THERE)
    scene.recovery.read()
    assert scene.recovery.conversations("test") == [HERE, THERE]
    assert scene.recovery.conversations("slack") == []
    scene.recovery.mend(HERE).result(PATIENCE)
    scene.recovery.mend(THERE).result(PATIENCE)
    one, two = scene.recovery.waiting(HERE)
    assert one.note == replace(first, is_marked=True)
    assert two == Waiting(bare.delivery, bare.ref, "a", "b", {"channel": "5"})
    assert [found.number for found in scene.recovery.waiting(THERE)] == [there.delivery]


def test_one_that_was_refused_is_told_so_and_not_handed_out(scene: Scene, books: Books) -> None:
    scene.accept("a")
    refused = scene.accept("b")
    scene.ledger.refuse([refused.delivery], "Not now.").result(PATIENCE)
    scene.recovery.read()
    scene.recovery.mend(HERE).result(PATIENCE)
    assert [(one.text, one.reply_to) for one in scene.port.messages(HERE)] == [("Not now.", refused.ref)]
    assert [one.text for one in scene.recovery.waiting(HERE)] == ["a"]
    assert [kept.fact.text for kept in books.deliveries.waiting()] == ["a"]


def test_one_that_cannot_be_read_as_it_was_kept_keeps_no_other_from_being_answered(
    scene: Scene, books: Books, caplog: pytest.LogCaptureFixture
) -> None:
    torn, whole = scene.accept("a"), scene.accept("b")
    books.deliveries.complete(torn.delivery, HERE.key, "a", '{"ref": 7}').result(PATIENCE)
    scene.recovery.read()
    scene.recovery.mend(HERE).result(PATIENCE)
    first, second = scene.recovery.waiting(HERE)
    assert (first.ref, first.text, first.note) == (torn.ref, "a", None), "its platform completes it again"
    assert second.note is not None and second.note.ref == whole.ref
    assert "message a cannot be read as it was kept" in caplog.text


def test_replies_are_brought_to_their_end_first(scene: Scene) -> None:
    scene.ledger.start("t", [scene.accept("a")])
    scene.accept("b")
    scene.recovery.read()
    scene.recovery.mend(HERE).result(PATIENCE)
    assert "Interrupted by a restart" in scene.port.texts(HERE)[0]
    assert [found.text for found in scene.recovery.waiting(HERE)] == ["b"]


def test_the_threads_end_when_nothing_is_left(scene: Scene) -> None:
    scene.accept("a")
    scene.recovery.read()
    scene.recovery.mend(HERE).result(PATIENCE)
    until(lambda: not any(thread.is_alive() for thread in scene.recovery._threads))


def test_what_hangs_is_left_for_the_next_start(scene: Scene) -> None:
    scene.ledger.start("t", [scene.accept("a")])
    scene.accept("b")
    scene.recovery.read()
    scene.port.hold()
    done = scene.recovery.mend(HERE)
    scene.port.until(lambda: bool(scene.port.held))
    assert scene.recovery.stop()
    assert done.done()
    assert scene.recovery.waiting(HERE) == []  # it would go before what is told first
    left = scene.ledger.unfinished()
    assert [len(left.replies), [kept.fact.text for kept in left.waiting]] == [1, ["b"]]


def test_one_that_cannot_be_mended_keeps_nobody_else_waiting(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    scene.accept("a")
    scene.accept("b", THERE)
    scene.recovery.read()
    monkeypatch.setattr(scene.port, "ours", lambda *_: 1 / 0)
    assert [scene.recovery.mend(at).result(PATIENCE) for at in (HERE, THERE)] == [None, None]
    assert "could not be taken up again" in caplog.text


def test_a_thread_that_mends_owes_a_sign_of_life_and_rests_afterwards(scene: Scene) -> None:
    scene.ledger.start("t", [scene.accept("a")])
    scene.port.hold()
    scene.recovery.read()
    [beat] = scene.recovery.beats
    assert (beat.name, beat.due) == ("recovery-1", math.inf)
    mended = scene.recovery.mend(HERE)
    until(lambda: beat.due < math.inf, what="it is at work")
    scene.port.release_all()
    mended.result(PATIENCE)
    assert beat.due == math.inf


def test_nothing_begins_in_a_conversation_before_what_waited_there_is_handed_in(scene: Scene) -> None:
    scene.accept("a")
    last = scene.accept("b", THERE)
    scene.recovery.read()
    assert (scene.held, scene.last) == ([HERE, THERE], last.delivery)
    scene.recovery.mend(HERE).result(PATIENCE)
    scene.recovery.mend(THERE).result(PATIENCE)
    scene.recovery.handed_in(HERE)
    assert scene.held == [THERE]


def test_what_is_unfinished_where_nobody_is_served_is_left_and_told(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    scene.accept("a")
    scene.accept("b", THERE)
    scene.recovery.read()
    scene.recovery.leave("slack")
    assert "unfinished" not in caplog.text
    scene.recovery.leave("test")
    assert "2 messages and replies of test are unfinished: they wait until it is served" in caplog.text
    until(lambda: not any(thread.is_alive() for thread in scene.recovery._threads))
    assert len(scene.ledger.unfinished().waiting) == 2
