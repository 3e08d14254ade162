"""Orders, and how a session carries them out: cancel, reset, options, the list of sessions, close.

Session thread only; never blocks, holds no lock. Every order is answered through its Future, whatever happens; those
that end the session raise `Ending` out of `obey`. What touches the turn and the mailbox's state is the session's doing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

from ..clock import Clock
from ..errors import OpenabError
from .agent import Agent
from .ending import BEFORE, CANCELLING, DECIDED, Ending, dropped_text, reset_text
from .house import Cancel, Close, Decide, ListSessions, Open, Order, Reset, SetOption, Stand
from .mailbox import Mailbox
from .message import Inbound, Person
from .port import Outcome
from .state import State
from .turns import Turns

__all__ = ["Deeds", "Obeying"]


class Deeds(Protocol):
    """What only the session itself can do."""

    def cancel(self, outcome: Outcome, reason: str) -> None:
        """End the running turn so, if there is one."""

    def shut(self) -> None:
        """Take no more messages."""

    def drop(self, notes: tuple[Inbound, ...], by: Person) -> None:
        """These messages will not be answered: show it, and tell their authors."""

    def say(self, text: str) -> None:
        """Tell the conversation."""

    def stand(self, order: Stand) -> None:
        """Rules hold for the rest of the session, or do not any more."""


class Obeying:
    """The orders of one session."""

    __slots__ = ("_agent", "_clock", "_deeds", "_in_hand", "_mailbox", "_orders", "_turns", "close_at", "closing")

    def __init__(self, mailbox: Mailbox, agent: Agent, turns: Turns, deeds: Deeds, clock: Clock) -> None:
        self._mailbox = mailbox
        self._agent = agent
        self._turns = turns
        self._deeds = deeds
        self._clock = clock
        self._orders: list[Order] = []  # taken, to be obeyed
        self._in_hand: list[Order] = []  # being obeyed; what stays here has raised, and is answered at the end
        self.closing: Close | None = None
        self.close_at = math.inf
        """The moment (monotonic seconds) at which a busy session that must close cancels its turn."""

    def obey(self) -> None:
        """Carry out what was ordered, and the close that time has made due. Raise Ending for what ends the session."""
        ending: Ending | None = None
        was_closing = self._mailbox.state is State.CLOSING  # nothing ends it twice: its last reply is on the way
        self._orders += self._mailbox.orders()
        while self._orders:
            self._in_hand.append(self._orders.pop(0))
            ending = self._carry_out(self._in_hand[-1]) or ending
            self._in_hand.pop()
        if ending is not None and not was_closing:
            raise ending
        if self.closing is not None and self._clock.monotonic() >= self.close_at:
            self.close_at = math.inf
            self._deeds.cancel("cancelled", self.closing.reason)

    def refuse(self, rest: Sequence[Order], error: OpenabError) -> None:
        """The session is over: whoever still waits for an answer gets the error."""
        for order in (*self._in_hand, *self._orders, *rest):
            order.done.set_exception(error)

    def _carry_out(self, order: Order) -> Ending | None:
        match order:
            case Cancel():
                order.done.set_result(self._cancel(order))
            case SetOption() | ListSessions() | Open() if self._mailbox.state in (State.STARTING, State.CLOSING):
                self._mailbox.keep(order)  # until the agent has a session; or the end, which answers it
            case Open():
                order.done.set_result("")
            case SetOption():
                self._agent.set(order)
            case ListSessions():
                self._agent.list_sessions(order)
            case Reset():
                return self._reset(order)
            case Close():
                return self._close(order)
            case Decide():
                order.done.set_result("" if self._turns.decide(order.question_id, order.decision) else DECIDED)
            case _:  # Stand
                self._deeds.stand(order)
                order.done.set_result("")
        return None

    def _cancel(self, order: Cancel) -> str:
        dropped = self._drop(order)
        if order.turn and order.turn == self._mailbox.turn and self._turns.is_running:
            self._deeds.cancel("cancelled", f"Cancelled by {order.by.name or order.by.id}.")
            return CANCELLING + dropped
        if order.dropped and not order.all:
            return BEFORE
        return dropped.strip() or ("That turn is over already." if order.turn else "Nothing is running here.")

    def _reset(self, order: Reset) -> Ending:
        dropped = self._drop(order)
        if self._turns.is_running:
            self._agent.peer.cancel()  # an agent that outlives us for a moment must not go on working (FIELD A15)
        self._deeds.shut()
        order.done.set_result(reset_text(order) + dropped)
        deed = "taken to another session" if order.memory else "reset"
        return Ending(f"The conversation was {deed} by {order.by.name or order.by.id}.")

    def _close(self, order: Close) -> Ending | None:
        if order.is_hard:
            self._mailbox.refuse()
            self._agent.kill()
            has_reply = self._turns.is_running or (self._mailbox.state is State.STARTING and self._mailbox.waiting())
            if not has_reply:  # that could say it
                self._deeds.say(f"⚠ {order.reason}")
            order.done.set_result("Ended.")
            return Ending(order.reason, "stalled")
        self.closing = order
        self._mailbox.refuse()
        order.done.set_result("Closing.")
        if self._mailbox.state not in (State.BUSY, State.CANCELLING):
            return Ending(order.reason)
        self.close_at = self._clock.monotonic() + order.grace
        if self._turns.is_running and 0 < order.grace < math.inf:
            self._deeds.say(f"{order.reason} This turn has {order.grace:g} s to finish.")
        return None

    def _drop(self, order: Cancel | Reset) -> str:
        """Show on messages that nobody will answer them, and say how many those are."""
        self._deeds.drop(order.dropped, order.by)
        return dropped_text(order.dropped)
