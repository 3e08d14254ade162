"""Going on with another session, in whatever state the conversation is: what it remembers is that session."""

from __future__ import annotations

from pathlib import Path

from openab_sync.acp.events import StoredSession
from openab_sync.core.house import Close, Memory, Reset
from openab_sync.core.state import State
from tests.core.bed import ANN, Bed, place
from tests.waiting import until


def known_session(bed: Bed, at: str) -> str:
    """A session that the agent remembers and nobody uses."""
    bed.ask("say something", to=at)
    known = bed.snapshot(at).acp_session_id
    assert known is not None
    bed.command("reset", at=at)
    until(lambda: bed.state(at) is State.CLOSED)
    return known


def test_a_conversation_without_a_session_goes_on_with_one(tmp_path: Path) -> None:
    with Bed("--memory", str(tmp_path / "memory")) as bed:
        known = known_session(bed, "A")
        answer = bed.broker.go_on(place("B"), StoredSession(known), ANN).result(5)
        assert answer.ok
        assert bed.ask("say more", to="B").outcome == "done"
        assert bed.snapshot("B").acp_session_id == known


def test_a_session_that_is_ending_leaves_what_was_chosen_and_not_its_own(tmp_path: Path) -> None:
    with Bed("--memory", str(tmp_path / "memory"), "--ignore-eof") as bed:
        known = known_session(bed, "A")
        bed.ask("say here", to="B")
        bed.pool.order(place("B"), Close("enough"))
        bed.pool.order(place("B"), Reset(ANN, Memory(known)))
        assert bed.ask("say there", to="B").outcome == "done"
        assert bed.snapshot("B").acp_session_id == known


def test_a_running_turn_is_ended_by_it_and_says_who_did_it(tmp_path: Path) -> None:
    """The command refuses that; whoever orders it all the same gets it, and people are told."""
    with Bed("--memory", str(tmp_path / "memory")) as bed:
        known = known_session(bed, "A")
        bed.say("hang", to="B")
        bed.until_state(State.BUSY, at="B")
        answer = bed.broker.go_on(place("B"), StoredSession(known), ANN).result(5)
        assert answer.text == "The agent is at work here: /cancel it first."
        assert bed.pool.order(place("B"), Reset(ANN, Memory(known))).result(5).startswith("The next message")
        [end] = until(lambda: bed.ends("B"))
        assert end.reason == "The conversation was taken to another session by Ann."


def test_a_session_that_went_on_elsewhere_is_not_taken_up_twice(tmp_path: Path) -> None:
    """Two agents with one session would write over each other's memory."""
    with Bed("--memory", str(tmp_path / "memory"), pool={"max_sessions": 1}) as bed:
        bed.ask("say here", to="A")
        known = bed.snapshot("A").acp_session_id
        assert known is not None
        bed.ask("say elsewhere", to="B")  # in A's room: A is suspended, and remembers
        assert bed.broker.go_on(place("B"), StoredSession(known), ANN).result(5).ok
        assert bed.ask("say there", to="B").outcome == "done"
        assert bed.snapshot("B").acp_session_id == known
        assert bed.ask("say new", to="A").outcome == "done"
        assert "The earlier session of this conversation went on elsewhere" in bed.notices("A")[-1]
        assert bed.snapshot("A").acp_session_id not in (None, known)


def test_what_waits_is_told_by_the_front_desk() -> None:
    with Bed() as bed:
        bed.say("hang", to="A")
        bed.until_state(State.BUSY, at="A")
        bed.say("later", to="A")
        assert [note.text for note in bed.broker.waiting(place("A"))] == ["later"]
        assert [item.session_id for item in bed.broker.stored(place("A"), ANN).result(5).sessions] == [
            bed.snapshot("A").acp_session_id
        ]
        bed.command("cancel-all", at="A")
