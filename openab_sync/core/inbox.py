"""What waits in front of an agent: messages in order, bounded, and how many of them make one prompt.

Pure data, no lock of its own: `Session` guards it with the session's lock. The three dispatch modes are upstream's:
`per-message` (one message, one turn), `per-thread` (all that waits makes one prompt), `per-lane` (all that waits of the
first message's sender; the others keep their places). A batch never passes `max_tokens` (estimated, four characters a
token) unless its first message alone does. Sources: FIELD F10, F12; upstream's `message_processing_mode`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from ..config.schema import PoolConfig
from ..errors import InboxFull
from .message import Inbound, MessageRef

__all__ = ["Inbox", "tokens"]


def tokens(note: Inbound) -> int:
    """Estimate what a message costs the model: four characters a token, files by their text."""
    texts = (attachment for attachment in note.attachments if attachment.kind == "text")
    inline = sum(len(text.text) or text.size or 0 for text in texts)  # one that waits lies on the disk
    return (len(note.context) + len(note.text) + inline) // 4 + 1


class Inbox:
    """Messages that wait, oldest first."""

    __slots__ = ("_notes", "_pool")

    def __init__(self, pool: Callable[[], PoolConfig] = PoolConfig) -> None:
        """`pool` is asked each time how many may wait and how they make turns: it may be another section by then."""
        self._pool = pool
        self._notes: list[Inbound] = []

    def __len__(self) -> int:
        return len(self._notes)

    def put(self, note: Inbound, *, is_promised: bool = False) -> int:
        """Append a message; return its position, from 1. Raise InboxFull: it was not taken.

        One that `is_promised` an answer, because it was accepted before a restart, is taken whatever the limit says.
        """
        limit = self._pool().max_buffered_messages
        if len(self._notes) >= limit and not is_promised:
            raise InboxFull(limit)
        self._notes.append(note)
        return len(self._notes)

    def restore(self, notes: Iterable[Inbound]) -> None:
        """Put messages that were accepted before in front, whatever the limit says: they were promised an answer."""
        self._notes[:0] = notes

    def take(self) -> tuple[Inbound, ...]:
        """Remove and return what makes the next prompt; () if nothing waits."""
        if not self._notes:
            return ()
        batch, rest, spent = [self._notes[0]], [], tokens(self._notes[0])
        pool = self._pool()
        full = pool.message_processing_mode == "per-message"
        for note in self._notes[1:]:
            ours = pool.message_processing_mode == "per-thread" or note.sender.id == batch[0].sender.id
            if not full and ours and spent + tokens(note) <= pool.max_batch_tokens:
                batch.append(note)
                spent += tokens(note)
            else:
                full = full or ours  # a lane keeps its order: nothing overtakes the first that did not fit
                rest.append(note)
        self._notes = rest
        return tuple(batch)

    def clear(self) -> tuple[Inbound, ...]:
        """Remove and return everything."""
        notes, self._notes = tuple(self._notes), []
        return notes

    def withdraw(self, ref: MessageRef) -> Inbound | None:
        """Remove the message `ref`; None if it does not wait here."""
        for index, note in enumerate(self._notes):
            if note.ref == ref:
                return self._notes.pop(index)
        return None

    def edit(self, ref: MessageRef, text: str) -> bool:
        """Give the waiting message `ref` a new text; False if it does not wait here."""
        for index, note in enumerate(self._notes):
            if note.ref == ref:
                self._notes[index] = replace(note, text=text)
                return True
        return False

    def list(self) -> tuple[Inbound, ...]:
        """Return what waits, in order."""
        return tuple(self._notes)
