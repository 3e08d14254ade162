"""The floor of a conversation: who may speak, and what people are still owed.

One for all replies of a conversation. Session thread only; never blocks, holds no lock.
"""

from __future__ import annotations

from dataclasses import dataclass

from .message import MessageRef

__all__ = ["Debt", "Floor"]

# How many sentences about lost replies wait in a conversation, and in how many replies each is tried.
DEBTS = 3
DEBT_TRIES = 3


@dataclass(slots=True)
class Debt:
    """A sentence that people are owed: something was not delivered."""

    text: str
    reply_to: MessageRef | None
    nonce: str
    last: int  # the number of the reply that tried last; later ones may
    tries: int = 0


class Floor:
    """Who has it may speak: one message operation is in flight in a conversation, for any of its replies."""

    __slots__ = ("debts", "is_free", "replies")

    def __init__(self) -> None:
        self.is_free = True
        self.replies = 0  # how many have come here
        self.debts: list[Debt] = []  # oldest first; a deque takes 0.7 KiB, in every conversation

    def enter(self) -> int:
        """Return the number of a reply that has just come."""
        self.replies += 1
        return self.replies

    def owe(self, debt: Debt) -> None:
        """Note a sentence; the oldest gives way if there are too many."""
        self.debts = [*self.debts, debt][-DEBTS:]

    def debt(self, number: int) -> Debt | None:
        """Return the oldest sentence that this reply has not tried, None if there is none."""
        return next((debt for debt in self.debts if debt.last < number), None)

    def tried(self, debt: Debt, *, is_paid: bool) -> None:
        """A sentence is out, or was refused: it is tried a few times."""
        if (is_paid or debt.tries >= DEBT_TRIES) and debt in self.debts:
            self.debts.remove(debt)
