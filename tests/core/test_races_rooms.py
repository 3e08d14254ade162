"""Two things at once in the books: rooms given away, sessions that hang, the end of the house.

As in `test_races`: one thread is stopped at a named point, and the other does what it must not notice.
"""

from __future__ import annotations

import threading
from pathlib import Path

import psutil
import pytest

from openab_sync.core import pool as pool_module
from openab_sync.core.house import Cancel, Open, Reset
from openab_sync.core.mailbox import Mailbox
from openab_sync.core.pool import SessionPool
from openab_sync.core.session import Session
from openab_sync.core.state import State
from openab_sync.errors import OpenabError, SessionClosed
from tests.core.bed import ANN, Bed, place, received
from tests.core.points import PAGES, awake, beside, methods, order, ref, stopped
from tests.fakes.clock import FakeClock
from tests.waiting import until

HUNG = 1800 + 120  # seconds after which a turn's room is given away
STUCK = 60 + 120  # the same for a session that must end


def is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


# Rooms.


def test_two_threads_that_make_room_at_once_evict_two_sessions(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with Bed("--log", str(log), pool={"max_sessions": 2}) as bed:
        for name in "AB":
            bed.ask("say one", to=name)
            bed.until_state(State.IDLE, at=name)
        barrier = threading.Barrier(2)

        def write(name: str) -> None:
            barrier.wait(10)
            bed.say("say two", to=name)

        with beside(lambda: write("C")):
            write("D")
        until(lambda: bed.ends("C") and bed.ends("D"))
        assert (bed.state("A"), bed.state("B")) == (State.CLOSED, State.CLOSED)
    assert methods(log).count("initialize") == 4


def test_a_session_that_falls_idle_makes_room_even_if_it_is_the_only_one() -> None:
    """It evicts itself, in its own call."""
    with Bed(pool={"max_sessions": 1}) as bed:
        with stopped(SessionPool, "on_idle") as point:
            bed.say("say a", to="A")
            point.reach()
            assert bed.say("say b", to="B").state == "accepted"  # A was idle: it leaves for B
            assert bed.say("say more", to="A").state == "queued"  # for A's successor
        until(lambda: bed.ends("B") and len(bed.ends("A")) == 2)
        assert (bed.text("A"), bed.text("B")) == ("amore", "b")


def test_a_message_for_an_evicted_session_goes_to_its_successor_whose_agent_comes_after(tmp_path: Path) -> None:
    with Bed("--memory", str(tmp_path / "memory"), pool={"max_sessions": 1}) as bed:
        bed.ask("say one", to="A")
        bed.until_state(State.IDLE, at="A")
        pid = bed.snapshot("A").pid
        assert pid is not None
        with stopped(SessionPool, "on_end") as end, stopped(Session, "start") as start:
            bed.say("say b", to="B")
            end.reach()
            bed.say("recall", to="A")
            assert is_gone(pid)  # before anybody has its room
            end.go()
            start.reach()
        until(lambda: bed.ends("B") and len(bed.ends("A")) == 2)
        assert "say one" in bed.text("A")[3:]


def test_an_order_holds_the_room_until_it_is_obeyed_and_no_longer() -> None:
    """Nobody told the line afterwards: whoever waited there waited for ever."""
    with Bed("--options", pool={"max_sessions": 1}) as bed:
        with stopped(Mailbox, "take_next") as point:
            opened = order(bed, Open(), "A")
            point.reach()
            assert bed.say("say b", to="B").state == "waiting"
        assert opened.result(5) == ""
        until(lambda: bed.ends("B"))


def test_a_message_that_is_withdrawn_holds_the_room_no_longer() -> None:
    with Bed(pool={"max_sessions": 1}) as bed:
        bed.ask("say one", to="A")
        bed.until_state(State.IDLE, at="A")
        with awake(bed) as point:
            bed.say("say never", to="A")
            point.reach()
            assert bed.say("say b", to="B").state == "waiting"
            assert bed.broker.withdraw(ref(2, "A"))
        until(lambda: bed.ends("B"))
        assert bed.text("A") == "one"


def test_an_idle_session_that_is_stuck_when_it_must_leave_loses_its_room() -> None:
    """Somebody else's code, called on its thread, does not come back."""
    with Bed(clock=FakeClock(), pool={"max_sessions": 1}) as bed:
        inside, go_on = threading.Event(), threading.Event()

        def stick(_: object) -> None:
            inside.set()
            go_on.wait(20)

        order(bed, Open(), "A").add_done_callback(stick)
        assert inside.wait(10)
        bed.say("say b", to="B")
        assert bed.state("B") is State.CLOSED
        bed.pass_time(STUCK - 1)
        assert bed.pool.drop_hung() == 0
        bed.pass_time(1)
        assert bed.pool.drop_hung() == 1
        bed.tick(lambda: bed.ends("B"))
        go_on.set()


# Sessions that hang.


def test_the_agent_of_a_session_that_hangs_is_killed_before_its_successor_starts() -> None:
    with Bed(clock=FakeClock(), pool={"max_sessions": 1}) as bed, stopped(bed.port, "event") as hang:
        bed.say("hang")
        hang.reach()
        pid = bed.snapshot().pid
        assert pid is not None
        bed.say("say next")
        bed.pass_time(HUNG)
        with stopped(Session, "start") as start, beside(bed.pool.drop_hung) as dropped:
            start.reach()
            until(lambda: is_gone(pid))
            start.go()
        assert dropped == [1]
        bed.tick(lambda: "next" in bed.text())


def test_a_session_that_ends_after_its_room_was_given_away_does_not_disturb_its_successor(tmp_path: Path) -> None:
    """FIELD A5: what it leaves is answered by the successor, and what it remembers is not believed."""
    log = tmp_path / "log"
    with Bed("--log", str(log), clock=FakeClock(), pool={"max_sessions": 3}) as bed:
        with stopped(SessionPool, "on_end") as end:
            bed.say("crash")
            bed.say("say left\\n")
            end.reach()
            bed.pass_time(HUNG)
            assert bed.pool.drop_hung() == 1
            bed.say("say one\\n")
            bed.tick(lambda: "one" in bed.text())
            bed.tick(lambda: bed.state() is State.IDLE)
            successor = bed.session()
        bed.tick(lambda: "left" in bed.text())
        assert bed.session() is successor
        bed.say("say two\\n")
        bed.tick(lambda: "two" in bed.text())
        assert bed.text().split() == ["one", "left", "two"]
        assert repr(bed.pool) == "<SessionPool sessions=1 ending=0 line=0>"
    assert methods(log).count("initialize") == 2
    assert "session/load" not in methods(log)


def test_what_it_leaves_waits_in_the_line_if_the_successor_is_ending_too() -> None:
    with Bed(clock=FakeClock()) as bed:
        with stopped(SessionPool, "on_end") as end:
            bed.say("crash")
            bed.say("say left\\n")
            end.reach()
            bed.pass_time(HUNG)
            assert bed.pool.drop_hung() == 1
            bed.say("say one\\n")
            bed.tick(lambda: bed.state() is State.IDLE)
            with stopped(Session, "_break_off") as second:
                bed.say("crash")
                second.reach()
                end.go()
                until(lambda: [note.text for note in bed.pool.waiting(place())] == ["say left\\n"])
        bed.tick(lambda: "left" in bed.text())


def test_a_session_that_ends_normally_while_it_is_taken_for_hung_is_answered_for_once() -> None:
    with Bed(clock=FakeClock()) as bed:
        with stopped(SessionPool, "on_end") as end, stopped(SessionPool, "_disown") as disown:
            bed.say("crash")
            bed.say("say left")
            end.reach()
            bed.pass_time(HUNG)
            with beside(bed.pool.drop_hung) as dropped:
                disown.reach()
                end.go()
                bed.tick(lambda: bed.ends()[1:])
                disown.go()
        assert dropped == [1]
        assert bed.text() == "left"
        assert repr(bed.pool) == "<SessionPool sessions=1 ending=0 line=0>"


def test_orders_that_wait_for_a_session_that_hangs_are_answered() -> None:
    with Bed(clock=FakeClock()) as bed:
        with stopped(bed.port, "event") as hang:
            bed.say("hang")
            hang.reach()
            bed.say("say never")
            opened, cancelled, reset = (order(bed, what) for what in (Open(), Cancel(ANN, all=True), Reset(ANN)))
            bed.pass_time(HUNG)
            assert bed.pool.drop_hung() == 1
            assert isinstance(opened.exception(5), SessionClosed)
            assert isinstance(cancelled.exception(5), SessionClosed)
            assert reset.result(5).startswith("Reset")
        bed.say("say new")
        bed.tick(lambda: "new" in bed.text())
        assert "never" not in bed.text()


# The janitor.


def test_the_janitor_costs_a_living_house_nothing() -> None:
    with Bed() as bed:
        stop = threading.Event()

        def rounds() -> int:
            count = 0
            while not stop.is_set():
                bed.app._janitor.round()
                count += 1
            return count

        with beside(rounds) as counted:
            for word in ("say one\\n", "crash", "say two\\n", "error bare", "say three\\n"):
                bed.ask(word)
            bed.command("reset")
            bed.ask("say four\\n")
            stop.set()
        assert counted != [0]
        assert bed.text().split() == ["one", "two", "three", "four"]


# No room for another thread.


def test_what_came_for_a_session_that_cannot_be_started_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(session: Session) -> None:
        session.begun.set()
        raise RuntimeError("can't start new thread")

    with Bed() as bed:
        with monkeypatch.context() as patch:
            patch.setattr(Session, "start", start)
            with stopped(Session, "start") as point, beside(lambda: bed.say("say one")) as receipts:
                point.reach()
                bed.say("say two")
                cancelled = order(bed, Cancel(ANN))
                opened = order(bed, Open())
                point.go()
        assert len(receipts) == 1
        assert len(bed.notices()) == 1  # for the second message; the first was cancelled
        assert "no room for another agent" in bed.notices()[0]
        assert isinstance(cancelled.exception(5), OpenabError)
        assert isinstance(opened.exception(5), OpenabError)
        assert bed.pool._rooms.threads == []
        assert bed.ask("say three").outcome == "done"


# The end of the house.


def test_a_session_that_is_being_started_when_the_house_closes_is_waited_for(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with Bed("--log", str(log)) as bed:
        with stopped(Session, "start") as point, beside(lambda: bed.say("say never")):
            point.reach()
            begun = bed.session().begun
            with stopped(begun, "wait") as patience, beside(bed.app.stop) as stopped_well:
                patience.reach()
                assert not begun.is_set()
                patience.go()
                point.go()
        assert stopped_well == [True]
        assert len(bed.notices()) == 1
        assert "shutting down" in bed.notices()[0]
        assert bed.pool._rooms.threads[0].thread is not None
        assert not bed.pool._rooms.threads[0].thread.is_alive()
    assert received(log) == []  # no agent was started for nobody


def test_what_an_ended_session_left_is_told_once_when_the_house_closes_just_then(tmp_path: Path) -> None:
    with Bed() as bed:
        with stopped(SessionPool, "_dismiss") as point:
            bed.say("crash")
            bed.say("say never")
            point.reach()
            with beside(bed.app.stop) as stopped_well:
                until(lambda: bed.pool._closed)
                point.go()
        assert stopped_well == [True]
        assert len([text for text in bed.notices() if "shutting down" in text]) == 1
        assert bed.text() == ""


def test_a_message_is_told_or_answered_when_the_house_closes_over_it() -> None:
    with Bed() as bed:
        bed.say("hang")
        bed.until_state(State.BUSY)
        with awake(bed) as point, beside(bed.app.stop) as stopped_well:
            point.reach()
            until(lambda: bed.pool._closed)
            assert bed.say("say never").state == "refused"
            point.go()
        assert stopped_well == [True]
        assert len(bed.notices()) == 1
        assert bed.ends()[0].outcome == "cancelled"


def test_a_reply_in_flight_arrives_before_the_house_is_closed() -> None:
    words = " ".join(f"word{number}" for number in range(40))
    with Bed(limits=PAGES) as bed:
        bed.port.hold()
        bed.say(f"say {words}")
        until(lambda: bed.port.held)
        with beside(bed.app.stop) as stopped_well:
            until(lambda: bed.snapshot().state is not State.IDLE and bed.session().mailbox.is_shut)
            bed.port.release_all()
        assert stopped_well == [True]
        assert " ".join(bed.port.texts(place())).split()[:40] == words.split()


@pytest.mark.slow
def test_a_session_that_hangs_while_the_house_closes_leaves_no_message_untold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_module, "DELIVERY", 0.0)
    monkeypatch.setattr(pool_module, "LAST_GRACE", 0.2)
    with Bed(clock=FakeClock(), pool={"cancel_grace_secs": 0}) as bed:
        with stopped(bed.port, "event") as hang:
            bed.say("hang")
            hang.reach()
            bed.say("say never")
            with beside(bed.app.stop) as stopped_well:
                until(lambda: bed.pool._closed)
                bed.pass_time(HUNG)
                bed.pool.drop_hung()
            assert stopped_well == [False]
        until(lambda: any("shutting down" in text for text in bed.notices()))
        bed.tick(lambda: not bed.pool._rooms.threads[0].thread.is_alive())  # type: ignore[union-attr]
        monkeypatch.undo()
        assert len([text for text in bed.notices() if "shutting down" in text]) == 1
