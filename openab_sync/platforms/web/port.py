"""The page as the core sees it: whatever happens goes into one queue, for the one thread that shows it.

**Threads**: session threads call; `SimpleQueue.put` never blocks and needs no lock of ours. The reader is
the thread `chat-web` (see `hall`). The web server's threads decide questions. **Never**: waiting, or judging what is
shown.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from queue import SimpleQueue
from typing import TypeVar

from ...core.message import Conversation, Inbound, MessageRef
from ...core.port import Controls, Decision, File, Limits, Notice, Question, Seen, TurnEvent

__all__ = [
    "PLATFORM",
    "Arrival",
    "AskedOf",
    "Dropped",
    "Fell",
    "Forgotten",
    "Happened",
    "Heard",
    "Left",
    "Listening",
    "Made",
    "Offered",
    "Recalled",
    "SettledBy",
    "Told",
    "WebPort",
]

PLATFORM = "web"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Heard:
    """A person has written a message that the house was given."""

    note: Inbound


@dataclass(frozen=True, slots=True)
class Happened:
    """Something happened in a conversation."""

    conversation: Conversation
    event: TurnEvent


@dataclass(frozen=True, slots=True)
class AskedOf:
    """Somebody has to choose."""

    question: Question


@dataclass(frozen=True, slots=True)
class SettledBy:
    """A question needs no answer any more; `text` says who or what decided."""

    question: Question
    text: str


@dataclass(frozen=True, slots=True)
class Told:
    """A command was answered."""

    conversation: Conversation
    text: str
    ok: bool = True


@dataclass(frozen=True, slots=True)
class Offered:
    """A sentence about limits; there may be none for `whose` (a person or a conversation) until midnight."""

    conversation: Conversation
    text: str
    whose: str


@dataclass(frozen=True, slots=True)
class Dropped:
    """A message was taken back by whoever wrote it."""

    conversation: Conversation


@dataclass(frozen=True, slots=True)
class Fell:
    """A session of another platform's has ended by a fault."""

    conversation: Conversation
    text: str


@dataclass(frozen=True, slots=True)
class Forgotten:
    """Nothing of a conversation is to be kept; `done` when that is so."""

    conversation: Conversation
    done: Future[None]


@dataclass(frozen=True, slots=True)
class Made:
    """A file of ours was posted."""

    conversation: Conversation
    file: File


@dataclass(frozen=True, slots=True)
class Recalled:
    """Somebody wrote something, or something happened, `at` seconds since the epoch: before a restart."""

    conversation: Conversation
    what: Inbound | TurnEvent
    at: float


@dataclass(frozen=True, slots=True)
class Listening:
    """Somebody wants to be woken by changes: something is put into `bell`."""

    bell: SimpleQueue[None]


@dataclass(frozen=True, slots=True)
class Left:
    """Whoever listened has gone."""

    bell: SimpleQueue[None]


Arrival = (
    Heard
    | Happened
    | AskedOf
    | SettledBy
    | Told
    | Offered
    | Dropped
    | Fell
    | Forgotten
    | Made
    | Recalled
    | Listening
    | Left
    | None
)
"""What the queue carries; a None ends its reader."""

Arrivals = SimpleQueue[Arrival]


class WebPort:
    """A ChatPort whose people sit in front of the page (see `core.port.ChatPort`)."""

    def __init__(self, arrivals: Arrivals) -> None:
        self._arrivals = arrivals
        self._limits = Limits(
            page=1_000_000,
            edit_interval=0.0,
            live="events",
            typing_interval=None,
            reactions=False,
            can_ask=True,
            forms=True,
            links=True,
            controls=True,
        )
        self._open: dict[str, Future[Decision]] = {}  # what people are asked, by id: a store or a pop each (atomic)
        self._ids = itertools.count(1)  # next() of a count is atomic: several session threads may post

    def limits(self, conversation: Conversation) -> Limits:
        return self._limits

    def event(self, conversation: Conversation, event: TurnEvent) -> None:
        self._arrivals.put(Happened(conversation, event))

    def ask(self, question: Question) -> Future[Decision]:
        answer = self._open[question.id] = Future()
        self._arrivals.put(AskedOf(question))
        return answer

    def decide(self, question_id: str, decision: Decision) -> bool:
        """Somebody has answered a question of the page's own; False if it is not open. Any thread; never blocks."""
        answer = self._open.pop(question_id, None)
        if answer is None or not answer.set_running_or_notify_cancel():
            return False
        answer.set_result(decision)
        return True

    def settle(self, question: Question, text: str) -> Future[None]:
        self._open.pop(question.id, None)
        self._arrivals.put(SettledBy(question, text))
        return _done(None)

    # What the core may say outside of a turn's events is shown as a sentence of ours.

    def post(
        self,
        conversation: Conversation,
        text: str,
        *,
        reply_to: MessageRef | None = None,
        nonce: str = "",
        controls: Controls | None = None,
    ) -> Future[MessageRef]:
        whose = controls.lift if controls is not None else ""
        self._arrivals.put(Offered(conversation, text, whose) if whose else Happened(conversation, Notice(text)))
        return _done(MessageRef(conversation, f"posted-{next(self._ids)}"))

    def edit(self, ref: MessageRef, text: str, *, controls: Controls | None = None) -> Future[None]:
        self._arrivals.put(Happened(ref.conversation, Notice(text)))
        return _done(None)

    def upload(self, conversation: Conversation, file: File, *, nonce: str = "") -> Future[MessageRef]:
        self._arrivals.put(Made(conversation, file))
        return _done(MessageRef(conversation, f"posted-{next(self._ids)}"))

    # The page has no room for reactions and titles of its own: what they say stands on the card.

    def react(self, ref: MessageRef, emoji: str, on: bool) -> Future[None]:
        return _done(None)

    def typing(self, conversation: Conversation) -> Future[None]:
        return _done(None)

    def rename(self, conversation: Conversation, title: str) -> Future[None]:
        return _done(None)

    def ours(self, conversation: Conversation, since: float) -> Future[Sequence[Seen]]:
        """None: what the page shows ends with the process."""
        return _done(())

    def sign(self, ref: MessageRef, emoji: str) -> Future[None]:
        return _done(None)


def _done(value: T) -> Future[T]:
    future: Future[T] = Future()
    future.set_result(value)
    return future
