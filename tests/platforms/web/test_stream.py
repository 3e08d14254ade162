from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from queue import SimpleQueue
from typing import Any

import pytest

from openab_sync.clock import SystemClock
from openab_sync.core.house import SessionSnapshot
from openab_sync.core.message import Conversation
from openab_sync.core.port import Notice
from openab_sync.core.state import State
from openab_sync.core.transcript import TextPart, TurnSeen
from openab_sync.platforms.web import stream as module
from openab_sync.platforms.web.drawing import Json
from openab_sync.platforms.web.hall import Hall, View
from openab_sync.platforms.web.port import Happened
from openab_sync.platforms.web.stream import Sights, look, stream
from openab_sync.threads import spawn
from tests.waiting import MS, until

from .makers import ONE, TWO


@pytest.fixture
def hall() -> Iterator[Hall]:
    hall = Hall(SimpleQueue(), SystemClock())
    thread = spawn("chat-web", hall.run)
    yield hall
    hall.arrivals.put(None)
    thread.join(5000 * MS)
    assert not thread.is_alive()


def house(view: View) -> Json:
    return {"rooms": len(view.rooms)}


def sights(hall: Hall, *sessions: SessionSnapshot) -> Sights:
    return Sights(hall, lambda: sessions, house, SystemClock())


def parsed(chunk: str) -> tuple[str, Any]:
    fields = dict(line.split(": ", 1) for line in chunk.strip().split("\n") if not line.startswith(":"))
    return fields.get("event", ""), json.loads(fields.get("data", "null"))


def until_event(told: Iterator[str], wanted: str) -> Any:
    for chunk in told:
        name, data = parsed(chunk)
        if name == wanted:
            return data
    raise AssertionError(f"the stream ended without {wanted}")


def say(hall: Hall, text: str) -> None:
    hall.arrivals.put(Happened(ONE, Notice(text)))


def test_a_page_is_told_all_and_then_what_changes(hall: Hall) -> None:
    say(hall, "one")
    until(lambda: "web:1" in hall.view.rooms)
    with closing(stream(sights(hall), ("web:1", 0))) as told:
        assert next(told).startswith("retry:")
        assert until_event(told, "house")["rooms"] == 1
        first = until_event(told, "room")
        assert [entry["text"] for entry in first["entries"]] == ["one"]
        say(hall, "two")
        second = until_event(told, "room")
        assert [entry["text"] for entry in second["entries"]] == ["two"]
        assert second["after"] == first["version"]


def test_a_page_that_comes_back_is_told_what_it_has_missed(hall: Hall) -> None:
    say(hall, "one")
    seen = until(lambda: "web:1" in hall.view.rooms and hall.view.rooms["web:1"].version)
    say(hall, "two")
    until(lambda: hall.view.rooms["web:1"].version > seen)
    with closing(stream(sights(hall), ("web:1", seen))) as told:
        assert [entry["text"] for entry in until_event(told, "room")["entries"]] == ["two"]


def test_a_page_from_before_a_restart_is_told_everything(hall: Hall) -> None:
    say(hall, "one")
    until(lambda: "web:1" in hall.view.rooms)
    with closing(stream(sights(hall), ("web:1", 900))) as told:
        room = until_event(told, "room")
    assert (room["after"], len(room["entries"])) == (0, 1)


def test_other_conversations_are_not_told_but_for_the_house(hall: Hall) -> None:
    with closing(stream(sights(hall), ("web:1", 0))) as told:
        until_event(told, "house")
        hall.arrivals.put(Happened(TWO, Notice("x")))
        name, data = parsed(next(told))
        assert (name, data["rooms"]) == ("house", 1)


def test_while_nothing_happens_there_is_a_beat(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BEAT", 0.01)
    with closing(stream(sights(hall), ("", 0))) as told:
        until_event(told, "house")
        assert any(next(told) == ": \n\n" for _ in range(3))


def test_the_stream_ends_with_the_hall_and_leaves_it_when_the_page_goes() -> None:
    hall = Hall(SimpleQueue(), SystemClock())
    thread = spawn("chat-web", hall.run)
    told = stream(sights(hall), ("", 0))
    until_event(told, "house")
    until(lambda: hall._bells)
    gone = stream(sights(hall), ("", 0))
    until_event(gone, "house")
    until(lambda: len(hall._bells) == 2)
    gone.close()
    until(lambda: len(hall._bells) == 1)
    hall.arrivals.put(None)
    assert until_event(told, "over") == {}
    assert list(told) == []
    thread.join(5000 * MS)


def test_a_look_is_the_same_once(hall: Hall) -> None:
    say(hall, "one")
    until(lambda: "web:1" in hall.view.rooms)
    seen = look(sights(hall), ("web:1", 0))
    assert (seen["house"]["rooms"], seen["room"]["entries"][0]["text"]) == (1, "one")
    assert look(sights(hall), ("web:9", 0))["room"] is None


def test_another_platforms_conversation_is_told_as_its_session_publishes_it(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "GLANCE", 0.01)
    far = Conversation("discord", "9")
    sessions = [speaking(far, "Hel")]
    watched = Sights(hall, lambda: sessions, house, SystemClock())
    assert look(watched, ("discord:9", 7))["room"]["after"] == 0
    with closing(stream(watched, ("discord:9", 7))) as told:
        first = until_event(told, "room")
        assert (first["after"], [entry["html"] for entry in first["entries"]]) == (0, ["<p>Hel</p>\n"])
        sessions[:] = [speaking(far, "Hello")]
        second = until_event(told, "room")
        assert [(entry["id"], entry["html"]) for entry in second["entries"]] == [
            (first["entries"][0]["id"], "<p>Hello</p>\n")
        ]


def speaking(conversation: Conversation, text: str) -> SessionSnapshot:
    turn = TurnSeen(1, (), (TextPart("text", text),), (), 0.0)
    return SessionSnapshot(conversation, State.BUSY, turns=(turn,))
