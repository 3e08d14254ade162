"""Letting one message go unanswered, whatever has become of it."""

from __future__ import annotations

from pathlib import Path

from openab_sync.core.commands import CommandAnswer
from openab_sync.core.desk import Desk
from openab_sync.core.house import HouseSnapshot
from openab_sync.core.message import Inbound, MessageRef
from openab_sync.core.revoking import OVER, WITHDRAWN, revoked
from openab_sync.errors import PoolClosed, SessionClosed
from tests.core.bed import ANN, BOB, Bed, place
from tests.core.makers import PaperPool
from tests.fakes.clock import FakeClock
from tests.waiting import until


def revoke(bed: Bed, name: str, *, alone: bool = False) -> CommandAnswer:
    return bed.broker.revoke(MessageRef(place(), name), BOB, alone=alone).result(20)


def test_what_waits_is_withdrawn_and_the_turn_that_runs_goes_on(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    with Bed() as bed:
        bed.say(f"gate {gate}\nsay opened")
        until(bed.starts)
        bed.say("say two")
        bed.say("say three")
        assert revoke(bed, "m2") == WITHDRAWN
        gate.touch()
        bed.until_text("three")
        assert [end.outcome for end in bed.ends()][:1] == ["done"]
        assert "two" not in bed.text()


def test_what_runs_is_cancelled_and_what_waits_goes_on() -> None:
    with Bed() as bed:
        bed.say("hang")
        until(bed.starts)
        bed.say("say two")
        assert revoke(bed, "m1") == CommandAnswer("Cancelling.")
        bed.until_text("two")
        assert bed.ends()[0].outcome == "cancelled"
        assert bed.ends()[0].reason == "Cancelled by Bob."


def test_a_message_that_is_answered_and_waits_as_well_is_both_withdrawn_and_cancelled() -> None:
    with Bed() as bed:
        bed.say("hang")
        until(bed.starts)
        ref = MessageRef(place(), "m1")
        assert bed.broker.is_answering(ref)
        assert not bed.broker.is_answering(MessageRef(place(), "m2"))
        bed.broker.receive(Inbound(ref, ANN, "hang"))
        until(lambda: bed.broker.waiting(place()))
        assert revoke(bed, "m1") == CommandAnswer("Cancelling.")
        until(bed.ends)
        assert bed.broker.waiting(place()) == ()
        assert len(bed.starts()) == 1


def test_what_waits_for_room_is_withdrawn() -> None:
    pool = PaperPool()
    desk = Desk(pool.as_pool, lambda: HouseSnapshot((), ()), FakeClock())
    ref = MessageRef(place(), "m1")
    pool.notes.append(Inbound(ref, ANN, "say one"))
    answer = revoked(desk, ref, BOB, alone=False)
    pool.orders[0].done.set_result("Nothing is running here.")
    assert answer.result(0) == WITHDRAWN
    pool.notes.append(Inbound(ref, ANN, "say one"))
    pool.refusal = PoolClosed()
    assert revoked(desk, ref, BOB, alone=False).result(0) == WITHDRAWN


def test_what_is_over_or_was_never_there_is_let_be() -> None:
    with Bed() as bed:
        assert revoke(bed, "m1") == OVER
        bed.ask("say one")
        assert revoke(bed, "m1") == OVER
        assert bed.ask("say two").outcome == "done"


def test_another_turn_than_its_own_is_never_cancelled(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    with Bed() as bed:
        bed.ask("say one")
        bed.say(f"gate {gate}\nsay opened")
        until(lambda: len(bed.starts()) == 2)
        assert revoke(bed, "m1") == OVER
        gate.touch()
        until(lambda: len(bed.ends()) == 2)
        assert bed.ends()[1].outcome == "done"


def test_a_turn_that_answers_others_too_goes_on_where_only_its_own_is_meant(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    with Bed(pool={"message_processing_mode": "per-thread"}) as bed:
        bed.say(f"gate {gate}\nsay opened")
        until(bed.starts)
        bed.say("hang", by=ANN)
        bed.say("say more", by=BOB)
        gate.touch()
        until(lambda: len(bed.starts()) == 2)
        assert revoke(bed, "m2", alone=True) == OVER
        assert revoke(bed, "m2") == CommandAnswer("Cancelling.")


def test_a_house_that_closes_says_so() -> None:
    with Bed() as bed:
        bed.app.stop()
        answer = revoke(bed, "m1")
        assert not answer.ok
        assert "shutting down" in answer.text


def test_a_session_that_ends_before_it_can_obey_has_nothing_running() -> None:
    pool = PaperPool()
    desk = Desk(pool.as_pool, lambda: HouseSnapshot((), ()), FakeClock())
    answer = revoked(desk, MessageRef(place(), "m1"), BOB, alone=False)
    pool.orders[0].done.set_exception(SessionClosed("it ended"))
    assert answer.result(0) == OVER
