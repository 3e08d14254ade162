from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from queue import SimpleQueue

import pytest

from openab_sync.acp import events as acp
from openab_sync.core.message import Conversation
from openab_sync.core.port import File, Notice, TurnEnded, TurnStarted
from openab_sync.errors import StoreError
from openab_sync.platforms.web import hall as module
from openab_sync.platforms.web.entries import Message, Room, Sent
from openab_sync.platforms.web.hall import Hall
from openab_sync.platforms.web.port import (
    AskedOf,
    Dropped,
    Fell,
    Forgotten,
    Happened,
    Heard,
    Left,
    Listening,
    Made,
    SettledBy,
    Told,
)
from openab_sync.threads import spawn
from tests.fakes.clock import FakeClock
from tests.waiting import MS, until

from .makers import ONE, TWO, note, question, ref


@pytest.fixture
def hall() -> Iterator[Hall]:
    hall = Hall(SimpleQueue(), FakeClock())
    thread = spawn("chat-web", hall.run)
    yield hall
    hall.arrivals.put(None)
    thread.join(5000 * MS)
    assert not thread.is_alive()
    assert hall.view.is_over


def room(hall: Hall, key: str = "web:1", entries: int = 1) -> Room:
    until(lambda: key in hall.view.rooms and len(hall.view.rooms[key].entries) >= entries)
    return hall.view.rooms[key]


def test_each_conversation_has_a_room(hall: Hall) -> None:
    hall.arrivals.put(Heard(note()))
    hall.arrivals.put(Happened(TWO, Notice("there")))
    assert (room(hall).who, room(hall, "web:2").conversation) == ("Ann", TWO)


def test_a_picture_does_not_change_once_it_is_taken(hall: Hall) -> None:
    hall.arrivals.put(Heard(note()))
    room(hall)
    before = hall.view.rooms
    hall.arrivals.put(Happened(TWO, Notice("there")))
    room(hall, "web:2")
    assert list(before) == ["web:1"]


def test_whoever_listens_is_woken_until_they_leave(hall: Hall) -> None:
    bell: SimpleQueue[None] = SimpleQueue()
    hall.arrivals.put(Listening(bell))
    bell.get(timeout=5000 * MS)
    hall.arrivals.put(Left(bell))
    hall.arrivals.put(Heard(note()))
    room(hall)
    while not bell.empty():
        bell.get_nowait()
    hall.arrivals.put(Heard(note(2)))
    room(hall, entries=2)
    assert bell.empty()


def test_a_question_is_open_until_it_is_settled(hall: Hall) -> None:
    hall.arrivals.put(AskedOf(question()))
    assert [asked.question for asked in room(hall).questions] == [question()]
    hall.arrivals.put(SettledBy(question(), "Allow once — Ann"))
    until(lambda: not room(hall).questions)


def test_a_turn_that_ended_badly_is_a_fault(hall: Hall) -> None:
    for number, outcome in enumerate(("done", "cancelled", "gone"), 1):
        hall.arrivals.put(Happened(ONE, TurnEnded((ref(number),), outcome, f"why {outcome}")))  # type: ignore[arg-type]
    until(lambda: hall.view.faults)
    assert [(fault.conversation, fault.text) for fault in hall.view.faults] == [(ONE, "why gone")]


def test_a_session_of_another_platform_that_fell_is_a_fault_and_no_room(hall: Hall) -> None:
    hall.arrivals.put(Fell(Conversation("discord", "9"), "the agent\nhas ended"))
    [fault] = until(lambda: hall.view.faults)
    assert (fault.conversation.key, fault.text, dict(hall.view.rooms)) == ("discord:9", "the agent has ended", {})


def test_what_waits_no_more_is_dropped_when_a_command_was_answered(hall: Hall) -> None:
    hall.waiting = lambda conversation: {ref(2)}
    for number in (1, 2):
        hall.arrivals.put(Heard(note(number)))
    hall.arrivals.put(Told(ONE, "as you wish"))
    contents = [entry.content for entry in room(hall, entries=3).entries]
    assert [content.fate for content in contents if isinstance(content, Message)] == ["dropped", "waiting"]
    hall.waiting = lambda conversation: ()
    hall.arrivals.put(Dropped(ONE))
    until(lambda: [e.content.fate for e in room(hall).entries if isinstance(e.content, Message)] == ["dropped"] * 2)


def test_a_file_of_ours_is_there(hall: Hall) -> None:
    hall.arrivals.put(Made(ONE, File("a.md", b"text", "text/markdown")))
    assert room(hall).entries[0].content == Sent("a.md", "text/markdown", 4, b"text")


def test_the_longest_quiet_conversation_goes_first(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ROOMS", 2)
    for place in (ONE, TWO, ONE):
        hall.arrivals.put(Happened(place, Notice("x")))
    hall.arrivals.put(Happened(note(1, place=TWO).conversation, TurnStarted(())))
    three = type(ONE)("web", "3")
    hall.arrivals.put(Happened(three, Notice("x")))
    until(lambda: "web:3" in hall.view.rooms)
    assert set(hall.view.rooms) == {"web:2", "web:3"}


def test_a_flood_makes_few_pictures(hall: Hall) -> None:
    for _ in range(5000):
        hall.arrivals.put(Happened(ONE, acp.Said("word ")))
    until(lambda: sum(e.content.text.count("word") for e in room(hall).entries if hasattr(e.content, "text")) == 5000)
    assert hall.view.version < 2500


def test_it_owes_a_sign_of_life_while_it_works(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    inside, gate = threading.Event(), threading.Event()

    def waiting(conversation: Conversation) -> tuple[()]:
        inside.set()
        gate.wait()
        return ()

    monkeypatch.setattr(hall, "waiting", waiting)
    assert hall.beat.due == math.inf
    hall.arrivals.put(Told(ONE, "x"))
    assert inside.wait(5000 * MS)
    assert hall.beat.due < math.inf
    gate.set()
    until(lambda: hall.beat.due == math.inf)


def test_one_odd_event_does_not_end_the_page(
    hall: Hall, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(hall, "waiting", lambda conversation: 1 / 0)
    hall.arrivals.put(Told(ONE, "x"))
    hall.arrivals.put(Heard(note(1, place=TWO)))
    room(hall, "web:2")
    assert "could not show" in caplog.text


def test_whoever_wants_something_forgotten_is_told_if_its_files_stay(hall: Hall) -> None:
    def refuse(_: Conversation) -> None:
        raise ValueError("a bug of ours")

    hall.forget_files = refuse
    hall.arrivals.put(Heard(note()))
    room(hall)
    done: Future[None] = Future()
    hall.arrivals.put(Forgotten(ONE, done))
    assert isinstance(done.exception(5000 * MS), StoreError)
    until(lambda: not hall.view.rooms)
