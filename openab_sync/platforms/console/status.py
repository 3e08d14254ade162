"""What the status line says, from pictures of the chat and of the house. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wcwidth import wcswidth

from ...core.message import Conversation
from ...core.state import State
from ...text.clean import one_line

if TYPE_CHECKING:
    from ...core.broker import HouseSnapshot
    from ...core.house import SessionSnapshot

__all__ = ["View", "is_busy", "overview", "session_of", "status_line"]

WORKING = {State.NEW, State.STARTING, State.BUSY, State.CANCELLING}
TOOL = 40  # characters of a tool's title
TITLE = 20  # columns of a conversation's title


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
    parts = [f"[{view.conversation.id}]", *_state(view.conversation, house, now)]
    for name in view.names:
        if name == view.conversation.id:
            continue
        if name in view.asking:
            parts.append(f"[{name}] asks you")
        elif is_busy(Conversation(view.conversation.platform, name), house):
            parts.append(f"[{name}] busy")
    return " · ".join([*parts, *_details(view.conversation, house)])


def overview(view: View, house: HouseSnapshot, now: float) -> str:
    """Return a line for each conversation of this terminal, the current one marked: what it does at `now`."""
    lines = []
    for name in view.names:
        conversation = Conversation(view.conversation.platform, name)
        mark = "→" if conversation == view.conversation else " "
        parts = [*_state(conversation, house, now), *_details(conversation, house)]
        lines.append(f"{mark} [{name}] {' · '.join(parts)}")
    return "\n".join(lines)


def _state(conversation: Conversation, house: HouseSnapshot, now: float) -> list[str]:
    """What matters most; a narrow terminal shows no more than this."""
    session = session_of(conversation, house)
    if session is None:
        return ["waiting for a room" if conversation.key in house.waiting else "ready"]
    state = str(session.state)
    if session.turn_started is not None and session.state in WORKING:
        state += f" {max(0.0, now - session.turn_started):.0f} s"
    asks = ["asks you"] if session.questions else []
    queue = [f"{session.inbox} queued"] if session.inbox else []
    return [state, *asks, *queue]


def _details(conversation: Conversation, house: HouseSnapshot) -> list[str]:
    session = session_of(conversation, house)
    if session is None:
        return []
    tool = [f"🔧 {one_line(session.tool, TOOL)}"] if session.tool else []
    title = [_narrow(session.title, TITLE)] if session.title else []
    return [*tool, *title]


def _narrow(text: str, columns: int) -> str:
    """Return `text` as one line of at most `columns` columns of the terminal, where one character may take two."""
    line = one_line(text, columns)
    while wcswidth(line) > columns:
        line = one_line(line, len(line) - 1)
    return line
