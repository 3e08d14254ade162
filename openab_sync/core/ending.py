"""How an order ends a session, and what a turn that is cut short comes to. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import AgentError, AgentGone, AgentProtocolError
from .house import Memory, Reset
from .message import Inbound
from .port import Outcome

__all__ = ["BEFORE", "CANCELLING", "DECIDED", "Ending", "dropped_text", "memory_after", "reset_text", "verdict"]


CANCELLING = "Cancelling."
BEFORE = "Cancelled before it began."
DECIDED = "That question is not open any more."


class Ending(Exception):
    """Unwinds a session's thread out of any wait. `reason` is for people; a turn that runs ends as `outcome`."""

    def __init__(self, reason: str, outcome: Outcome = "cancelled") -> None:
        super().__init__(reason)
        self.reason, self.outcome = reason, outcome


def verdict(end: AgentError | Ending) -> tuple[Outcome, str]:
    """Return how a turn ends that the agent's error or an order cut short, and the sentence for people."""
    if isinstance(end, Ending):
        return end.outcome, end.reason
    kinds: dict[type[AgentError], Outcome] = {AgentGone: "gone", AgentProtocolError: "failed"}
    return kinds.get(type(end), "stalled"), end.user_text()


def reset_text(order: Reset) -> str:
    """Return the answer to a reset."""
    if order.memory is not None:
        return "The next message goes on with that session."
    return "Reset: the next message starts a new session."


def memory_after(reset: Reset | None, memory: Memory | None) -> Memory | None:
    """Return what is remembered of a session: `memory`, or what a reset has put in its place."""
    return reset.memory if reset else memory


def dropped_text(notes: Sequence[Inbound]) -> str:
    """Return the end of an answer that says how many waiting messages were dropped, "" for none."""
    return f" {len(notes)} waiting message{'s were' if len(notes) != 1 else ' was'} dropped." if notes else ""
