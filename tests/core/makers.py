"""Makers of what the core's tests need again and again: notes, a house, a pool that only writes down."""

from __future__ import annotations

from concurrent.futures import Future
from typing import cast

from openab_sync.acp.process import Launch
from openab_sync.clock import Clock
from openab_sync.config.live import Live
from openab_sync.config.schema import Config
from openab_sync.core.house import House, Order, Placement, SessionSnapshot
from openab_sync.core.message import Conversation, Inbound, MessageRef, Person
from openab_sync.core.pool import SessionPool
from openab_sync.errors import OpenabError
from openab_sync.text.redact import Redactor

__all__ = ["ANNA", "BEN", "HERE", "THERE", "PaperPool", "house", "note"]

HERE, THERE = Conversation("test", "1"), Conversation("test", "2")
ANNA, BEN = Person("a", "Anna"), Person("b", "Ben")


def note(name: str, text: str = "", by: Person = ANNA, where: Conversation = HERE) -> Inbound:
    """A message whose id is `name`; its text too, unless it says something else."""
    return Inbound(MessageRef(where, name), by, text or name)


def house(clock: Clock, config: Config | None = None) -> House:
    """A house whose agent is never started."""
    return House(
        live=Live(config or Config()),
        clock=clock,
        launch=lambda cwd: Launch("nothing", (), cwd or "/", {}, "Nothing"),
        agent_name="Nothing",
        redact=Redactor(),
    )


class PaperPool:
    """A pool without sessions: what is ordered is written down, and the test says what comes of it."""

    def __init__(self) -> None:
        self.orders: list[Order] = []
        self.notes: list[Inbound] = []
        self.sessions: tuple[SessionSnapshot, ...] = ()
        self.line: tuple[str, ...] = ()
        self.refusal: OpenabError | None = None
        self.puts_off = False
        self.placement = Placement("accepted")

    @property
    def as_pool(self) -> SessionPool:
        """Itself, where a pool is asked for."""
        return cast(SessionPool, self)

    def deliver(self, note: Inbound) -> Placement:
        if self.refusal:
            raise self.refusal
        self.notes.append(note)
        return self.placement

    @property
    def later(self) -> PaperPool:
        return self

    def takes(self, note: Inbound) -> bool:
        return self.puts_off

    def order(self, conversation: Conversation, order: Order) -> Future[str]:
        if self.refusal:
            raise self.refusal
        self.orders.append(order)
        return order.done

    def withdraw(self, ref: MessageRef, by: Person | None = None) -> bool:
        before = len(self.notes)
        self.notes = [item for item in self.notes if item.ref != ref]
        return len(self.notes) < before

    def edit(self, ref: MessageRef, text: str) -> bool:
        if not any(item.ref == ref for item in self.notes):
            return False
        self.notes = [Inbound(ref, item.sender, text) if item.ref == ref else item for item in self.notes]
        return True

    def waiting(self, conversation: Conversation) -> tuple[Inbound, ...]:
        return tuple(item for item in self.notes if item.conversation == conversation)

    def snapshot(self) -> tuple[tuple[SessionSnapshot, ...], tuple[str, ...]]:
        return self.sessions, self.line
