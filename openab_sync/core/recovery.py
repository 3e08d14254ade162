"""Recovery: what was under way when the process before this one ended, brought to an end that its people see.

    a reply that was running   interrupted: it is never run again by itself. What had been said stays, the conversation
                               is told, and people decide (Retry, Discard)
    a reply that was finished  the pages and files that are missing are delivered, none twice
    a message that waits       handed in again, in order: by its platform, which completes it first if need be. What
                               comes meanwhile for that conversation, from wherever, waits behind it
    one that was refused       told so, under the nonce that the dead process has used

How a reply is brought to its end is `mending`, what of it stands in the chat already `retrace`.

**Threads**: `read` and `stop` are the main thread's, before and after the platforms; `mend` and `waiting` the
platform's, once for each conversation, when the chat service can be reached. The work is done by a few threads
`recovery-…`, which block in their queue and, for a bounded time, in what the chat answers; `stop` wakes them in both.
They end when nothing is left.
**Locks**: none. **Never**: a turn that is begun again; a wait without an end.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from queue import SimpleQueue
from typing import Protocol

from ..store import Delivery, ReplyRow
from ..threads import Beat, join_all, spawn
from .house import House, promise
from .mending import Mending, Patience, Stopped, note_of, whole_note
from .message import Conversation, Inbound, MessageRef
from .notices import say_refused
from .port import ChatPort

__all__ = ["Door", "Recovery", "Waiting"]

log = logging.getLogger(__name__)

THREADS = 4
STOPPING = 5.0  # seconds for the threads to end
MENDING = 600.0  # seconds that a reply may take: its pages, signs and commits, each of which is bounded by itself


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message that was accepted and not begun. `note` is the message, None where the platform has to complete it.

    That is so, too, where it cannot be read as it was kept.
    """

    number: int
    ref: MessageRef
    author: str
    text: str = field(repr=False)
    route: Mapping[str, str] = field(default_factory=dict)
    note: Inbound | None = None


class Door(Protocol):
    """Where messages are delivered (the pool). Any thread; never blocks."""

    def hold(self, conversations: Iterable[Conversation], last: int = 0) -> None:
        """Begin nothing there; messages up to the number `last` were promised an answer."""

    def let_in(self, conversation: Conversation) -> None:
        """Go on there, with the oldest message."""


@dataclass(slots=True)
class _Case:
    """What is unfinished in one conversation."""

    replies: list[ReplyRow] = field(default_factory=list)
    waiting: list[Delivery] = field(default_factory=list)


class Recovery:
    """What a house finds unfinished when it starts."""

    def __init__(self, house: House, ports: Mapping[str, ChatPort], door: Door) -> None:
        self._house, self._ports, self._door = house, ports, door
        self._cases: dict[str, _Case] = {}  # by conversation, the oldest first
        self._todo: SimpleQueue[tuple[Conversation, Future[None]] | None] = SimpleQueue()
        self._left = 0  # conversations that have not been handed to the threads
        self._threads: list[threading.Thread] = []
        self.beats: list[Beat] = []  # its threads'
        self._patience = Patience(house.clock)

    def __repr__(self) -> str:
        return f"<Recovery conversations={len(self._cases)} left={self._left}>"

    # ---- the main thread ----

    def read(self) -> None:
        """Find out what is unfinished. Blocks (disk). Raise StoreError."""
        unfinished = self._house.ledger.unfinished()
        for reply in unfinished.replies:
            self._cases.setdefault(reply.conversation, _Case()).replies.append(reply)
        for kept in unfinished.waiting:
            self._cases.setdefault(kept.fact.conversation, _Case()).waiting.append(kept)
        self._left = len(self._cases)
        last = max((kept.id for kept in unfinished.waiting), default=0)
        self._door.hold(map(_conversation, self._cases), last)
        if self._cases:
            counts = len(unfinished.replies), len(unfinished.waiting), self._left
            log.info("%d replies and %d messages in %d conversations are taken up again", *counts)
        for number in range(1, min(THREADS, self._left) + 1):
            beat = Beat(f"recovery-{number}")
            self.beats.append(beat)
            self._threads.append(spawn(beat.name, partial(self._run, beat)))

    def stop(self) -> bool:
        """Leave the rest for the next start; return whether the threads have ended. Blocks, bounded."""
        self._patience.end()
        for _ in self._threads:
            self._todo.put(None)
        return not join_all(self._threads, self._house.clock, STOPPING)

    def leave(self, platform: str) -> None:
        """A platform is not served this time: what is unfinished there is left for a start at which it is, and told."""
        left = self.conversations(platform)
        if left:
            cases = [self._cases[one.key] for one in left]
            count = sum(len(case.replies) + len(case.waiting) for case in cases)
            log.warning("%d messages and replies of %s are unfinished: they wait until it is served", count, platform)
            self._take_off(len(left))

    # ---- a platform's thread ----

    def conversations(self, platform: str) -> list[Conversation]:
        """The conversations of a platform in which something is unfinished, those that began first at the head."""
        return [found for found in map(_conversation, self._cases) if found.platform == platform]

    def replies(self, conversation: Conversation) -> list[ReplyRow]:
        """The replies of a conversation that `mend` brings to their end, in order."""
        return list(self._cases[conversation.key].replies)

    def mend(self, conversation: Conversation) -> Future[None]:
        """Bring the replies of a conversation to their end; the Future is done when they are, and never fails."""
        done: Future[None] = promise()
        self._todo.put((conversation, done))
        self._take_off(1)
        return done

    def waiting(self, conversation: Conversation) -> list[Waiting]:
        """Return the messages of a conversation that wait, in order. After `mend`."""
        return [_waiting(kept) for kept in self._cases[conversation.key].waiting]

    def handed_in(self, conversation: Conversation) -> None:
        """All that waited in a conversation is handed in, or never will be: what has come since goes on behind it."""
        self._door.let_in(conversation)

    def _take_off(self, count: int) -> None:
        """So many conversations more are in hand, or will not be this time: the threads end behind the last."""
        self._left -= count
        if self._left == 0:
            for _ in self._threads:
                self._todo.put(None)

    # ---- the threads ----

    def _run(self, beat: Beat) -> None:
        while (item := self._todo.get()) is not None:
            conversation, done = item
            beat.owes(time.monotonic(), MENDING * (1 + len(self._cases[conversation.key].replies)))
            try:
                self._mend(conversation)
            except Stopped:
                self._cases[conversation.key].waiting.clear()  # one of them may have begun: nobody has looked
                log.info("%s is left for the next start", conversation)
            except Exception:  # a thread's top: the other conversations are still to be mended
                log.exception("%s could not be taken up again", conversation)
            finally:
                beat.rests()
                done.set_result(None)

    def _mend(self, conversation: Conversation) -> None:
        case = self._cases[conversation.key]
        port = self._ports[conversation.platform]
        refused, case.waiting = (
            [kept for kept in case.waiting if bool(kept.refusal) is is_refused] for is_refused in (True, False)
        )
        for kept in refused:
            say_refused(self._house, port, note_of(kept), kept.refusal)
        if case.replies or case.waiting:
            mending = Mending(self._house, port, conversation, self._patience)
            begun = mending.mend(case.replies, case.waiting)
            case.waiting = [kept for kept in case.waiting if kept is not begun]


def _conversation(key: str) -> Conversation:
    platform, _, place = key.partition(":")
    return Conversation(platform, place)


def _waiting(kept: Delivery) -> Waiting:
    fact = kept.fact
    ref = MessageRef(_conversation(fact.conversation), fact.message)
    return Waiting(kept.id, ref, fact.author, fact.text, fact.route, whole_note(kept))
