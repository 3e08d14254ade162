"""The front desk: what becomes of a message, and what people are told."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from openab_sync.config.schema import Config
from openab_sync.core.broker import Broker, HouseSnapshot
from openab_sync.core.commands import CommandAnswer
from openab_sync.core.house import Open, Placement, SessionSnapshot
from openab_sync.core.port import Limits
from openab_sync.core.state import State
from openab_sync.errors import InboxFull, OpenabError, PoolClosed, PoolFull
from tests.core.bed import ANN, BOB, Bed, place
from tests.core.makers import ANNA, HERE, THERE, PaperPool, house, note
from tests.core.paper_ledger import PaperLedger
from tests.fakes.clock import FakeClock
from tests.fakes.platform import FakePlatform
from tests.waiting import until


class FrontDesk:
    """A broker between a fake platform and a pool on paper."""

    def __init__(self) -> None:
        self.pool = PaperPool()
        self.port = FakePlatform(FakeClock())
        config = msgspec.convert({"pool": {"max_sessions": 3}}, Config)
        self.broker = Broker(house(FakeClock(), config), self.pool.as_pool, {"test": self.port})


@pytest.fixture
def desk() -> FrontDesk:
    return FrontDesk()


def test_a_message_that_is_next_is_marked_and_nothing_is_said(desk: FrontDesk) -> None:
    receipt = desk.broker.receive(note("m"))
    assert (receipt.state, receipt.position, receipt.text) == ("accepted", 1, "")
    assert desk.pool.notes == [note("m")]
    assert desk.port.reactions[note("m").ref] == ["👀"]
    assert desk.port.texts(HERE) == []


@pytest.mark.parametrize(
    ("position", "text"), [(1, "Queued."), (2, "Queued: 1 message before it."), (4, "Queued: 3 messages before it.")]
)
def test_a_queued_message_is_marked_and_its_place_is_known(desk: FrontDesk, position: int, text: str) -> None:
    desk.pool.placement = Placement("queued", position)
    receipt = desk.broker.receive(note("m"))
    assert (receipt.state, receipt.position, receipt.text) == ("queued", position, text)
    assert desk.port.texts(HERE) == []  # the mark says it


def test_a_newcomer_that_waits_is_told_its_place(desk: FrontDesk) -> None:
    desk.pool.placement = Placement("waiting", 2)
    receipt = desk.broker.receive(note("m"))
    assert (receipt.state, receipt.position) == ("waiting", 2)
    assert desk.port.texts(HERE) == [receipt.text]
    assert receipt.text == "All 3 agents are busy: number 2 in line, it starts by itself."
    assert desk.port.messages(HERE)[0].reply_to == note("m").ref
    assert desk.port.reactions[note("m").ref] == ["👀"]


@pytest.mark.parametrize(
    "refusal", [PoolFull(3, 20), PoolClosed(), InboxFull(10)], ids=lambda error: type(error).__name__
)
def test_a_refusal_is_a_receipt_a_sentence_and_no_mark(desk: FrontDesk, refusal: OpenabError) -> None:
    desk.pool.refusal = refusal
    receipt = desk.broker.receive(note("m"))
    assert (receipt.state, receipt.position, receipt.text) == ("refused", 0, refusal.user_text())
    assert desk.port.texts(HERE) == [refusal.user_text()]
    assert desk.port.messages(HERE)[0].reply_to == note("m").ref
    assert desk.port.reactions[note("m").ref] == []
    assert desk.port.violations == []


def test_a_message_that_is_written_down_is_not_turned_away_by_a_house_that_closes(desk: FrontDesk) -> None:
    desk.pool.refusal, desk.pool.puts_off = PoolClosed(), True
    assert desk.broker.receive(note("m")).state == "waiting"
    assert desk.port.texts(HERE) == [], "the pool says it, once"
    assert desk.port.reactions[note("m").ref] == ["👀"]


def test_a_slow_chat_gets_the_mark_taken_back_after_it_was_put(desk: FrontDesk) -> None:
    desk.pool.refusal = PoolClosed()
    desk.port.hold()
    assert desk.broker.receive(note("m")).state == "refused"
    assert [op.what for op in desk.port.held] == ["react", "post"]
    desk.port.release_all()
    assert [(op.emoji, op.on) for op in desk.port.done("react")] == [("👀", True), ("👀", False)]
    assert desk.port.reactions[note("m").ref] == []
    assert desk.port.violations == []


def test_waiting_messages_are_edited_and_withdrawn_by_their_id(desk: FrontDesk) -> None:
    desk.broker.receive(note("m"))
    assert desk.broker.edit(note("m").ref, "better")
    assert desk.pool.notes == [note("m", "better")]
    assert desk.broker.withdraw(note("m").ref)
    assert not desk.broker.withdraw(note("m").ref)
    assert not desk.broker.edit(note("m").ref, "late")


def test_orders_and_commands_go_to_the_pool(desk: FrontDesk) -> None:
    order = Open()
    assert desk.broker.order(HERE, order) is order.done
    answer = desk.broker.command(HERE, "cancel", "", ANNA)
    desk.pool.orders[1].done.set_result("Cancelling.")
    assert answer.result(0) == CommandAnswer("Cancelling.")
    desk.pool.refusal = PoolClosed()
    with pytest.raises(PoolClosed):
        desk.broker.order(HERE, Open())


def test_the_house_is_looked_at(desk: FrontDesk) -> None:
    session = SessionSnapshot(HERE, State.IDLE)
    desk.pool.sessions, desk.pool.line = (session,), (THERE.key,)
    assert desk.broker.snapshot() == HouseSnapshot((session,), (THERE.key,))
    assert desk.broker.command(HERE, "status", "", ANNA).result(0).text.splitlines() == [
        "→ test:1: idle, ",
        "test:2: waits for a free agent",
    ]


def test_in_a_full_house_a_newcomer_waits_and_is_then_answered() -> None:
    """The same with a real pool and real agents."""
    limits = Limits(live="once", typing_interval=None)
    with Bed(pool={"max_sessions": 1, "max_waiting": 1}, limits=limits) as bed:
        assert bed.say("hang", to="1").state == "accepted"
        bed.until_state(State.BUSY, at="1")
        waits = bed.say("hello", to="2")
        assert (waits.state, waits.position) == ("waiting", 1)
        assert waits.text == "The only agent is busy: number 1 in line, it starts by itself."
        assert bed.say("hello", to="3").state == "refused"
        third = note("m3", where=place("3")).ref
        bed.port.until(lambda: bed.port.reactions.get(third) == [] and len(bed.port.texts(place("3"))) == 1)
        assert bed.command("cancel", at="1").ok
        bed.port.until(lambda: len(bed.port.texts(THERE)) == 2)
        assert bed.port.texts(THERE)[0] == waits.text
        assert bed.broker.snapshot().waiting == ()


def test_a_message_may_be_marked_before_it_is_complete_and_is_marked_once(desk: FrontDesk) -> None:
    desk.broker.mark(note("m").ref)
    assert desk.port.reactions[note("m").ref] == ["👀"]
    desk.broker.receive(replace(note("m"), is_marked=True))
    assert len(desk.port.done("react")) == 1


def test_a_mark_is_taken_back_from_what_was_never_handed_in(desk: FrontDesk) -> None:
    desk.broker.mark(note("m").ref)
    desk.broker.unmark(note("m").ref)
    assert not desk.port.reactions[note("m").ref]


def test_a_question_can_be_answered_from_elsewhere() -> None:
    """The page answers for a chat: the agent goes on, the chat's own buttons go, and a later press is told so."""
    with Bed() as bed:
        bed.say("ask")
        question = bed.port.until_question()
        option = question.options[0]
        answer = bed.broker.answer(question, option.option_id, BOB).result(20)
        assert (answer.text, answer.ok) == ("Answered.", True)
        until(lambda: bed.ends() and bed.port.settled)
        assert [(asked.id, text) for asked, text in bed.port.settled] == [(question.id, f"{option.name} — Bob")]
        late = bed.broker.answer(question, option.option_id, ANN).result(20)
        assert not late.ok and "not open" in late.text
        bed.command("reset")
        gone = bed.broker.answer(question, option.option_id, ANN).result(20)
        assert not gone.ok and "not open" in gone.text


def test_of_what_was_never_written_down_nothing_is_written_either() -> None:
    ledger = PaperLedger()
    broker = Broker(replace(house(FakeClock()), ledger=ledger), PaperPool().as_pool, {})
    for number in (0, 7):
        broker.dismiss(number, is_told=True)
        broker.dismiss(number, is_told=False)
    assert ledger.lines == [("fail", 7), ("withdraw", 7)]
