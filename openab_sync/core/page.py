"""A page: one message of a reply, what it should look like and what it does look like. Plain data; no threads."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import ChatError
from ..store.replies import PageRow
from .message import MessageRef
from .port import Controls, File

__all__ = ["REFUSALS", "Look", "Page", "Upload"]

# A live edit that is refused is tried so often before the page is left alone until it is whole.
REFUSALS = 3


@dataclass(frozen=True, slots=True)
class Look:
    """What a message says, and the buttons below it (None: there can be none)."""

    text: str
    controls: Controls | None

    @property
    def has_controls(self) -> bool:
        return self.controls is not None and (self.controls.stop or self.controls.retry or self.controls.discard)


@dataclass(slots=True)
class Page:
    """One message of the reply."""

    index: int
    wanted: Look | None = None  # None: nothing to do until newer text comes
    is_final: bool = False  # must become exact: no newer text is expected
    ref: MessageRef | None = None
    shown: Look | None = None  # what the message says, None if that is not known
    sent: Look | None = None  # what the post says whose fate is not known; its nonce never carries another text
    copy: int = 0  # how often it had to be begun anew
    tries: int = 0  # of the operation that is being repeated
    refusals: int = 0  # of live edits in a row
    failure: ChatError | None = None
    is_doubtful: bool = False  # its post may find a message that says something else

    @property
    def look(self) -> Look | None:
        """What it should look like, as far as that is known."""
        return self.wanted or self.sent or self.shown

    def row(self) -> PageRow:
        """Return it as it is written down."""
        look = self.look
        assert look is not None
        message = self.ref.id if self.ref is not None else ""
        return PageRow(self.index, look.text, message, self.copy, is_shown=bool(message) and self.shown == look)

    @property
    def is_behind(self) -> bool:
        if self.wanted is None or self.shown == self.wanted:
            return False
        # A page that failed while it was growing gets its chance when it is whole; one that failed then had it.
        return self.failure is None and (self.is_final or self.refusals < REFUSALS)

    @property
    def may_have_controls(self) -> bool:
        """Buttons are below it, or shall be, or there is a post whose fate is not known that has some."""
        return any(look is not None and look.has_controls for look in (self.shown, self.sent, self.wanted))

    @property
    def loses_controls(self) -> bool:
        if self.shown is None or self.wanted is None or not self.shown.has_controls:
            return False
        return not self.wanted.has_controls and self.is_behind


@dataclass(slots=True)
class Upload:
    """A file that follows a page."""

    after: int
    file: File
    nonce: str
    number: int  # of this file among the reply's, from 1
    tries: int = 0
