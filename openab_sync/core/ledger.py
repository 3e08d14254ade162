"""The ledger: what the core writes down of messages and turns, so that a restart loses nothing and does nothing twice.

`Ledger` is what the core asks for; `Journaled` keeps it on disk (`store/`), `UNWRITTEN` keeps nothing: a terminal ends
with its process. A message is in the ledger if it was accepted through it (`Inbound.delivery`); others are let be.

    accept ─► complete ─► start ─► draw | draft … ─► finish ─► sent … ─► close
       └─► withdraw | refuse ─► fail

**What a Future means**: the commit that makes a thing true has been tried. `start` is waited for (in the session's one
wait) before the prompt's bytes can leave, `draw` before a page is posted, `finish` before the last pages are. If the
disk takes nothing just then, the turn goes on all the same: what was accepted is answered, and the change is written
with the next one that works. A crash before that leaves the turn "accepted", and the next start looks in the chat
whether its reply can be seen: if so, it is told as interrupted and not run again (`mending`). A disk that neither
writes nor fails is waited for `ON_DISK` seconds, and is then like one that fails; but the change may still come. When
too much waits for it, nothing more is accepted.

**Threads**: any; nothing blocks. Callbacks of the Futures run on the journal's thread.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import msgspec

from .message import Inbound, MessageRef, Person

if TYPE_CHECKING:
    from ..store import Deliveries, Delivery, End, PageRow, Replies, ReplyRow

__all__ = ["ON_DISK", "UNWRITTEN", "Journaled", "Ledger", "Unfinished", "numbers", "read_note"]


ON_DISK = 10.0  # seconds that a disk has, before people are told or what is under way goes on without it


class Ledger(Protocol):
    """What the core writes down."""

    keeps: bool
    """Whether what waits is taken up again after a restart."""

    def unfinished(self) -> Unfinished:
        """Return what the process before this one has left. Blocks (disk). Raise StoreError."""

    def reply(self, turn: str) -> Future[ReplyRow | None]:
        """Look for the reply of a turn: None if it is closed or not known. The Future may fail with a StoreError."""

    def accept(self, ref: MessageRef, by: Person, text: str, route: Mapping[str, str]) -> tuple[int, Future[None]]:
        """Accept a message: its number, and a Future that is done when it is safe, or fails with a StoreError.

        The number is 0 where nothing of it is written down, or can be.
        """

    def complete(self, note: Inbound) -> None:
        """It can be replayed as it is."""

    def edit(self, ref: MessageRef, text: str) -> None:
        """The words of a message that waits have changed."""

    def withdraw(self, found: Collection[int]) -> None:
        """Nobody wants the messages of these numbers answered any more."""

    def refuse(self, found: Collection[int], words: str) -> Future[None]:
        """They will not be answered, and their people are about to be told so, in these words."""

    def fail(self, found: Collection[int]) -> None:
        """They will not be answered, and their people were told."""

    def start(self, turn: str, notes: Sequence[Inbound]) -> Future[None]:
        """A turn answers these from now on."""

    def draw(self, turn: str, pages: Sequence[PageRow]) -> Future[None]:
        """These pages of it look like this now."""

    def draft(self, turn: str, text: str) -> Future[None]:
        """It says this so far, and nobody has seen anything of it."""

    def finish(self, turn: str, notes: Sequence[Inbound], end: End) -> Future[None]:
        """It is over, and this is all of its reply; again if the reply grows."""

    def sent(self, turn: str, number: int) -> None:
        """That file of its reply is out, or will never be."""

    def close(self, turn: str, *, well: bool) -> None:
        """All of its reply is out; or what is not never will be, and people know."""


@dataclass(frozen=True, slots=True)
class Unfinished:
    """What is not over; each in order."""

    replies: Sequence[ReplyRow] = ()
    waiting: Sequence[Delivery] = ()


def numbers(notes: Iterable[Inbound]) -> list[int]:
    """Return under which numbers these messages are in the ledger, where they are."""
    return [note.delivery for note in notes if note.delivery]


class Journaled:
    """A ledger on disk."""

    keeps = True

    def __init__(self, deliveries: Deliveries, replies: Replies) -> None:
        self._deliveries, self._replies = deliveries, replies

    def unfinished(self) -> Unfinished:
        return Unfinished(self._replies.open(), self._deliveries.waiting())

    def reply(self, turn: str) -> Future[ReplyRow | None]:
        return self._replies.one(turn)

    def accept(self, ref: MessageRef, by: Person, text: str, route: Mapping[str, str]) -> tuple[int, Future[None]]:
        from ..store import Fact

        return self._deliveries.accept(Fact(ref.conversation.key, ref.id, by.id, text, route))

    def complete(self, note: Inbound) -> None:
        if note.delivery:
            text = msgspec.json.encode(replace(note, is_marked=True)).decode()
            self._deliveries.complete(note.delivery, note.conversation.key, note.ref.id, text)

    def edit(self, ref: MessageRef, text: str) -> None:
        self._deliveries.edit(ref.conversation.key, ref.id, text)

    def withdraw(self, found: Collection[int]) -> None:
        if found:
            self._deliveries.withdraw(found)

    def refuse(self, found: Collection[int], words: str) -> Future[None]:
        return self._deliveries.refuse(found, words) if found else _done()

    def fail(self, found: Collection[int]) -> None:
        if found:
            self._deliveries.fail(found)

    def start(self, turn: str, notes: Sequence[Inbound]) -> Future[None]:
        return self._replies.start(turn, notes[0].conversation.key, numbers(notes))

    def draw(self, turn: str, pages: Sequence[PageRow]) -> Future[None]:
        return self._replies.draw(turn, pages)

    def draft(self, turn: str, text: str) -> Future[None]:
        return self._replies.draft(turn, text)

    def finish(self, turn: str, notes: Sequence[Inbound], end: End) -> Future[None]:
        return self._replies.finish(turn, numbers(notes), end)

    def sent(self, turn: str, number: int) -> None:
        self._replies.sent(turn, number)

    def close(self, turn: str, *, well: bool) -> None:
        self._replies.close(turn, well=well)


class _Unwritten:
    """A ledger that keeps nothing."""

    keeps = False

    def unfinished(self) -> Unfinished:
        return Unfinished()

    def reply(self, turn: str) -> Future[ReplyRow | None]:
        nothing: Future[ReplyRow | None] = Future()
        nothing.set_result(None)
        return nothing

    def accept(self, ref: MessageRef, by: Person, text: str, route: Mapping[str, str]) -> tuple[int, Future[None]]:
        return 0, _done()

    def complete(self, note: Inbound) -> None:
        pass

    def edit(self, ref: MessageRef, text: str) -> None:
        pass

    def withdraw(self, found: Collection[int]) -> None:
        pass

    def refuse(self, found: Collection[int], words: str) -> Future[None]:
        return _done()

    def fail(self, found: Collection[int]) -> None:
        pass

    def start(self, turn: str, notes: Sequence[Inbound]) -> Future[None]:
        return _done()

    def draw(self, turn: str, pages: Sequence[PageRow]) -> Future[None]:
        return _done()

    def draft(self, turn: str, text: str) -> Future[None]:
        return _done()

    def finish(self, turn: str, notes: Sequence[Inbound], end: End) -> Future[None]:
        return _done()

    def sent(self, turn: str, number: int) -> None:
        pass

    def close(self, turn: str, *, well: bool) -> None:
        pass


UNWRITTEN: Ledger = _Unwritten()

_NOTES = msgspec.json.Decoder(Inbound)  # here: two threads that examine a type at once end the process


def read_note(text: str, number: int) -> Inbound:
    """Return a message as `complete` wrote it. Raise ValueError for something else."""
    return replace(_NOTES.decode(text), delivery=number)


def _done() -> Future[None]:
    done: Future[None] = Future()
    done.set_result(None)
    return done
