"""Orders: each is answered, whatever it is and whenever it comes; some end the session."""

from __future__ import annotations

import math
from typing import cast

import pytest

from openab_sync.config.schema import PoolConfig
from openab_sync.core.agent import Agent
from openab_sync.core.ending import Ending
from openab_sync.core.house import Cancel, Close, ListSessions, Memory, Open, Order, Reset, SetOption, Stand
from openab_sync.core.inbox import Inbox
from openab_sync.core.mailbox import Mailbox
from openab_sync.core.message import Inbound, Person
from openab_sync.core.obeying import Obeying
from openab_sync.core.port import Outcome
from openab_sync.core.state import Event
from openab_sync.core.turns import Turns
from openab_sync.errors import SessionClosed
from tests.core.makers import ANNA, BEN, HERE, note
from tests.fakes.clock import FakeClock

THREADED = PoolConfig(message_processing_mode="per-thread")


class PaperSession:
    """Writes down what only a session can do; its agent takes every request."""

    def __init__(self, *moves: Event) -> None:
        self.done: list[object] = []
        self.clock = FakeClock()
        self.mailbox = Mailbox(HERE, Inbox(lambda: THREADED))
        for move in moves:
            self.mailbox.move(move)
        turns, agent = Turns(self.clock), cast(Agent, self)
        self.obeying = Obeying(self.mailbox, agent, turns, self, self.clock)

    def cancel(self, outcome: Outcome, reason: str) -> None:
        self.done.append((outcome, reason))

    def shut(self) -> None:
        self.done.append("shut")

    def drop(self, notes: tuple[Inbound, ...], by: Person) -> None:
        self.done.append((tuple(item.ref.id for item in notes), by.name))

    def say(self, text: str) -> None:
        self.done.append(text)

    def kill(self) -> None:
        self.done.append("killed")

    def stand(self, order: Stand) -> None:
        self.done.append(order)

    def set(self, order: SetOption) -> None:
        self.done.append(order)

    def list_sessions(self, order: ListSessions) -> None:
        self.done.append(order)

    def order(self, order: Order) -> str:
        self.mailbox.order(order)
        self.obeying.obey()
        return order.done.result(0)


IDLE = (Event.START, Event.READY)
BUSY = (*IDLE, Event.TAKE)


def test_without_a_turn_a_cancel_drops_what_comes_next() -> None:
    session = PaperSession(Event.START)
    assert session.order(Cancel(ANNA)) == "Nothing is running here."
    session.mailbox.offer(note("m1"))
    session.mailbox.offer(note("m2"))
    assert session.order(Cancel(ANNA)) == "Cancelled before it began."
    assert session.order(Cancel(BEN, all=True)) == "1 waiting message was dropped."
    assert session.done == [((), "Anna"), (("m1",), "Anna"), (("m2",), "Ben")]


def test_what_needs_the_agent_waits_until_it_has_a_session() -> None:
    session = PaperSession(Event.START)
    orders: list[Order] = [Open(), SetOption("model", "big"), ListSessions()]
    for order in orders:
        session.mailbox.order(order)
    session.obeying.obey()
    assert session.done == []
    session.mailbox.move(Event.READY)
    session.obeying.obey()
    assert orders[0].done.result(0) == ""
    assert session.done == orders[1:]


def test_rules_hold_from_the_moment_they_are_given() -> None:
    session, order = PaperSession(*IDLE), Stand()
    assert session.order(order) == ""
    assert session.done == [order]


def test_a_reset_is_answered_and_ends_the_session() -> None:
    session, order = PaperSession(*IDLE), Reset(ANNA)
    session.mailbox.order(order)
    with pytest.raises(Ending, match=r"^The conversation was reset by Anna\.$"):
        session.obeying.obey()
    assert order.done.result(0).startswith("Reset: ")
    assert session.done == [((), "Anna"), "shut"]
    with pytest.raises(Ending, match="taken to another session"):
        PaperSession(*IDLE).order(Reset(ANNA, Memory("x")))


def test_an_idle_session_closes_at_once() -> None:
    session, order = PaperSession(*IDLE), Close("enough")
    session.mailbox.order(order)
    with pytest.raises(Ending, match=r"^enough$"):
        session.obeying.obey()
    assert order.done.result(0) == "Closing."


@pytest.mark.parametrize("moves", [IDLE, BUSY], ids=["idle", "its turn has just ended"])
def test_who_is_ended_hard_without_a_turn_says_why(moves: tuple[Event, ...]) -> None:
    """Whoever ordered it saw a turn, perhaps: what counts is whether there is one now whose end would say it."""
    session, order = PaperSession(*moves), Close("It took too much.", is_hard=True)
    session.mailbox.order(order)
    with pytest.raises(Ending) as ended:
        session.obeying.obey()
    assert ended.value.outcome == "stalled"
    assert session.done == ["killed", "⚠ It took too much."]


def test_a_busy_one_has_its_grace_and_is_then_cancelled_once() -> None:
    session = PaperSession(*BUSY)
    assert session.order(Close("enough", grace=5.0)) == "Closing."
    assert session.obeying.close_at == session.clock.monotonic() + 5.0
    session.clock.advance(5.0)
    session.obeying.obey()
    session.obeying.obey()
    assert session.done == [("cancelled", "enough")]


def test_without_a_limit_a_busy_one_may_finish_its_turn() -> None:
    session = PaperSession(*BUSY)
    session.order(Close("enough", grace=math.inf))
    session.clock.advance(1e9)
    session.obeying.obey()
    assert session.done == []
    assert session.obeying.closing is not None


def test_what_is_left_at_the_end_gets_the_error() -> None:
    session = PaperSession(Event.START)
    kept, late = Open(), Open()
    session.mailbox.order(kept)
    session.obeying.obey()
    error = SessionClosed("over")
    session.obeying.refuse([*session.mailbox.orders(), late], error)
    assert kept.done.exception(0) is late.done.exception(0) is error
