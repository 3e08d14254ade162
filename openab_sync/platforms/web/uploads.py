"""Files that are dropped on the page: received in pieces into the conversation's inbox, judged by `media`, told about.

A piece is small, so that nothing large is taken in before it is known whose it is, and a page can show how far it is.
Caps hold for what really comes; what a file is its bytes say, never its name: the same way as on any other platform.

**Threads**: those of the web server; they block as a disk and a decoder do. An upload is worked on by whoever has taken
it out of the book (one step of a dict), so two requests never share one. **Locks**: none.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ...clock import Clock
from ...core.message import Attachment, Conversation
from ...errors import FileRefused
from ...media.arrivals import Arrival, settle
from ...media.inbox import Caps, Draft, folder_of, safe_name
from ...media.inline import Budget

__all__ = ["FILES", "PIECE", "Received", "Uploads"]

FILES = 10  # a message brings no more
PIECE = 512 * 1024  # bytes in one request
OPEN = 40  # uploads at once, of all pages
PATIENCE = 900.0  # seconds that an upload may lie about before its message is sent


@dataclass(frozen=True, slots=True)
class Received:
    """What came of the files of one message, in their order; `notes` are sentences for both sides."""

    attachments: tuple[Attachment, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Upload:
    draft: Draft
    name: str
    conversation: Conversation
    over_at: float


class Uploads:
    """Files on their way in."""

    def __init__(self, inbox: Path, clock: Clock, caps: Caps | None = None) -> None:
        self._inbox = inbox
        self._clock = clock
        self._caps = caps or Caps()
        self._book: dict[str, _Upload] = {}

    def __repr__(self) -> str:
        return f"<Uploads {len(self._book)}>"

    def begin(self, conversation: Conversation, name: str) -> str:
        """Return the id of a new upload. Blocks (disk). Raise FileRefused if there is no room for it."""
        self._tidy()
        if len(self._book) >= OPEN:
            raise FileRefused("has to wait: too many files are on their way")
        draft = Draft(folder_of(self._inbox, conversation.key), name, self._caps)
        key = secrets.token_urlsafe(12)
        self._book[key] = _Upload(draft, name, conversation, self._clock.monotonic() + PATIENCE)
        return key

    def add(self, key: str, piece: bytes) -> int:
        """Append to an upload; return its size so far. Blocks (disk). Raise FileRefused: it is over then."""
        upload = self._take(key)
        try:
            upload.draft.write(piece)
        except BaseException:
            upload.draft.close()
            raise
        self._book[key] = upload
        return upload.draft.size

    def forget(self, key: str) -> None:
        """Somebody does not want to send it after all; unknown ones are no matter."""
        upload = self._book.pop(key, None)
        if upload is not None:
            upload.draft.close()

    def settle(self, keys: Sequence[str], conversation: Conversation) -> Received:
        """Return what came of the files of a message. Blocks (disk, decoder). What cannot be had becomes a note."""
        arrived: list[Attachment] = []
        notes: list[str] = []
        budget = Budget()
        for number, key in enumerate(dict.fromkeys(keys)):
            upload = self._book.pop(key, None)
            if upload is None:
                notes.append("A file was not taken: it lay about for too long.")
                continue
            try:
                with upload.draft as draft:
                    arrival = _arrival(draft, upload, number, conversation, budget)
            except FileRefused as refused:
                notes.append(f"`{safe_name(upload.name)}` was not taken: it {refused}.")
                continue
            arrived.append(_attachment(arrival))
            notes += [arrival.note] if arrival.note else []
        return Received(tuple(arrived), tuple(notes))

    def close(self) -> None:
        """End all of them."""
        for key in list(self._book):
            self.forget(key)

    def _take(self, key: str) -> _Upload:
        """Take an upload out of the book. Raise FileRefused if it is not there."""
        upload = self._book.pop(key, None)
        if upload is None:
            raise FileRefused("is not on its way any more")
        return upload

    def _tidy(self) -> None:
        now = self._clock.monotonic()
        for key, upload in list(self._book.items()):
            if upload.over_at <= now:
                self.forget(key)


def _arrival(draft: Draft, upload: _Upload, number: int, conversation: Conversation, budget: Budget) -> Arrival:
    if number >= FILES:
        raise FileRefused(f"is one more than the {FILES} that a message may bring")
    if upload.conversation != conversation:
        raise FileRefused("belongs to another conversation")
    return settle(draft, upload.name, budget)


def _attachment(arrival: Arrival) -> Attachment:
    return Attachment(
        kind=arrival.kind,
        name=arrival.name,
        mime=arrival.mime,
        path=arrival.path,
        size=arrival.size,
    )
