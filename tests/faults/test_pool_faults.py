"""Locks, rooms, hangs: the rows A of the list in tests/README.rst that no test of the pool shows by itself."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import psutil
import pytest

from openab_sync.core.agent import Agent
from openab_sync.core.state import State
from tests.core.bed import Bed
from tests.core.test_pool import stuck
from tests.fakes.clock import FakeClock
from tests.faults.scenes import sent
from tests.waiting import until

DAYS = 10 * 24 * 3600.0


class YoungClock(FakeClock):
    """The clock of a machine that has just been switched on."""

    def monotonic(self) -> float:
        return super().monotonic() - 1000.0


# Starting.


@pytest.mark.parametrize("fault", ["--no-init", "--hang-on=session/new"])
def test_an_agent_that_does_not_get_going_costs_the_others_nothing(fault: str, tmp_path: Path) -> None:
    """A3. No second of the house's time passes while A's agent starts."""
    with Bed("--once", str(tmp_path / "once"), fault, clock=FakeClock()) as bed:
        bed.say("say never", to="A")
        until((tmp_path / "once").exists)
        assert bed.ask("say one", to="B").outcome == "done"
        assert bed.ask("say two", to="C").outcome == "done"
        assert bed.state("A") is State.STARTING
        assert bed.command("reset", at="A").ok


def test_a_start_that_the_system_holds_up_costs_the_others_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A3, A6. Whoever writes is not kept either: `receive` has come back while the process is still being made."""
    inside, go_on, real = threading.Event(), threading.Event(), Agent.start

    def start(agent: Agent) -> None:
        if not inside.is_set():
            inside.set()
            go_on.wait(20)
        real(agent)

    monkeypatch.setattr(Agent, "start", start)
    with Bed(clock=FakeClock()) as bed:
        assert bed.say("say at last", to="A").state == "accepted"
        assert inside.wait(10)
        assert bed.ask("say one", to="B").outcome == "done"
        go_on.set()
        bed.until_text("at last", at="A")


def test_five_minutes_of_silence_in_one_conversation_are_not_noticed_in_another() -> None:
    """What the reports asked for: A builds, B is answered, C can be made, the status is told."""
    with Bed(clock=FakeClock()) as bed:
        bed.say("say building\nhang", to="A")
        bed.until_text("building", at="A")
        bed.pass_time(300)
        assert bed.ask("say b", to="B").outcome == "done"
        assert bed.ask("say c", to="C").outcome == "done"
        assert "A: busy" in bed.command("status", at="B").text
        assert bed.ends("A") == []


# Ending.


def test_a_session_that_ends_long_after_it_was_given_up_leaves_its_successor_alone() -> None:
    """A5. Removed is the very session, not whichever has its key by then."""
    with Bed(clock=FakeClock()) as bed:
        with stuck(bed, "A") as inside:
            bed.say("say old", to="A")
            assert inside.wait(10)
            old = bed.session("A")
            bed.pass_time(2000)
            assert bed.pool.drop_hung() == 1
            bed.say("say new", to="A")
            bed.until_text("new", at="A")
            successor = bed.session("A")
        assert old.thread is not None
        old.thread.join(10)
        assert not old.thread.is_alive()
        assert bed.session("A") is successor is not old
        bed.until_state(State.IDLE, at="A")
        assert bed.snapshot("A").pid == successor.snapshot.pid


def test_whoever_waits_for_an_option_is_told_when_the_agent_dies_of_it() -> None:
    """A7. The end of a process wakes everybody who waits for an answer of its."""
    with Bed("--options", "--die-on=session/set_config_option") as bed:
        bed.ask("say one")
        answer = bed.command("models", "large")
        assert not answer.ok
        assert "ended" in answer.text
        assert bed.ask("say two").outcome == "done"


def test_a_dead_agent_leaves_its_room() -> None:
    """A7. There is one room, and it is not lost."""
    with Bed(pool={"max_sessions": 1}) as bed:
        assert bed.ask("crash", to="A").outcome == "gone"
        assert bed.ask("say one", to="B").outcome == "done"


