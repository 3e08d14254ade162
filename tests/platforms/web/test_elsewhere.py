from __future__ import annotations

from dataclasses import replace

from openab_sync.acp.events import Diff, Output, PlanEntry
from openab_sync.core.house import SessionSnapshot
from openab_sync.core.message import Conversation
from openab_sync.core.state import State
from openab_sync.core.transcript import Asked as Written
from openab_sync.core.transcript import MediaPart, PlanPart, TextPart, ToolPart, TurnSeen
from openab_sync.platforms.web.elsewhere import Glass, seen
from openab_sync.platforms.web.entries import Asked, Call, Message, Plan, Sentence, Stopped, Words

from .makers import question

FAR = Conversation("discord", "9")
TOOL = ToolPart("1", "Edit a", "edit", "done", "a", (Diff("a", "1", "2"), Output("fine")))
TURN = TurnSeen(
    2,
    (Written("m1", "Ann", "Fix\nit"),),
    (TextPart("text", "*So*"), TextPart("thought", "hm"), TOOL, PlanPart((PlanEntry("a"),)), TextPart("notice", "N"),
     MediaPart("p.png", "image/png"), TextPart("text", "Done.")),
    (question(place=FAR),),
    1.0,
)  # fmt: skip
ENDED = replace(TURN, questions=(), ended=3.5, outcome="gone", reason="It died.")


def session(*turns: TurnSeen) -> SessionSnapshot:
    return SessionSnapshot(FAR, State.BUSY, "Demo", turns=turns)


def test_a_turn_is_a_room_of_the_same_entries_as_the_pages_own() -> None:
    room = seen(session(TURN))
    contents = [entry.content for entry in room.entries]
    assert contents[0] == Message("m1", "Ann", "Fix\nit", (), "running")
    assert contents[1:3] == [Words("said", "*So*"), Words("thought", "hm")]
    call = contents[3]
    assert isinstance(call, Call)
    assert (call.title, call.state, call.output, call.changes[0][0]) == ("Edit a", "done", "fine", "a")
    assert contents[4:] == [
        Plan((PlanEntry("a"),)),
        Sentence("N"),
        Sentence("📎 p.png image/png"),
        Words("said", "Done."),
        Asked(question(place=FAR)),
    ]
    assert (room.title, room.who, room.words, room.is_working) == ("Fix it", "Ann", "Done.", True)
    assert [entry.id for entry in room.entries] == sorted(entry.id for entry in room.entries)


def test_how_a_turn_ended_stands_last() -> None:
    room = seen(session(ENDED))
    assert room.entries[-1].content == Stopped("gone", "It died.", "", 2.5)
    assert not room.is_working


def test_a_session_in_which_nothing_was_said_is_an_empty_room() -> None:
    room = seen(session())
    assert (room.entries, room.title, room.who, room.words) == ((), "", "", "")


def test_a_page_is_told_only_what_is_new() -> None:
    glass = Glass()
    first = glass.look(session(TURN))
    assert {entry.version for entry in first.entries} == {first.version}
    assert glass.look(session(TURN)).version == first.version
    more = replace(TURN, parts=(*TURN.parts[:-1], TextPart("text", "Done. Really.")))
    second = glass.look(session(more))
    changed = [entry.content for entry in second.entries if entry.version > first.version]
    assert changed == [Words("said", "Done. Really.")]


def test_what_is_there_no_more_is_told_once() -> None:
    glass = Glass()
    glass.look(session(TURN))
    settled = glass.look(session(replace(TURN, questions=())))
    assert len(settled.gone) == 1
    assert glass.look(session(replace(TURN, questions=()))).gone == ()
    began_anew = glass.look(session(replace(ENDED, number=1)))
    assert len(began_anew.gone) == 8
