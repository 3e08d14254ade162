"""The front desk: platforms hand in messages and orders here, and look at the house.

Any thread; never blocks, and never raises for what people do: a refusal is a receipt, and a sentence in the
conversation. Locks: none of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Literal

from ..errors import OpenabError
from .commands import CommandAnswer, Desk, carry_out
from .house import House, HouseSnapshot, Order, Placement
from .message import Conversation, Inbound, MessageRef, Person
from .notices import forget_mark, mark, tell
from .pool import SessionPool
from .port import ChatPort

__all__ = ["Broker", "HouseSnapshot", "Receipt"]


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a message: `text` is the sentence for people where it was not plainly accepted."""

    state: Literal["accepted", "queued", "waiting", "refused"]
    position: int = 1
    text: str = ""


class Broker:
    """Everything that a platform may ask of the core."""

    def __init__(self, house: House, pool: SessionPool, ports: Mapping[str, ChatPort]) -> None:
        self._house = house
        self._pool = pool
        self._ports = ports

    def receive(self, note: Inbound) -> Receipt:
        """Take in a message that was admitted and is complete. Any thread; never blocks."""
        port = self._ports[note.conversation.platform]
        marked = mark(self._house, port, note)  # first: the session's own reactions come after it
        try:
            placement = self._pool.deliver(note)
        except OpenabError as error:
            # After it, not beside it: a chat service may swap two requests that are on their way together.
            marked.add_done_callback(lambda _: forget_mark(self._house, port, note))
            tell(port, note.conversation, error.user_text(), note.ref)
            return Receipt("refused", 0, error.user_text())
        text = self._explain(placement)
        if placement.state == "waiting":
            tell(port, note.conversation, text, note.ref)
        return Receipt(placement.state, placement.position, text)

    def edit(self, ref: MessageRef, text: str) -> bool:
        """Change the text of a message that still waits; False if it does not. Any thread; never blocks."""
        return self._pool.edit(ref, text)

    def withdraw(self, ref: MessageRef) -> bool:
        """Take back a message that still waits; False if it does not. Any thread; never blocks."""
        return self._pool.withdraw(ref)

    def command(self, conversation: Conversation, name: str, argument: str, by: Person) -> Future[CommandAnswer]:
        """Carry out one of `commands.COMMANDS`. Any thread; never blocks; the Future never fails."""
        return carry_out(Desk(self._pool, self.snapshot, self._house.clock), conversation, (name, argument), by)

    def order(self, conversation: Conversation, order: Order) -> Future[str]:
        """Leave an order. Any thread; never blocks. Raise PoolClosed or PoolFull."""
        return self._pool.order(conversation, order)

    def snapshot(self) -> HouseSnapshot:
        """Return how everything looks. Any thread; never blocks: busy sessions are looked at, not asked."""
        return HouseSnapshot(*self._pool.snapshot())

    def _explain(self, placement: Placement) -> str:
        if placement.state == "waiting":
            count = self._house.config.pool.max_sessions
            who = f"All {count} agents are" if count > 1 else "The only agent is"
            return f"{who} busy: number {placement.position} in line, it starts by itself."
        if placement.state == "queued":
            before = placement.position - 1
            return f"Queued: {before} message{'s' if before != 1 else ''} before it." if before else "Queued."
        return ""
