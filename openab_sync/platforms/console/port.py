"""The console as the core sees it: whatever happens is put into one queue, for the one thread that shows it.

**Threads**: session threads call the port; `SimpleQueue.put` never blocks and needs no lock of ours. The reader of
`arrivals` is the thread `chat-console` (interactive) or the main thread (one turn).
**Never**: printing, waiting, or judging what is shown.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from queue import SimpleQueue
from typing import TypeVar

from ...core.message import Conversation, MessageRef
from ...core.port import Controls, Decision, File, Limits, Notice, Question, Seen, TurnEvent
from ...errors import ChatRefused

__all__ = ["PLATFORM", "Arrival", "AskedOf", "ConsolePort", "Happened", "SettledBy", "Signalled", "Told", "Typed"]

PLATFORM = "console"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Happened:
    """Something happened in a conversation."""

    conversation: Conversation
    event: TurnEvent


@dataclass(frozen=True, slots=True)
class AskedOf:
    """Somebody has to choose; `answer` is completed with the choice."""

    question: Question
    answer: Future[Decision]


@dataclass(frozen=True, slots=True)
class SettledBy:
    """A question needs no answer any more; `text` says who or what decided."""

    question: Question
    text: str


@dataclass(frozen=True, slots=True)
class Typed:
    """The person entered something."""

    text: str


@dataclass(frozen=True, slots=True)
class Told:
    """A command was answered."""

    conversation: Conversation
    text: str
    ok: bool = True


@dataclass(frozen=True, slots=True)
class Signalled:
    """The process got a signal."""

    number: int


Arrival = Happened | AskedOf | SettledBy | Typed | Told | Signalled | None
"""What the queue carries; a None ends the reader."""


class ConsolePort:
    """A ChatPort on a terminal (see `core.port.ChatPort`)."""

    def __init__(self, *, can_ask: bool) -> None:
        self.arrivals: SimpleQueue[Arrival] = SimpleQueue()
        self._limits = Limits(
            page=1_000_000,
            edit_interval=0.0,
            live="events",
            typing_interval=None,
            reactions=False,
            can_ask=can_ask,
            forms=can_ask,
            links=can_ask,
            local=True,
        )
        self._ids = itertools.count(1)  # next() of a count is atomic: several session threads may post

    def limits(self, conversation: Conversation) -> Limits:
        return self._limits

    def event(self, conversation: Conversation, event: TurnEvent) -> None:
        self.arrivals.put(Happened(conversation, event))

    def ask(self, question: Question) -> Future[Decision]:
        answer: Future[Decision] = Future()
        if self._limits.can_ask:
            self.arrivals.put(AskedOf(question, answer))
        else:
            answer.set_exception(ChatRefused("nobody can be asked here"))
        return answer

    def settle(self, question: Question, text: str) -> Future[None]:
        self.arrivals.put(SettledBy(question, text))
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
        self.arrivals.put(Happened(conversation, Notice(text)))
        return _done(MessageRef(conversation, f"posted-{next(self._ids)}"))

    def edit(self, ref: MessageRef, text: str, *, controls: Controls | None = None) -> Future[None]:
        self.arrivals.put(Happened(ref.conversation, Notice(text)))
        return _done(None)

    def upload(self, conversation: Conversation, file: File, *, nonce: str = "") -> Future[MessageRef]:
        return self.post(conversation, f"📎 {file.name}, {len(file.data)} bytes")

    # What a terminal has no room for is done by doing nothing.

    def react(self, ref: MessageRef, emoji: str, on: bool) -> Future[None]:
        return _done(None)

    def typing(self, conversation: Conversation) -> Future[None]:
        return _done(None)

    def rename(self, conversation: Conversation, title: str) -> Future[None]:
        return _done(None)

    def ours(self, conversation: Conversation, since: float) -> Future[Sequence[Seen]]:
        """None: a terminal ends with its process."""
        return _done(())

    def sign(self, ref: MessageRef, emoji: str) -> Future[None]:
        return _done(None)


def _done(value: T) -> Future[T]:
    future: Future[T] = Future()
    future.set_result(value)
    return future
