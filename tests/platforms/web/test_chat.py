from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from pathlib import Path
from queue import SimpleQueue

import pytest

from openab_sync.core.broker import HouseSnapshot, Receipt
from openab_sync.core.commands import CommandAnswer
from openab_sync.core.forms import DECLINE, OPEN
from openab_sync.core.house import SessionSnapshot
from openab_sync.core.message import Conversation, Inbound, MessageRef, Person
from openab_sync.core.port import Form, Question
from openab_sync.core.recovery import Recovery
from openab_sync.core.state import State
from openab_sync.core.transcript import TurnSeen
from openab_sync.errors import OpenabError, StoreError
from openab_sync.platforms.web.chat import Chat, conversation_of
from openab_sync.platforms.web.hall import Hall
from openab_sync.platforms.web.port import Arrival, Dropped, Heard, Told, WebPort
from openab_sync.platforms.web.uploads import Uploads
from tests.fakes.clock import FakeClock

from .makers import ANN, ONE, question


@dataclass
class StubDesk:
    """Takes everything, and remembers it."""

    receipt: Receipt = field(default_factory=lambda: Receipt("queued", 2, "Queued."))
    received: list[Inbound] = field(default_factory=list)
    commands: list[tuple[str, str, str]] = field(default_factory=list)

    disk: OpenabError | None = None  # why it takes nothing
    dismissed: list[int] = field(default_factory=list)
    refused: str = ""  # why nothing more is taken

    @property
    def recovery(self) -> Recovery:
        raise NotImplementedError

    def accept(self, ref: MessageRef, by: Person, text: str, route: Mapping[str, str]) -> tuple[int, Future[None]]:
        safe: Future[None] = Future()
        if self.disk is None:
            safe.set_result(None)
        else:
            safe.set_exception(self.disk)
        return 7, safe

    def dismiss(self, number: int, *, is_told: bool) -> None:
        assert is_told
        self.dismissed.append(number)

    def refusal(self, conversation: Conversation, by: Person) -> str:
        return self.refused

    def receive(self, note: Inbound) -> Receipt:
        self.received.append(note)
        return self.receipt

    def withdraw(self, ref: MessageRef, by: Person | None = None) -> bool:
        return ref.id == "m1"

    def command(self, conversation: Conversation, name: str, argument: str, by: Person) -> Future[CommandAnswer]:
        self.commands.append((conversation.key, name, argument))
        future: Future[CommandAnswer] = Future()
        future.set_result(CommandAnswer("done so"))
        return future

    def answer(self, question: Question, option_id: str, by: Person) -> Future[CommandAnswer]:
        assert by == ANN
        self.commands.append((question.id, "answer", option_id))
        future: Future[CommandAnswer] = Future()
        future.set_result(CommandAnswer("", ok=option_id == "yes"))
        return future

    def waiting(self, conversation: Conversation) -> tuple[Inbound, ...]:
        return ()

    def snapshot(self) -> HouseSnapshot:
        there = Conversation("test", "1")
        form = replace(question("q9", there), options=(OPEN, DECLINE), form=Form("A", (), "https://example.org/"))
        turn = TurnSeen(1, (), (), (question("q7", there), form), 0.0)
        return HouseSnapshot((SessionSnapshot(ONE, State.BUSY, turns=(turn,)),), ())


@pytest.fixture
def desk() -> StubDesk:
    return StubDesk()


@pytest.fixture
def arrivals() -> SimpleQueue[Arrival]:
    return SimpleQueue()


@pytest.fixture
def chat(desk: StubDesk, arrivals: SimpleQueue[Arrival], tmp_path: Path) -> Iterator[Chat]:
    uploads = Uploads(tmp_path, FakeClock())
    yield Chat(desk, Hall(arrivals, FakeClock()), WebPort(arrivals), uploads, ANN)
    uploads.close()


def test_every_message_has_an_id_of_its_own(chat: Chat, desk: StubDesk) -> None:
    written = [chat.write(ONE, text) for text in ("one", "two")]
    assert [note.text for note in desk.received] == ["one", "two"]
    assert len({note.ref.id for note in desk.received}) == 2
    assert (written[0].state, written[0].text, desk.received[0].sender) == ("queued", "Queued.", ANN)


