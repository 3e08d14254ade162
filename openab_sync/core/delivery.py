"""Delivery: the pages and files of one reply on their way into a conversation.

Told what the pages should look like now, it takes one step at a time: one post, edit or upload is in flight, whatever
becomes of it is taken in before the next, and text that was never sent because newer came is never missed. A page is
not given up silently: a failure for good is kept and reported (FIELD E11, E12, E15).

Threads: one, the session's. The platform completes its futures on threads of its own; their callback rings the bell
and touches nothing else. Never blocks, holds no lock.

Order: pages are read from top to bottom. One that has to be posted anew comes below all others, so those behind it are
posted again after it, and what stood of them above says `LEFT_OVER`: nothing is read twice or in the wrong place.

Buttons: the last page carries them, and a page loses its own before another gets some.

What could not be delivered is owned up to: in a sentence at the end of that very reply, where the chat takes it, else
in front of the next ones of that conversation, a few times.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

from ..clock import Clock
from ..errors import ChatError, ChatTimeout
from ..store.replies import PageRow
from ..text.clean import one_line
from ..text.masks import unmasked
from .floor import Debt, Floor
from .message import Conversation, MessageRef
from .page import REFUSALS, Look, Page, Upload
from .port import ChatPort, Controls, File

__all__ = ["Address", "Delivery", "nonce", "outcome_of"]

log = logging.getLogger(__name__)

T = TypeVar("T")  # what a future brings

# A post, a file or a final edit is tried so often.
TRIES = 2
# What stands on a page for which nothing is left; messages are never deleted, and a page cannot be empty.
LEFT_OVER = "⋯"
REASON = 200  # characters of why


@dataclass(frozen=True, slots=True)
class Address:
    """Where a reply goes. `turn` tells it from every other reply in that conversation."""

    conversation: Conversation
    reply_to: MessageRef | None
    turn: str


@dataclass(frozen=True, slots=True)
class _Flight:
    """What is in flight: whether it is done, and what to do then."""

    what: str
    is_done: Callable[[], bool]
    land: Callable[[], None]


class Delivery:
    """Pages and files of one reply, delivered in order, one operation at a time."""

    __slots__ = ("_address", "_bare", "_clock", "_files", "_finished", "_first", "_flight", "_floor", "_has_owned_up",
                 "_holder", "_holders", "_in_hand", "_is_whole", "_number", "_on_news", "_pages", "_port", "_remains",
                 "_upload_failure", "_uploads", "changes", "forgot", "is_visible", "live_at")  # fmt: skip

    def __init__(
        self, address: Address, port: ChatPort, clock: Clock, on_news: Callable[[], None], floor: Floor | None = None
    ) -> None:
        self._address = address
        self._port = port
        self._clock = clock
        self._on_news = on_news
        self._floor = floor or Floor()
        self._number = self._floor.enter()
        self._pages: list[Page] = []
        self._bare: Controls | None = None  # what a page has that is not the last
        self._holder: Page | None = None  # the page that is to have buttons
        self._holders: list[Page] = []  # that, and those before it that may have some still
        self._uploads: list[Upload] = []
        self._files = 0  # how many were wanted
        self._remains: list[MessageRef] = []  # messages whose text was posted again further down
        self._flight: _Flight | None = None
        self._first = 0  # pages before this one are finished and delivered, or failed
        self._finished = 0  # pages before this one are finished
        self._upload_failure: ChatError | None = None
        self._is_whole = False  # no newer text is expected
        self._has_owned_up = False
        self._in_hand: Upload | None = None  # in flight
        self.changes = 0  # counts what pages have come to say or to be, and files that are out
        self.is_visible = False  # people can see something of this reply
        self.forgot = False  # a live edit was lost: newer text has to be wanted
        self.live_at: float | None = None  # when the last operation on a growing page began

    def __repr__(self) -> str:
        flight = self._flight.what if self._flight else "nothing"
        return f"<Delivery pages={len(self._pages)} first={self._first} in flight: {flight}>"

    # ---- what is wanted ----

    def want(self, finished: list[str], live: list[str], *, is_final: bool, controls: Controls | None = None) -> None:
        """Say what the pages should be: `finished` never change again, `live` are those behind them, as they are now.

        `is_final`: the live ones have to become exact as well. `controls` are the buttons below the last page, None
        where a message can have none.
        """
        self._bare = None if controls is None else Controls()
        self.forgot, self._is_whole = False, is_final
        self.changes += 1
        for index in range(self._finished, len(finished)):
            self._want_page(index, finished[index], is_final=True)
        self._finished = len(finished)
        for index, text in enumerate(live, len(finished)):
            self._want_page(index, text, is_final=is_final)
        for page in self._pages[len(finished) + len(live) :]:
            self._want_page(page.index, LEFT_OVER, is_final=is_final)
            if page.ref is None and page.sent is None:
                page.wanted = None  # nobody has seen it
        if controls is not None:
            self._want_controls(len(finished) + len(live) - 1, controls)

    def upload(self, after: int, file: File, *, number: int = 0) -> None:
        """Send a file once page `after` (counted from 0) is there; `number` is the one that it had before a restart."""
        self._files = number or self._files + 1
        self._uploads.append(Upload(after, file, nonce(self._address, -1 - self._files), self._files))
        self.changes += 1

    def restore(self, rows: Sequence[PageRow], *, edits: bool = True) -> None:
        """Take up a reply where another process has left it: these are all its pages. Then `want` them, and `confirm`.

        `edits`: what is found by the nonce of its post is edited, because it may say less than it should.
        """
        for row in rows:
            ref = MessageRef(self._address.conversation, row.message) if row.message else None
            doubtful = ref is None and edits
            self._pages.append(Page(len(self._pages), ref=ref, copy=row.copy, is_doubtful=doubtful))

    def confirm(self, rows: Sequence[PageRow]) -> None:
        """Those of the restored pages that were shown as they are wanted need nothing."""
        for page, row in zip(self._pages, rows, strict=True):
            page.shown = page.wanted if row.is_shown else None

    def _want_page(self, index: int, text: str, *, is_final: bool) -> None:
        if index == len(self._pages):
            self._pages.append(Page(index))
        page, look = self._pages[index], Look(unmasked(text), self._bare)  # written down as it will stand there
        if is_final and not page.is_final:
            page.tries, page.failure = 0, None
        elif page.wanted != look and page.ref is not None:
            page.tries = 0
        page.wanted, page.is_final = look, is_final
        if not is_final and page.refusals >= REFUSALS:
            page.wanted = None

    def _want_controls(self, last: int, controls: Controls) -> None:
        """Have the last page carry the buttons, and no other."""
        before, self._holder = self._holder, self._pages[last] if last >= 0 else None
        for page, wanted in ((before, self._bare), (self._holder, controls)):
            if page is not None and page.wanted is not None and page.wanted.controls != wanted:
                page.wanted = replace(page.wanted, controls=wanted)
                self._first = min(self._first, page.index)  # it may have been finished long ago
        if self._flight is None:  # else what it is about to show is not known
            self._holders = [page for page in self._holders if page.may_have_controls]
        self._holders += [] if self._holder is None or self._holder in self._holders else [self._holder]

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
        return self.has_news or (self._floor.is_free and self._todo() is not None)

    @property
    def is_settled(self) -> bool:
        """All that is wanted is delivered, or has failed for good."""
        return self._flight is None and not self.forgot and self._next() is None

    @property
    def failure(self) -> ChatError | None:
        """Why something of what is wanted is not there; None if all is, or is still on its way."""
        failures = (page.failure for page in self._pages)
        return next((failure for failure in failures if failure is not None), self._upload_failure)

    def rows(self) -> list[PageRow]:
        """Return the pages as they are written down."""
        return [page.row() for page in self._pages if page.look is not None]

    @property
    def pending(self) -> list[Upload]:
        """The files that are not out."""
        return self._uploads if self._in_hand is None else [self._in_hand, *self._uploads]

    # ---- what is done ----

    def land(self) -> None:
        """Take in what has become of the operation in flight, if it is done."""
        if self._flight is not None and self._flight.is_done():
            landed, self._flight = self._flight, None
            self.changes += 1
            self._floor.is_free = True
            landed.land()

    def start(self) -> None:
        """Start the next operation if there is one and none is in flight."""
        self._own_up()
        match self._todo() if self._floor.is_free else None:
            case Page() as page:
                self._send(page)
            case Upload() as upload:
                self._uploads.remove(upload)
                self._in_hand = upload
                future = self._port.upload(self._address.conversation, upload.file, nonce=upload.nonce)
                self._fly("upload", future, partial(self._uploaded, upload))
            case MessageRef() as remains:
                self._remains.remove(remains)
                self._fly("edit", self._port.edit(remains, LEFT_OVER, controls=self._bare), self._emptied)
            case Debt() as debt:
                self._pay(debt)

    def _todo(self) -> Page | Upload | MessageRef | Debt | None:
        """Return what is next. What an earlier reply owes comes before our first word, what we owe at the end."""
        debt = self._floor.debt(self._number)
        if debt is not None and self._pages and not self.is_visible:
            return debt
        return self._next() or debt

    def _next(self) -> Page | Upload | MessageRef | None:
        """Return the first page that is not as wanted, the file that comes before it, or what is to be emptied."""
        if losers := [page for page in self._holders if page.loses_controls and page.index >= self._first]:
            return losers[0]
        if self._remains and self._bare is not None:
            return self._remains[0]  # at once: it may have buttons
        for page in self._pages[self._first :]:
            upload = next((upload for upload in self._uploads if upload.after < page.index), None)
            if upload is not None:
                return upload
            if page.is_behind:
                return page
            if page.index < self._finished and page.index == self._first:
                self._first += 1
        return next(iter(self._uploads), None) or next(iter(self._remains), None)

    def _send(self, page: Page) -> None:
        assert page.wanted is not None
        if page.index >= self._finished:
            self.live_at = self._clock.monotonic()
        if page.ref is not None:
            look, shown = page.wanted, page.shown
            controls = None if shown is not None and shown.controls == look.controls else look.controls
            edited = partial(self._edited, page, look, page.is_final)
            self._fly("edit", self._port.edit(page.ref, look.text, controls=controls), edited)
            return
        # The same nonce may make no second message of it: it must say the same, and is edited afterwards.
        page.sent = page.sent if page.sent is not None else page.wanted
        future = self._port.post(
            self._address.conversation,
            page.sent.text,
            reply_to=self._address.reply_to if page.index == 0 else None,
            nonce=nonce(self._address, page.index, page.copy),
            controls=page.sent.controls,
        )
        self._fly("post", future, partial(self._posted, page, page.sent, page.is_final))

    def _fly(self, what: str, future: Future[T], land: Callable[[T | None, ChatError | None], None]) -> None:
        self._floor.is_free = False
        self._flight = _Flight(what, future.done, lambda: land(*outcome_of(future)))
        future.add_done_callback(lambda _: self._on_news())

    # ---- what became of it; `was_final`: as it was when the operation began ----

    def _uploaded(self, upload: Upload, _: MessageRef | None, error: ChatError | None) -> None:
        self._in_hand = None
        upload.tries += 1
        if error is None:
            self.is_visible = True
        elif isinstance(error, ChatTimeout) and upload.tries < TRIES:
            self._uploads.insert(0, upload)  # once more, with the same nonce
        else:
            log.warning("%s: a file was not sent: %s", self._address.conversation, error)
            self._upload_failure = self._upload_failure or error

    def _posted(self, page: Page, look: Look, was_final: bool, ref: MessageRef | None, error: ChatError | None) -> None:
        if error is None:
            page.ref, page.shown, page.sent, page.tries = ref, None if page.is_doubtful else look, None, 0
            page.is_doubtful = False
            self.is_visible = True
            self._move_behind(page)
            return
        page.tries += 1
        if isinstance(error, ChatTimeout) and page.tries < TRIES:
            return  # once more, with the same nonce
        if not isinstance(error, ChatTimeout):
            page.copy, page.sent = page.copy + 1, None
        log.warning("%s: page %d was not posted: %s", self._address.conversation, page.index, error)
        if was_final == page.is_final:  # else it has become final meanwhile, and gets its chance
            page.failure = error

    def _move_behind(self, page: Page) -> None:
        """A page has just been posted below all others: have those behind it follow."""
        for later in self._pages[page.index + 1 :]:
            if later.ref is not None:
                self._remains.append(later.ref)
                later.ref, later.shown, later.copy, later.tries, later.refusals = None, None, later.copy + 1, 0, 0

    def _emptied(self, _: None, error: ChatError | None) -> None:
        if error is not None:  # its text is read twice then, and in order further down
            log.warning("%s: a message is left as it was: %s", self._address.conversation, error)

    def _edited(self, page: Page, look: Look, was_final: bool, _: None, error: ChatError | None) -> None:
        if error is None:
            page.shown, page.tries, page.refusals = look, 0, 0
            return
        is_refused = not isinstance(error, ChatTimeout)
        if page.shown is not None and page.shown.text == look.text:
            page.tries += 1
            if is_refused or page.tries >= TRIES:  # a button too many: whoever presses it is told what is so
                log.warning("%s: the buttons of page %d stay: %s", self._address.conversation, page.index, error)
                page.shown = look
            return
        page.shown = page.shown if is_refused else None
        if was_final:
            self._not_finished(page, error, is_refused=is_refused)
            return
        # Newer text is on its way; a message that refuses again and again is left alone until it is whole.
        page.refusals += is_refused
        if not page.is_final:
            page.wanted, self.forgot = None, True

    def _not_finished(self, page: Page, error: ChatError, *, is_refused: bool) -> None:
        page.tries += 1
        if is_refused or page.tries >= TRIES:
            log.warning("%s: page %d is posted anew: %s", self._address.conversation, page.index, error)
            if page.ref is not None and not is_refused:
                self._remains.append(page.ref)  # it may say the whole text, and have buttons
            page.ref, page.shown, page.copy, page.tries = None, None, page.copy + 1, 0

    # ---- what is owed ----

    def _own_up(self) -> None:
        """Owe people a sentence, once, if something of a reply that is whole has failed for good."""
        if self._has_owned_up or not self._is_whole or self._flight is not None or self._next() is not None:
            return
        error = self.failure
        if error is None:
            return
        self._has_owned_up = True
        pages = any(page.failure for page in self._pages)
        what = "A file of my answer" if not pages else "Part of my answer" if self.is_visible else "My answer"
        text = f"⚠ {what} could not be delivered ({one_line(error.user_text(), REASON)}): please ask for it again."
        address = self._address
        self._floor.owe(Debt(text, address.reply_to, nonce(address, -1), self._number - 1))

    def _pay(self, debt: Debt) -> None:
        debt.last, debt.tries = self._number, debt.tries + 1
        future = self._port.post(self._address.conversation, debt.text, reply_to=debt.reply_to, nonce=debt.nonce)
        self._fly("post", future, partial(self._paid, debt))

    def _paid(self, debt: Debt, _: MessageRef | None, error: ChatError | None) -> None:
        if error is not None:
            log.warning("%s: people do not know of a lost reply: %s", self._address.conversation, error)
        self._floor.tried(debt, is_paid=error is None)


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
