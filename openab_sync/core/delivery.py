"""Delivery: the pages and files of one reply on their way into a conversation.

Told what the pages should look like now, it takes one step at a time: one post, edit or upload is in flight, whatever
becomes of it is taken in before the next, and text that was never sent because newer came is never missed. A page is
not given up silently: a failure for good is kept and reported (FIELD E11, E12, E15).

Threads: one, the session's. The platform completes its futures on threads of its own; their callback rings the bell
and touches nothing else. Never blocks, holds no lock.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from ..clock import Clock
from ..errors import ChatError, ChatTimeout
from .message import Conversation, MessageRef
from .port import ChatPort, File

__all__ = ["Address", "Delivery", "Floor", "nonce", "outcome_of"]

log = logging.getLogger(__name__)

T = TypeVar("T")  # what a future brings

# A post or a final edit is tried so often; a live edit that is refused, so often before the page is left alone.
TRIES = 2
REFUSALS = 3
# What stands on a page for which nothing is left; messages are never deleted, and a page cannot be empty.
LEFT_OVER = "⋯"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a reply goes. `turn` tells it from every other reply in that conversation."""

    conversation: Conversation
    reply_to: MessageRef | None
    turn: str


@dataclass(slots=True)
class _Page:
    """One message of the reply."""

    index: int
    wanted: str | None = None  # None: nothing to do until newer text comes
    is_final: bool = False  # must become exact: no newer text is expected
    ref: MessageRef | None = None
    shown: str | None = None  # what the message says, None if that is not known
    sent: str | None = None  # what the post says whose fate is not known; its nonce never carries another text
    copy: int = 0  # how often it had to be begun anew
    tries: int = 0  # of the operation that is being repeated
    refusals: int = 0  # of live edits in a row
    failure: ChatError | None = None

    @property
    def is_behind(self) -> bool:
        if self.wanted is None or self.shown == self.wanted:
            return False
        # A page that failed while it was growing gets its chance when it is whole; one that failed then had it.
        return self.failure is None and (self.is_final or self.refusals < REFUSALS)


@dataclass(slots=True)
class _Upload:
    """A file that follows a page."""

    after: int
    file: File


@dataclass(frozen=True, slots=True)
class _Flight:
    """What is in flight: whether it is done, and what to do then."""

    what: str
    is_done: Callable[[], bool]
    land: Callable[[], None]


class Floor:
    """Who has it may speak: one message operation is in flight in a conversation, for any of its replies."""

    __slots__ = ("is_free",)

    def __init__(self) -> None:
        self.is_free = True


