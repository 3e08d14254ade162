"""How a session looks: made by its thread whenever something changed, read by anyone. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .agent import Agent
from .answering import Answering
from .house import SessionSnapshot
from .judging import Standing
from .state import State
from .transcript import TurnSeen

__all__ = ["Moment", "line_of", "portrait"]


@dataclass(frozen=True, slots=True)
class Moment:
    """What only the session knows: how many messages wait, when it last heard the agent, when it must have ended,
    what holds until then, and what its turns have said and done.
    """

    waiting: int
    active_at: float
    leave_by: float
    standing: tuple[Standing, ...] = ()
    turns: tuple[TurnSeen, ...] = ()


def portrait(
    before: SessionSnapshot, state: State, agent: Agent, answering: Answering | None, moment: Moment
) -> SessionSnapshot:
    """Return the snapshot: `before` itself if all that it shows is the same, but for the state."""
    asked = 0 if answering is None else answering.questions
    aged = moment.active_at - before.last_activity >= 1.0
    same = moment.waiting == before.inbox and asked == before.questions and moment.turns is before.turns
    if same and state is before.state and not (agent.changed or aged):
        return before
    agent.changed = False
    running = answering if answering is not None and not answering.is_over else None
    return SessionSnapshot(
        before.conversation,
        state,
        agent.name,
        agent.pid,
        inbox=moment.waiting,
        turn_started=running.turn.started if running else None,
        overdue_at=min(moment.leave_by, running.patience.overdue_at if running else math.inf),
        last_activity=moment.active_at,
        tool=agent.hide(running.tool) if running else "",
        questions=running.questions if running else 0,
        options=agent.peer.options,
        commands=agent.peer.commands,
        title=agent.hide(agent.title),
        usage=agent.usage,
        cwd=agent.launch.cwd,
        beat=before.beat,
        turns=moment.turns,
        standing=moment.standing,
        acp_session_id=agent.peer.session_id,
    )


def line_of(session: SessionSnapshot, now: float) -> str:
    """Return a session as one line of a log: nothing of what was said."""
    since = "" if session.turn_started is None else f" turn={now - session.turn_started:.0f}s"
    late = "" if session.beat.due == math.inf else f" owes={session.beat.due - now:.0f}s"
    return (
        f"{session.conversation} {session.state} pid={session.pid}{since} idle={now - session.last_activity:.0f}s"
        f" inbox={session.inbox} questions={session.questions}{late}"
    )