@pytest.mark.parametrize("word", ["crash", "error details", "stop refusal"])
def test_a_turn_that_ended_badly_is_not_taken_for_one_that_runs(word: str) -> None:
    """A13. Hours later nothing is overdue, and the room can be had."""
    with Bed(clock=FakeClock(), pool={"max_sessions": 1}) as bed:
        bed.ask(word, to="A")
        until(lambda: bed.state("A") in {State.IDLE, State.CLOSED})
        bed.pass_time(3 * 3600)
        assert bed.pool.drop_hung() == 0
        assert bed.snapshot("A").turn_started is None
        bed.say("say one", to="B")
        bed.tick(lambda: bed.ends("B"))
        assert bed.ends("B")[0].outcome == "done"


def test_a_reset_cancels_the_turn_before_it_ends_the_agent(tmp_path: Path) -> None:
    """A15. What outlives its conversation for a moment must not go on working."""
    log = tmp_path / "log"
    with Bed("--log", str(log)) as bed:
        bed.say("hang")
        bed.until_state(State.BUSY)
        until(lambda: "session/prompt" in sent(log))
        bed.command("reset")
        until(lambda: bed.broker.snapshot().sessions == ())
        assert sent(log)[-2:] == ["session/cancel", "eof"]


# Time.


def test_whoever_waits_behind_a_silent_agent_is_seen_and_can_act() -> None:
    """A9. Half an hour is not for people to sit out: they are told, see what waits, and stop it."""
    with Bed(clock=FakeClock()) as bed:
        bed.say("hang")
        bed.until_state(State.BUSY)
        assert bed.say("say next").state == "queued"
        bed.pass_time(61)
        until(bed.notices)
        assert "say next" in bed.command("queue").text
        assert bed.command("cancel").text == "Cancelling."
        bed.tick(lambda: len(bed.ends()) == 2)
        assert (bed.ends()[1].outcome, bed.text()) == ("done", "next")


def test_setting_the_wall_clock_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A12."""
    with Bed() as bed:
        bed.say("hang", to="A")
        bed.until_state(State.BUSY, at="A")
        bed.ask("say one", to="B")
        bed.until_state(State.IDLE, at="B")
        real = time.time
        monkeypatch.setattr(time, "time", lambda: real() + DAYS)
        bed.wake_all()
        assert (bed.pool.drop_hung(), bed.pool.suspend_idle()) == (0, 0)
        assert (bed.state("A"), bed.state("B")) == (State.BUSY, State.IDLE)
        bed.command("cancel", at="A")
        until(lambda: bed.ends("A"))
        assert bed.ends("A")[0].outcome == "cancelled"


def test_a_machine_that_has_just_been_switched_on_ends_nothing() -> None:
    """A17. Its clock shows less than the hours after which a session is suspended."""
    with Bed(clock=YoungClock()) as bed:
        assert bed.clock.monotonic() < 1
        assert bed.ask("say one").outcome == "done"
        bed.until_state(State.IDLE)
        assert (bed.pool.drop_hung(), bed.pool.suspend_idle()) == (0, 0)
        assert bed.state() is State.IDLE


def test_an_agent_that_stops_reading_holds_nobody_up() -> None:
    """A19. A prompt larger than the pipe; after ten seconds without progress the agent is given up."""
    with Bed("--deaf", clock=FakeClock()) as bed:
        bed.say("say " + "x" * 1_000_000, to="A")
        bed.until_state(State.BUSY, at="A")
        pid = bed.snapshot("A").pid
        assert pid is not None
        assert "A: busy" in bed.command("status", at="B").text
        bed.tick(lambda: bed.ends("A"), step=3)
        assert bed.ends("A")[0].outcome == "stalled"
        assert "not read" in bed.ends("A")[0].reason
        assert not psutil.pid_exists(pid)
