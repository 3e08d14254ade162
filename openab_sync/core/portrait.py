"""How a session looks: made by its thread whenever something changed, read by anyone. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .agent import Agent
from .answering import Answering
from .house import SessionSnapshot
from .judging import Standing
from .message import Conversation
from .state import State

__all__ = ["Moment", "portrait"]


@dataclass(frozen=True, slots=True)
class Moment:
    """What only the session knows: how many messages wait, when it last heard the agent, when it must have ended,
    and what holds until then.
    """

    waiting: int
    active_at: float
    leave_by: float
    standing: tuple[Standing, ...] = ()


def portrait(
    conversation: Conversation, state: State, agent: Agent, answering: Answering | None, moment: Moment
) -> SessionSnapshot:
    """Return the snapshot."""
    running = answering if answering is not None and not answering.is_over else None
    return SessionSnapshot(
        conversation,
        state,
        agent.name,
        agent.pid,
        inbox=moment.waiting,
        turn_started=running.turn.started if running else None,
        overdue_at=min(moment.leave_by, running.patience.overdue_at if running else math.inf),
        last_activity=moment.active_at,
        tool=running.tool if running else "",
        questions=running.questions if running else 0,
        options=agent.peer.options,
        commands=agent.peer.commands,
        title=agent.title,
        usage=agent.usage,
        standing=moment.standing,
        acp_session_id=agent.peer.session_id,
    )
