"""The dashboard's data: a card for each conversation, open questions, faults. Pure: pictures in, JSON out.

A card joins what the house knows of a session (state, tool, tokens) with what the hall has heard (who, last words).
Moments go out as seconds since the epoch, so that a picture changes only when something does: the page counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from ...core.footer import cost_text
from ...core.house import HouseSnapshot, SessionSnapshot
from ...core.state import State
from ...text.clean import one_line
from .drawing import Json, drawn_question
from .elsewhere import seen
from .entries import WELL, Message, Room
from .hall import FAULTS, Fault, View

__all__ = ["Epoch", "dashboard"]

STATES = {
    State.NEW: "starting",
    State.STARTING: "starting",
    State.IDLE: "idle",
    State.BUSY: "working",
    State.CANCELLING: "stopping",
    State.CLOSING: "ending",
    State.CLOSED: "ended",
}
ORDER = {"asking": 0, "working": 1, "stopping": 1, "starting": 2, "waiting": 3, "ending": 4, "idle": 5, "asleep": 6}


@dataclass(frozen=True, slots=True)
class Epoch:
    """Turns monotonic seconds of the house's clock into seconds since the epoch, always by the same amount."""

    offset: float

    def of(self, moment: float | None) -> float | None:
        """Return the moment to a tenth of a second, None for none."""
        return None if moment is None else round(moment + self.offset, 1)


def dashboard(view: View, house: HouseSnapshot, epoch: Epoch) -> Json:
    """Return everything but transcripts: what the page shows of the whole house."""
    sessions = {session.conversation.key: session for session in house.sessions}
    keys = dict.fromkeys([*view.rooms, *sessions, *house.waiting])
    rooms = {key: view.rooms.get(key) or _room(sessions.get(key), epoch) for key in keys}
    cards = [_card(key, rooms[key], sessions.get(key), house, epoch) for key in keys]
    cards.sort(key=lambda card: (ORDER.get(card["state"], 7), -card["touched"], card["key"]))
    elsewhere = sessions.keys() - view.rooms.keys()
    faults = [*view.faults, *(fault for key in elsewhere for fault in _faults(sessions[key], epoch))]
    faults.sort(key=lambda fault: -fault.at)
    told = [{"key": fault.conversation.key, "text": fault.text, "at": round(fault.at, 1)} for fault in faults[:FAULTS]]
    return {"cards": cards, "questions": list(_questions(filter(None, rooms.values()))), "faults": told}


def _room(session: SessionSnapshot | None, epoch: Epoch) -> Room | None:
    """Return what a session publishes of its conversation, for those that are not the page's own."""
    return None if session is None else replace(seen(session), touched=epoch.of(session.last_activity) or 0.0)


def _faults(session: SessionSnapshot, epoch: Epoch) -> Iterator[Fault]:
    for turn in session.turns:
        if turn.outcome not in {None, "gone", *WELL}:  # of an agent that has gone the hall is told
            text = one_line(turn.reason or f"{turn.outcome}", 300)
            yield Fault(session.conversation, text, epoch.of(turn.ended) or 0.0)


def _questions(rooms: Iterable[Room]) -> Iterator[Json]:
    for room in rooms:
        for asked in room.questions:
            yield {**drawn_question(asked), "where": room.title or room.conversation.key}


def _card(
    key: str, room: Room | None, session: SessionSnapshot | None, house: HouseSnapshot, epoch: Epoch
) -> dict[str, Any]:
    room_data: dict[str, Any] = {"title": "", "who": "", "words": "", "touched": 0.0, "questions": 0}
    if room is not None:
        room_data = {
            "title": room.title,
            "who": room.who,
            "words": room.words,
            "touched": round(room.touched, 1),
            "questions": len(room.questions),
        }
    card = {"key": key, "platform": key.partition(":")[0], "state": "asleep", "doing": "", "since": None, "queue": 0}
    card |= {"agent": "", "used": None, "size": None, "cost": "", "turns": 0, "pid": None} | room_data
    if session is not None:
        card |= _session(session, epoch)
    elif key in house.waiting:
        card |= {"state": "waiting", "doing": f"number {house.waiting.index(key) + 1} in line"}
    if card["questions"] and card["state"] == "working":
        card["state"] = "asking"
    if session is None and room is not None:
        card["queue"] = sum(
            isinstance(entry.content, Message) and entry.content.fate == "waiting" for entry in room.entries
        )
    card["title"] = card["title"] or (session.title if session is not None else "") or key
    return card


def _session(session: SessionSnapshot, epoch: Epoch) -> Json:
    usage = session.usage
    return {
        "state": STATES[session.state],
        "doing": one_line(session.tool, 120) if session.tool else "",
        "since": epoch.of(session.turn_started),
        "queue": session.inbox,
        "agent": session.agent,
        "used": usage.used,
        "size": usage.size,
        "cost": cost_text(usage.cost, usage.currency) if usage.cost is not None else "",
        "turns": usage.turns,
        "pid": session.pid,
    }