def test_a_message_is_on_the_disk_before_it_is_handed_in(chat: Chat, desk: StubDesk) -> None:
    chat.write(ONE, "one")
    assert desk.received[0].delivery == 7
    desk.disk = StoreError("the disk is full")
    written = chat.write(ONE, "two")
    assert (written.state, "the disk is full" in written.text) == ("refused", True)
    assert (len(desk.received), desk.dismissed) == (1, [7])


def test_an_empty_message_counts_as_none(chat: Chat, desk: StubDesk) -> None:
    desk.refused = "You have sent 30 messages within a minute."
    written = chat.write(ONE, " \n")
    assert (written.state, written.text, desk.received) == ("refused", "", [])


def test_a_message_beyond_a_limit_is_refused_before_anything_is_done_for_it(
    chat: Chat, desk: StubDesk, arrivals: SimpleQueue[Arrival]
) -> None:
    desk.refused = "You have sent 30 messages within a minute."
    written = chat.write(ONE, "one", ["no such upload"])
    assert (written.state, written.text) == ("refused", desk.refused)
    assert not desk.received and not desk.dismissed and arrivals.empty()
    chat.write(ONE, "/status")
    assert desk.commands == [(ONE.key, "status", "")]


def test_what_could_not_be_taken_is_told_to_both_sides(
    chat: Chat, desk: StubDesk, arrivals: SimpleQueue[Arrival]
) -> None:
    chat.write(ONE, "look", ["no such upload"])
    sentence = "A file was not taken: it lay about for too long."
    assert arrivals.get_nowait() == Told(ONE, sentence)
    assert arrivals.get_nowait() == Heard(desk.received[0])
    assert desk.received[0].context == f"[{sentence}]"


def test_a_message_of_which_nothing_is_left_is_not_sent(chat: Chat, desk: StubDesk) -> None:
    assert chat.write(ONE, " ", ["no such upload"]).state == "refused"
    assert desk.received == []


def test_our_commands_are_carried_out_and_answered_where_they_were_given(
    chat: Chat, desk: StubDesk, arrivals: SimpleQueue[Arrival]
) -> None:
    chat.write(ONE, "/models opus")
    chat.write(ONE, "/own-of-the-agent")
    assert desk.commands == [("web:1", "models", "opus")]
    assert arrivals.get_nowait() == Told(ONE, "done so")
    assert [note.text for note in desk.received] == ["/own-of-the-agent"]


def test_a_question_is_answered_if_it_is_open_and_has_that_option(chat: Chat, desk: StubDesk) -> None:
    tried = [chat.answer(*given) for given in (("q7", "maybe"), ("q8", "yes"), ("q7", "yes"), ("q7", "no"))]
    assert tried == [False, False, True, False]
    assert desk.commands == [("q7", "answer", "yes"), ("q7", "answer", "no")]


def test_an_address_that_another_platforms_people_are_asked_to_open_is_not_for_the_page(chat: Chat) -> None:
    assert chat.address("q9") is None and chat.complaints("q9", "open", None) == {}


def test_a_message_is_taken_back_only_while_it_waits(chat: Chat, arrivals: SimpleQueue[Arrival]) -> None:
    assert (chat.take_back(ONE, "m1"), chat.take_back(ONE, "m2")) == (True, False)
    assert arrivals.get_nowait() == Dropped(ONE)
    assert arrivals.empty()


def test_new_conversations_are_never_the_same(chat: Chat) -> None:
    places = {chat.open() for _ in range(20)}
    assert len(places) == 20
    assert {conversation_of(place.key) for place in places} == places


@pytest.mark.parametrize("key", ["", "web", "web:", ":1", "web:\n", "web:" + "x" * 300])
def test_what_names_no_conversation_is_none(key: str) -> None:
    assert conversation_of(key) is None
    assert conversation_of("discord:12:3") == Conversation("discord", "12:3")
