"""What patience and the account find due, done: each is one case.

Session thread only; never blocks. What touches the session's state is the session's doing (`Doer`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..config.schema import PoolConfig
from ..errors import AgentStalled
from .agent import Agent
from .answering import Answering
from .patience import Due
from .port import Outcome

__all__ = ["Doer", "do"]


@dataclass(frozen=True, slots=True)
class Doer:
    """What only the session itself can do: end its turn so, for that reason; show that something has changed."""

    cancel: Callable[[Outcome, str], None]
    show: Callable[[], None]


def do(due: Due, answering: Answering, agent: Agent, pool: PoolConfig, doer: Doer) -> None:
    """Do what is due in one turn. Raise AgentGone if the agent has ended, AgentStalled if it has to be."""
    match due:
        case Due.CHECK:
            agent.check()
        case Due.REASSURE:
            answering.reassure()
        case Due.WARN:
            answering.warn()
        case Due.LIMIT:
            doer.cancel("limit", answering.over.text if answering.over is not None else "")
        case Due.CANCEL if answering.goes_on():
            doer.show()  # when it is overdue
        case Due.CANCEL:
            doer.cancel("stalled", f"The turn passed the limit of {pool.prompt_hard_timeout_secs / 60:g} minutes.")
        case Due.KILL:
            text = f"The agent did not stop within {pool.cancel_grace_secs:g} s of being told to, and was ended."
            raise agent.blame(AgentStalled, text)
