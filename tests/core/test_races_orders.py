"""Two things at once: a reset and what comes around it, orders and the end of the session, bugs of ours.

As in `test_races`: one thread is stopped at a named point, and the other does what it must not notice.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from openab_sync.core.agent import Agent
from openab_sync.core.calls import Calls
from openab_sync.core.house import Cancel, Open, Reset, SetOption
from openab_sync.core.inbox import Inbox
from openab_sync.core.mailbox import Mailbox
from openab_sync.core.message import Inbound
from openab_sync.core.pool import SessionPool
from openab_sync.core.session import Session
from openab_sync.core.starting import Starting
from openab_sync.core.state import State
from openab_sync.errors import AgentGone, OpenabError, SessionClosed
from tests.core.bed import ANN, Bed, place
from tests.core.points import PAGES, awake, dies, kill, methods, order, ref, stopped
from tests.waiting import until

# A reset and what comes after it.


def test_a_message_after_a_reset_is_not_dropped_by_it(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with Bed("--log", str(log)) as bed:
        bed.ask("say one\\n")
        bed.say("hang")
        bed.until_state(State.BUSY)
        bed.say("say never")
        with awake(bed) as point:
            first = order(bed, Reset(ANN))
            point.reach()
            bed.say("say two\\n")
            second = order(bed, Open())
        assert first.result(5).endswith("1 waiting message was dropped.")
        assert second.result(5) == ""
        until(lambda: len(bed.ends()) == 3)
        assert bed.text().split() == ["one", "two"]
    assert "session/load" not in methods(log)


def test_a_box_takes_nothing_more_once_a_reset_is_in_it() -> None:
    mailbox = Mailbox(place(), Inbox())
    mailbox.offer(Inbound(ref(1), ANN, "say never"))
    mailbox.order(Reset(ANN))
    with pytest.raises(SessionClosed):
        mailbox.offer(Inbound(ref(2), ANN, "say later"))
    assert not mailbox.come_first([Inbound(ref(3), ANN, "say left")])
    assert mailbox.waiting() == ()


def test_a_reset_while_starting_ends_that_start_only(tmp_path: Path) -> None:
    begin = tmp_path / "begin"
    with Bed("--slow-new-on", str(begin)) as bed:
        bed.say("say never")
        bed.until_state(State.STARTING)
        until(lambda: bed.snapshot().pid)
        with awake(bed) as point:
            answer = order(bed, Reset(ANN))
            point.reach()
            bed.say("say two")
            begin.touch()
        assert answer.result(5).endswith("1 waiting message was dropped.")
        bed.until_text("two")
        assert "never" not in bed.text()


def test_two_resets_are_both_answered() -> None:
    with Bed() as bed:
        bed.say("hang")
        bed.until_state(State.BUSY)
        with awake(bed) as point:
            first = order(bed, Reset(ANN))
            point.reach()
            bed.say("say never")
            second = order(bed, Reset(ANN))
            bed.say("say two")
        assert first.result(5).startswith("Reset")
        assert second.result(5).startswith("Reset")
        until(lambda: len(bed.ends()) == 2)
        assert bed.text() == "two"


@pytest.mark.parametrize("where", ["_break_off", "on_end"])
def test_a_reset_of_a_session_that_is_ending_forgets_it_and_what_waits(where: str, tmp_path: Path) -> None:
    gate, log = tmp_path / "gate", tmp_path / "log"
    with Bed("--log", str(log)) as bed:
        bed.say(f"gate {gate}\ncrash")
        bed.until_state(State.BUSY)
        bed.say("say never")
        with stopped(SessionPool if where == "on_end" else Session, where) as point:
            gate.touch()
            point.reach()
            bed.say("say neither")
            assert order(bed, Reset(ANN)).result(5).startswith("Reset")
            bed.say("say new")
        until(lambda: len(bed.ends()) == 2)
        assert bed.text() == "new"
        assert bed.notices() == []
    assert "session/load" not in methods(log)


def test_a_reset_at_the_moment_of_death_loses_neither_the_reply_nor_the_reset(tmp_path: Path) -> None:
    """The session that tells of a death is not interrupted in it."""
    gate, log, words = tmp_path / "gate", tmp_path / "log", " ".join(f"word{number}" for number in range(40))
    with Bed("--log", str(log), limits=PAGES) as bed:
        bed.say(f"say {words}\ngate {gate}\ncrash")
        bed.until_state(State.BUSY)
        with stopped(Session, "shut", when=dies) as point:
            gate.touch()
            point.reach()
            answer = order(bed, Reset(ANN))
        assert answer.result(5).startswith("Reset")
        until(lambda: bed.broker.snapshot().sessions == ())
        assert " ".join(bed.port.texts(place())).split()[:40] == words.split()
        bed.say("say new")
        bed.port.until_text(place(), "new")
    assert "session/load" not in methods(log)


def test_a_reset_while_the_reply_is_in_flight_lets_it_arrive() -> None:
    with Bed(limits=PAGES) as bed:
        words = " ".join(f"word{number}" for number in range(40))
        bed.port.hold()
        bed.say(f"say {words}")
        until(lambda: bed.port.held)
        answer = order(bed, Reset(ANN))
        assert answer.result(5).startswith("Reset")
        bed.port.release_all()
        until(lambda: bed.broker.snapshot().sessions == ())
        assert " ".join(bed.port.texts(place())).split()[:40] == words.split()


# Orders are always answered.


def test_an_order_around_a_death_is_refused_or_obeyed_by_the_successor() -> None:
    with Bed() as bed:
        bed.ask("say one")
        bed.until_state(State.IDLE)
        with stopped(Session, "shut", when=dies) as death, stopped(SessionPool, "on_end") as end:
            kill(bed)
            death.reach()
            refused = [order(bed, Open()), order(bed, SetOption("model", "big"))]
            late = order(bed, Cancel(ANN))
            death.go()
            end.reach()
            obeyed = order(bed, Open())
            for future in refused:
                assert isinstance(future.exception(5), AgentGone)
            assert late.result(5) == "Nothing is running here."
        assert obeyed.result(5) == ""


def test_an_order_that_waits_for_the_start_is_answered_when_that_fails(tmp_path: Path) -> None:
    with Bed("--die-on", "session/new") as bed:
        with stopped(Session, "_pump") as point:
            opened = order(bed, Open())
            point.reach()
            option = order(bed, SetOption("model", "big"))
        assert isinstance(opened.exception(5), AgentGone)  # the reason, not only that it was
        assert isinstance(option.exception(5), AgentGone)


def test_an_option_is_answered_when_the_agent_dies_over_it() -> None:
    with Bed("--options", "--die-on", "session/set_config_option") as bed:
        assert "●" in bed.command("models").text
        option = bed.snapshot().options[0]
        future = order(bed, SetOption(option.id, option.choices[0].value))
        assert isinstance(future.exception(5), AgentGone)
        until(lambda: bed.broker.snapshot().sessions == ())


def test_orders_are_answered_though_one_of_them_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(Agent, "set", broken)
    with Bed() as bed:
        bed.ask("say one\\n")
        bed.until_state(State.IDLE)
        with awake(bed) as point:
            first = order(bed, SetOption("model", "big"))
            point.reach()
            second, third = order(bed, Cancel(ANN)), order(bed, Open())
            bed.say("say two\\n")
        assert isinstance(first.exception(5), OpenabError)
        assert second.result(5) == "Nothing is running here."
        assert isinstance(third.exception(5), OpenabError)
        bed.until_text("two")


def test_orders_left_for_a_thread_that_died_without_a_word_are_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(session: Session) -> None:
        with session.mailbox._lock:  # as the bell wants it
            session.mailbox.bell.close()

    with Bed() as bed:
        with monkeypatch.context() as patch:
            patch.setattr(Session, "_run", run)
            opened, reset = order(bed, Open()), order(bed, Reset(ANN))
            thread = bed.pool._rooms.threads[0].thread
            assert thread is not None
            thread.join(10)
        bed.pool.sweep()
        assert isinstance(opened.exception(5), SessionClosed)
        assert reset.result(5).startswith("Reset")
        assert repr(bed.pool) == "<SessionPool sessions=0 ending=0 line=0>"


# Bugs of ours, and faults that come back, cost a message each and not the machine.


@pytest.mark.parametrize("bug", [ZeroDivisionError("a bug"), OpenabError("a bug of another kind")])
def test_a_bug_before_the_first_turn_is_told_and_not_met_for_ever(
    bug: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise bug

    with Bed() as bed:
        with monkeypatch.context() as patch:
            patch.setattr(Starting, "begin", broken)
            for text in ("say one", "say two"):
                bed.say(text)
            until(lambda: len(bed.ends()) == 2)
            until(lambda: bed.broker.snapshot().sessions == ())
        assert all("internal error" in item.reason for item in bed.ends())
        assert bed.ask("say hello").outcome == "done"


def test_an_agent_that_dies_after_it_was_taken_up_again_costs_one_message_each() -> None:
    with Bed() as bed:
        bed.ask("crash")
        with stopped(Calls, "settle") as point:
            bed.say("say one")
            point.reach()
            kill(bed)
        until(lambda: len(bed.ends()) == 2)
        assert bed.ends()[1].outcome == "failed"
        assert bed.ask("say two").outcome == "done"
        assert bed.text() == "two"