class Delivery:
    """Pages and files of one reply, delivered in order, one operation at a time."""

    def __init__(
        self, address: Address, port: ChatPort, clock: Clock, on_news: Callable[[], None], floor: Floor | None = None
    ) -> None:
        self._address = address
        self._port = port
        self._clock = clock
        self._on_news = on_news
        self._floor = floor or Floor()
        self._pages: list[_Page] = []
        self._uploads: list[_Upload] = []
        self._flight: _Flight | None = None
        self._first = 0  # pages before this one are finished and delivered, or failed
        self._finished = 0  # pages before this one are finished
        self._upload_failure: ChatError | None = None
        self.is_visible = False  # people can see something of this reply
        self.forgot = False  # a live edit was lost: newer text has to be wanted
        self.live_at: float | None = None  # when the last operation on a growing page began

    def __repr__(self) -> str:
        flight = self._flight.what if self._flight else "nothing"
        return f"<Delivery pages={len(self._pages)} first={self._first} in flight: {flight}>"

    # ---- what is wanted ----

    def want(self, finished: list[str], live: list[str], *, is_final: bool) -> None:
        """Say what the pages should be: `finished` never change again, `live` are those behind them, as they are now.

        `is_final`: the live ones have to become exact as well.
        """
        self.forgot = False
        for index in range(self._finished, len(finished)):
            self._want_page(index, finished[index], is_final=True)
        self._finished = len(finished)
        for index, text in enumerate(live, len(finished)):
            self._want_page(index, text, is_final=is_final)
        for page in self._pages[len(finished) + len(live) :]:
            self._want_page(page.index, LEFT_OVER, is_final=is_final)
            if page.ref is None and page.sent is None:
                page.wanted = None  # nobody has seen it

    def upload(self, after: int, file: File) -> None:
        """Send a file once page `after` (counted from 0) is there."""
        self._uploads.append(_Upload(after, file))

    def _want_page(self, index: int, text: str, *, is_final: bool) -> None:
        if index == len(self._pages):
            self._pages.append(_Page(index))
        page = self._pages[index]
        if is_final and not page.is_final:
            page.tries, page.failure = 0, None
        elif page.wanted != text and page.ref is not None:
            page.tries = 0
        page.wanted, page.is_final = text, is_final
        if not is_final and page.refusals >= REFUSALS:
            page.wanted = None

    # ---- what is so ----

    @property
    def is_busy(self) -> bool:
        """Something is in flight, and its fate not taken in."""
        return self._flight is not None

    @property
    def has_news(self) -> bool:
        """What was in flight is done: `land` has something to take in."""
        return self._flight is not None and self._flight.is_done()

    @property
    def has_work(self) -> bool:
        """There is something to do at once: to take in, or to start."""
        return self.has_news or (self._floor.is_free and self._next() is not None)

    @property
    def is_settled(self) -> bool:
        """All that is wanted is delivered, or has failed for good."""
        return self._flight is None and not self.forgot and self._next() is None

    @property
    def failure(self) -> ChatError | None:
        """Why something of what is wanted is not there; None if all is, or is still on its way."""
        failures = (page.failure for page in self._pages)
        return next((failure for failure in failures if failure is not None), self._upload_failure)

    # ---- what is done ----

    def land(self) -> None:
        """Take in what has become of the operation in flight, if it is done."""
        if self._flight is not None and self._flight.is_done():
            landed, self._flight = self._flight, None
            self._floor.is_free = True
            landed.land()

    def start(self) -> None:
        """Start the next operation if there is one and none is in flight."""
        todo = self._next() if self._floor.is_free else None
        if isinstance(todo, _Upload):
            self._uploads.remove(todo)
            self._fly("upload", self._port.upload(self._address.conversation, todo.file), self._uploaded)
        elif todo is not None:
            self._send(todo)

    def _next(self) -> _Page | _Upload | None:
        """Return the first page that is not as wanted, or the file that comes before it."""
        for page in self._pages[self._first :]:
            upload = next((upload for upload in self._uploads if upload.after < page.index), None)
            if upload is not None:
                return upload
            if page.is_behind:
                return page
            if page.index < self._finished and page.index == self._first:
                self._first += 1
        return self._uploads[0] if self._uploads else None

    def _send(self, page: _Page) -> None:
        assert page.wanted is not None
        if page.index >= self._finished:
            self.live_at = self._clock.monotonic()
        if page.ref is not None:
            edited = partial(self._edited, page, page.wanted, page.is_final)
            self._fly("edit", self._port.edit(page.ref, page.wanted), edited)
            return
        # The same nonce may make no second message of it: it must say the same, and is edited afterwards.
        page.sent = page.sent if page.sent is not None else page.wanted
        future = self._port.post(
            self._address.conversation,
            page.sent,
            reply_to=self._address.reply_to if page.index == 0 else None,
            nonce=nonce(self._address, page.index, page.copy),
        )
        self._fly("post", future, partial(self._posted, page, page.sent, page.is_final))

    def _fly(self, what: str, future: Future[T], land: Callable[[T | None, ChatError | None], None]) -> None:
        self._floor.is_free = False
        self._flight = _Flight(what, future.done, lambda: land(*outcome_of(future)))
        future.add_done_callback(lambda _: self._on_news())

    # ---- what became of it; `was_final`: as it was when the operation began ----

    def _uploaded(self, _: MessageRef | None, error: ChatError | None) -> None:
        if error is None:
            self.is_visible = True
        else:  # not tried again: nobody can tell whether it is there already
            log.warning("%s: a file was not sent: %s", self._address.conversation, error)
            self._upload_failure = self._upload_failure or error

    def _posted(self, page: _Page, text: str, was_final: bool, ref: MessageRef | None, error: ChatError | None) -> None:
        if error is None:
            page.ref, page.shown, page.sent, page.tries = ref, text, None, 0
            self.is_visible = True
            return
        page.tries += 1
        if isinstance(error, ChatTimeout) and page.tries < TRIES:
            return  # once more, with the same nonce
        if not isinstance(error, ChatTimeout):
            page.copy, page.sent = page.copy + 1, None
        log.warning("%s: page %d was not posted: %s", self._address.conversation, page.index, error)
        if was_final == page.is_final:  # else it has become final meanwhile, and gets its chance
            page.failure = error

    def _edited(self, page: _Page, text: str, was_final: bool, _: None, error: ChatError | None) -> None:
        if error is None:
            page.shown, page.tries, page.refusals = text, 0, 0
            return
        is_refused = not isinstance(error, ChatTimeout)
        page.shown = page.shown if is_refused else None
        if was_final:
            self._not_finished(page, error, is_refused=is_refused)
            return
        # Newer text is on its way; a message that refuses again and again is left alone until it is whole.
        page.refusals += is_refused
        if not page.is_final:
            page.wanted, self.forgot = None, True

    def _not_finished(self, page: _Page, error: ChatError, *, is_refused: bool) -> None:
        page.tries += 1
        if is_refused or page.tries >= TRIES:
            log.warning("%s: page %d is posted anew: %s", self._address.conversation, page.index, error)
            page.ref, page.shown, page.copy, page.tries = None, None, page.copy + 1, 0


def nonce(address: Address, page: int, copy: int = 0) -> str:
    """Return what tells a post from all others (24 characters): the same for every try of the same page."""
    name = "\0".join((address.conversation.key, address.turn, str(page), str(copy)))
    return hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


def outcome_of(future: Future[T]) -> tuple[T, None] | tuple[None, ChatError]:
    """Return the result of a future that is done, or the ChatError why there is none."""
    if future.cancelled():
        return None, ChatTimeout("the chat dropped the request")
    error = future.exception()
    if error is None:
        return future.result(), None
    if not isinstance(error, ChatError):
        log.error("a platform failed with something other than a ChatError", exc_info=error)
        return None, ChatError(f"the chat failed: {error}")
    return None, error
