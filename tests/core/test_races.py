"""Two things at once: one thread is stopped at a named point, and the other does what it must not notice.

Nothing that was accepted is lost or doubled, every order is answered, and nobody is left behind: `Bed`, the witness and
`leaves_nothing_behind` look at the rest.
"""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from openab_sync.core.calls import Calls
from openab_sync.core.house import Cancel
from openab_sync.core.mailbox import Mailbox
from openab_sync.core.pool import SessionPool
from openab_sync.core.session import Session
from openab_sync.core.starting import Starting
from openab_sync.core.state import State
from openab_sync.core.turns import Turns
from tests.core.bed import ANN, Bed, place, received
from tests.core.points import awake, dies, kill, methods, order, ref, stopped
from tests.fakes.clock import FakeClock
from tests.waiting import until

# A message and the end of the session.


def test_a_session_that_has_taken_a_message_is_not_evicted() -> None:
    """It was, in the prototype: taken in one critical section, busy in the next."""
    with Bed(pool={"max_sessions": 1}) as bed:
        bed.ask("say one", to="A")
        bed.until_state(State.IDLE, at="A")
        with stopped(Session, "_serve") as point:
            bed.say("say two", to="A")
            point.reach()
            assert bed.say("say b", to="B").state == "waiting"
            assert bed.session("A").mailbox.state is State.BUSY
        until(lambda: bed.ends("B"))
        assert bed.text("A") == "onetwo"


def test_a_session_with_a_message_that_it_has_not_seen_yet_is_not_evicted() -> None:
    with Bed(pool={"max_sessions": 1}) as bed:
        bed.ask("say one", to="A")
        bed.until_state(State.IDLE, at="A")
        with awake(bed) as point:
            bed.say("say two", to="A")
            point.reach()
            assert bed.state("A") is State.IDLE
            assert bed.say("say b", to="B").state == "waiting"
            assert bed.pool.suspend_idle() == 0
        until(lambda: bed.ends("B"))
        assert bed.text("A") == "onetwo"


def test_a_message_between_two_turns_finds_no_idle_session() -> None:
    with Bed(pool={"max_sessions": 1}) as bed:
        with stopped(Mailbox, "take_next", when=lambda box: box.turn == 1) as point:
            bed.say("say one", to="A")
            point.reach()
            bed.say("say two", to="A")
            assert bed.say("say b", to="B").state == "waiting"
            assert not bed.session("A").mailbox.shut_if_idle()
        until(lambda: bed.ends("B"))
        assert bed.text("A") == "onetwo"


def test_messages_around_a_death_are_answered_by_the_successor_once_and_in_order(tmp_path: Path) -> None:
    """One comes between death and shut, one between shut and the end."""
    gate = tmp_path / "gate"
    with Bed() as bed:
        bed.say(f"gate {gate}\ncrash")
        bed.until_state(State.BUSY)
        bed.say("say one\\n")
        with stopped(Session, "shut", when=dies) as death, stopped(SessionPool, "on_end") as end:
            gate.touch()
            death.reach()
            assert bed.say("say two\\n").state == "queued"
            death.go()
            end.reach()
            assert bed.say("say three\\n").state == "queued"
            assert bed.state() is State.CLOSED
        until(lambda: len(bed.ends()) == 4)
        assert bed.text().split() == ["one", "two", "three"]
        assert [item.outcome for item in bed.ends()] == ["gone", "done", "done", "done"]


def test_what_waits_in_an_ending_session_is_seen_changed_and_withdrawn(tmp_path: Path) -> None:
    """Its people are being told of the death, and that may take a while."""
    gate = tmp_path / "gate"
    with Bed() as bed:
        bed.say(f"gate {gate}\ncrash")
        bed.until_state(State.BUSY)
        for text in ("say one", "say two"):
            bed.say(text)
        with stopped(Session, "_break_off") as point:
            gate.touch()
            point.reach()
            bed.say("say three")
            assert [note.text for note in bed.pool.waiting(place())] == ["say one", "say two", "say three"]
            assert bed.broker.withdraw(ref(2))
            assert bed.broker.edit(ref(3), "say zwei")
            assert not bed.broker.withdraw(ref(2))
            assert order(bed, Cancel(ANN)).result(5) == "Cancelled before it began."
            assert [note.text for note in bed.pool.waiting(place())] == ["say three"]
        until(lambda: len(bed.ends()) == 2)
        assert bed.text() == "three"


def test_a_message_is_withdrawn_or_answered_never_both() -> None:
    with Bed() as bed:
        with stopped(Mailbox, "take_next", when=lambda box: box.turn == 1) as point:
            bed.say("say one\\n")
            point.reach()
            for text in ("say two\\n", "say three\\n"):
                bed.say(text)
            assert bed.broker.withdraw(ref(2))
            assert bed.broker.edit(ref(3), "say drei\\n")
            with stopped(Session, "_serve") as taken:
                point.go()
                taken.reach()
                assert not bed.broker.withdraw(ref(3))
                assert not bed.broker.edit(ref(3), "say never")
        until(lambda: len(bed.ends()) == 2)
        assert bed.text().split() == ["one", "drei"]


