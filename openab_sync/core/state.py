"""The states of a session, and the only moves between them.

    NEW ─START─► STARTING ─READY─► IDLE ─TAKE─► BUSY ─DONE─► IDLE
                                                 │ CANCEL      ▲
                                                 ▼             │
                                             CANCELLING ─DONE──┘
    any but CLOSING, CLOSED ─CLOSE─► CLOSING ─END─► CLOSED

`TRANSITIONS` is the whole truth; the drawing above is for people. A move that is not in it is a bug of ours and
raises without changing anything. This file knows no threads: who may move, and under which lock, is `session`'s rule.
"""

from __future__ import annotations

from enum import StrEnum

from ..errors import IllegalTransition

__all__ = ["TRANSITIONS", "Event", "State", "after"]


class State(StrEnum):
    """Where a session is in its life."""

    NEW = "new"
    STARTING = "starting"
    IDLE = "idle"
    BUSY = "busy"
    CANCELLING = "cancelling"
    CLOSING = "closing"
    CLOSED = "closed"


class Event(StrEnum):
    """What moves it on."""

    START = "start"  # its thread runs
    READY = "ready"  # the agent has shaken hands and has a session
    TAKE = "take"  # a note was taken from the inbox; one critical section with this move
    CANCEL = "cancel"  # the agent was told to stop
    DONE = "done"  # the turn's reply is out
    CLOSE = "close"  # no more notes
    END = "end"  # the thread's last act


TRANSITIONS: dict[State, dict[Event, State]] = {
    State.NEW: {Event.START: State.STARTING, Event.CLOSE: State.CLOSING},
    State.STARTING: {Event.READY: State.IDLE, Event.CLOSE: State.CLOSING},
    State.IDLE: {Event.TAKE: State.BUSY, Event.CLOSE: State.CLOSING},
    State.BUSY: {Event.DONE: State.IDLE, Event.CANCEL: State.CANCELLING, Event.CLOSE: State.CLOSING},
    State.CANCELLING: {Event.DONE: State.IDLE, Event.CLOSE: State.CLOSING},
    State.CLOSING: {Event.END: State.CLOSED},
    State.CLOSED: {},
}


def after(state: State, event: Event) -> State:
    """Return where `event` leads from `state`; raise IllegalTransition if it leads nowhere."""
    try:
        return TRANSITIONS[state][event]
    except KeyError:
        legal = ", ".join(TRANSITIONS[state]) or "nothing"
        raise IllegalTransition(f"{event} while {state}: only {legal} is possible there") from None
