"""What the status line says, from pictures of the chat and of the house. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...core.message import Conversation
from ...core.state import State
from ...text.clean import one_line

if TYPE_CHECKING:
    from ...core.broker import HouseSnapshot
    from ...core.house import SessionSnapshot

__all__ = ["View", "is_busy", "session_of", "status_line"]

WORKING = {State.NEW, State.STARTING, State.BUSY, State.CANCELLING}
TITLE = 40  # characters of a title or a tool


@dataclass(frozen=True, slots=True)
class View:
    """The chat as others see it: the current conversation, all names, the answers it waits for, and who asks."""

    conversation: Conversation
    names: tuple[str, ...]
    answers: tuple[str, ...] = ()
    asking: tuple[str, ...] = ()


def session_of(conversation: Conversation, house: HouseSnapshot) -> SessionSnapshot | None:
    """Return the session that serves `conversation`, if one does."""
    return next((session for session in house.sessions if session.conversation == conversation), None)


def is_busy(conversation: Conversation, house: HouseSnapshot) -> bool:
    """Whether an agent works, or is about to, for `conversation`."""
    session = session_of(conversation, house)
    if session is None:
        return conversation.key in house.waiting
    return session.state in WORKING or session.inbox > 0


def status_line(view: View, house: HouseSnapshot, now: float) -> str:
    """Return one line: the current conversation, what it does, and what the others do."""
    parts = [f"[{view.conversation.id}]", *_doing(view.conversation, house, now)]
    for name in view.names:
        if name == view.conversation.id:
            continue
        if name in view.asking:
            parts.append(f"[{name}] asks you")
        elif is_busy(Conversation(view.conversation.platform, name), house):
            parts.append(f"[{name}] busy")
    return " · ".join(parts)


def _doing(conversation: Conversation, house: HouseSnapshot, now: float) -> list[str]:
    session = session_of(conversation, house)
    if session is None:
        return ["waiting for a room" if conversation.key in house.waiting else "ready"]
    title = [one_line(session.title, TITLE)] if session.title else []
    state = str(session.state)
    if session.turn_started is not None and session.state in WORKING:
        state += f" {max(0.0, now - session.turn_started):.0f} s"
    tool = [f"🔧 {one_line(session.tool, TITLE)}"] if session.tool else []
    asks = ["asks you"] if session.questions else []
    queue = [f"{session.inbox} queued"] if session.inbox else []
    return [*title, state, *tool, *asks, *queue]