@pytest.mark.parametrize(("where", "name"), [(Starting, "begin"), (Calls, "settle")], ids=["before", "while"])
def test_messages_around_the_taking_up_of_a_session_wait_and_are_answered_in_order(
    tmp_path: Path, where: type, name: str
) -> None:
    log = tmp_path / "log"
    with Bed("--log", str(log)) as bed:
        bed.ask("crash")
        with stopped(where, name) as point:
            bed.say("say one\\n")
            point.reach()
            assert bed.say("say two\\n").state == "queued"
        until(lambda: len(bed.ends()) == 3)
        assert bed.text().split() == ["one", "two"]
    assert methods(log).count("session/load") == 1


# A cancel and what it means.


def test_a_cancel_when_the_answer_is_there_comes_too_late_and_says_so() -> None:
    with Bed() as bed:
        with stopped(Session, "_deliver") as point:
            bed.say("say one")
            point.reach()
            answer = order(bed, Cancel(ANN))
        assert answer.result(5) == "That turn is over already."
        until(bed.ends)
        assert bed.ends()[0].outcome == "done"


def test_a_cancel_between_two_turns_does_not_touch_the_next(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with Bed("--log", str(log)) as bed:
        with stopped(Mailbox, "take_next", when=lambda box: box.turn == 1) as point:
            bed.say("say one\\n")
            point.reach()
            bed.say("say two\\n")
            answer = order(bed, Cancel(ANN))
        assert answer.result(5) == "That turn is over already."
        until(lambda: len(bed.ends()) == 2)
        assert [item.outcome for item in bed.ends()] == ["done", "done"]
    assert "session/cancel" not in methods(log)


def test_a_message_that_was_left_and_cancelled_before_the_session_woke_is_not_answered() -> None:
    with Bed() as bed:
        bed.ask("say one\\n")
        bed.until_state(State.IDLE)
        with awake(bed) as point:
            bed.say("say never\\n")
            point.reach()
            answer = order(bed, Cancel(ANN))
            bed.say("say two\\n")
        assert answer.result(5) == "Cancelled before it began."
        until(lambda: len(bed.ends()) == 2)
        assert bed.text().split() == ["one", "two"]


@pytest.mark.parametrize("every", [False, True])
def test_a_cancel_does_not_mean_a_message_that_came_after_it(every: bool) -> None:
    with Bed() as bed:
        bed.ask("say one\\n")
        bed.until_state(State.IDLE)
        with awake(bed) as point:
            answer = order(bed, Cancel(ANN, all=every))
            point.reach()
            bed.say("say two\\n")
        assert answer.result(5) == "Nothing is running here."
        until(lambda: len(bed.ends()) == 2)
        assert bed.text().split() == ["one", "two"]


def test_cancel_all_drops_what_waited_and_not_what_came_after_it() -> None:
    with Bed() as bed:
        bed.say("hang")
        bed.until_state(State.BUSY)
        bed.say("say never")
        with awake(bed) as point:
            answer = order(bed, Cancel(ANN, all=True))
            point.reach()
            bed.say("say kept")
        assert answer.result(5) == "Cancelling. 1 waiting message was dropped."
        until(lambda: len(bed.ends()) == 2)
        assert bed.text() == "kept"


def test_a_cancel_while_starting_takes_back_the_first_message_even_if_the_start_is_over_meanwhile() -> None:
    with Bed() as bed:
        with stopped(Mailbox, "take_next") as point:
            bed.say("say never")
            point.reach()
            answer = order(bed, Cancel(ANN))
            bed.say("say kept")
        assert answer.result(5) == "Cancelled before it began."
        bed.until_text("kept")
        assert len(bed.starts()) == 1


def test_a_question_that_is_answered_and_cancelled_at_once_gets_one_answer(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with Bed("--log", str(log)) as bed:
        bed.say("ask")
        question = bed.port.until_question()
        with awake(bed) as point:
            bed.port.answer(question, question.options[0].option_id, ANN)
            point.reach()
            answer = order(bed, Cancel(ANN))
        assert answer.result(5) == "Cancelling."
        until(bed.ends)
        assert bed.ends()[0].outcome == "cancelled"
        assert bed.ask("say after").outcome == "done"
    assert sum("outcome" in message.get("result", {}) for message in received(log)) == 1


def test_an_answer_that_is_there_before_the_ceiling_is_looked_at_counts(tmp_path: Path) -> None:
    gate, log = tmp_path / "gate", tmp_path / "log"
    with Bed("--log", str(log), clock=FakeClock()) as bed:
        bed.say(f"gate {gate}")
        bed.until_state(State.BUSY)
        with stopped(Turns, "take") as point:
            gate.touch()
            point.reach()
            bed.pass_time(1801)
        until(bed.ends)
        bed.tick(lambda: bed.state() is State.IDLE)
        bed.say("say after")
        bed.tick(lambda: len(bed.ends()) == 2)
        assert bed.ends()[1].outcome == "done"
    assert "session/cancel" not in methods(log)


def test_a_message_left_just_as_an_idle_agent_dies_goes_to_the_successor(tmp_path: Path) -> None:
    """It was taken, but no agent has seen it: nobody is told of a death that cost nothing."""
    log = tmp_path / "log"
    with Bed("--log", str(log)) as bed:
        bed.ask("say one\\n")
        bed.until_state(State.IDLE)
        pid = bed.snapshot().pid
        assert pid is not None
        with awake(bed) as point:
            bed.say("say two")
            point.reach()
            kill(bed)
            until(lambda: psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
        until(lambda: len(bed.ends()) == 2)
        assert [end.outcome for end in bed.ends()] == ["done", "done"]
        assert bed.text().split() == ["one", "two"]
