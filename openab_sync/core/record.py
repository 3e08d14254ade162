"""The record of one reply: told to the ledger when its turn begins, as its pages change, and when all of it is out.

Between two edits nothing is written: a page is written down with the edit that shows it. Where nobody sees anything
before the answer is whole, what it says so far is written down every now and then. Before a page is posted it is
on the disk, or a restart would not know whose message that is; so is the end of a turn before its last pages are sent.
`is_safe` says when; a disk that fails, or hangs for longer than `ON_DISK`, holds no answer up.

Threads: one, the session's. The ledger's futures are completed on the journal's thread; their callback rings the bell
and touches nothing else. Never blocks.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from concurrent.futures import Future

from ..clock import Clock
from ..store.replies import End, FileRow, PageRow
from .delivery import Delivery
from .ledger import ON_DISK, Ledger, numbers
from .message import Inbound
from .page import Upload

__all__ = ["Record"]


class Record:
    """What is written down of one reply; nothing, if its messages are not in the ledger."""

    __slots__ = ("_clock", "_drafting", "_files", "_has_begun", "_is_open", "_ledger", "_notes", "_on_news",
                 "_pages", "_seen", "_turn", "_writing")  # fmt: skip

    def __init__(
        self, ledger: Ledger, turn: str, notes: Sequence[Inbound], on_news: Callable[[], None], clock: Clock
    ) -> None:
        self._ledger = ledger if numbers(notes) else None
        self._turn, self._notes, self._on_news, self._clock = turn, tuple(notes), on_news, clock
        self._pages: dict[int, PageRow] = {}  # as they are written down
        self._files: set[int] = set()  # ditto, the numbers of those that are not out
        self._seen = -1  # delivery's changes when it was last looked at
        # What has to be on the disk before more is sent, and until when that is waited for.
        self._writing: tuple[tuple[Future[None], float], ...] = ()
        self._drafting: Future[None] | None = None  # what it says so far, on its way to the disk
        self._has_begun = self._is_open = False

    def start(self) -> Future[None]:
        """The turn is about to begin: the Future is done when that is written down, or cannot be."""
        if self._ledger is None:
            nothing: Future[None] = Future()
            nothing.set_result(None)
            return nothing
        self._has_begun = self._is_open = True
        started = self._ledger.start(self._turn, self._notes)
        started.add_done_callback(lambda _: self._on_news())
        return started

    @property
    def is_safe(self) -> bool:
        """Whether nothing waits to be written before pages may be sent."""
        return self.safe_at <= self._clock.monotonic()

    @property
    def safe_at(self) -> float:
        """The moment (monotonic seconds) from which nothing is waited for: it may be over before.

        The first one's moment: what came later is behind it in the journal's queue, and a text that streams would
        put the last one's off again and again.
        """
        return min((at for done, at in self._writing if not done.done()), default=-math.inf)

    def look(self, delivery: Delivery) -> None:
        """Write down what has changed on the pages and among the files."""
        if self._ledger is None or delivery.changes == self._seen:
            return
        self._seen = delivery.changes
        rows = [row for row in delivery.rows() if self._pages.get(row.number) != row]
        if rows:
            self._pages.update((row.number, row) for row in rows)
            done = self._ledger.draw(self._turn, rows)
            if any(not row.message for row in rows):
                self._wait_for(done)
        for number in self._files - {upload.number for upload in delivery.pending}:
            self._files.discard(number)
            self._ledger.sent(self._turn, number)

    @property
    def takes_drafts(self) -> bool:
        """Whether what it says so far can be written down now: a slow disk gets the next when it has the last."""
        return self._ledger is not None and (self._drafting is None or self._drafting.done())

    def draft(self, text: str) -> None:
        """Write down what it says so far."""
        if self._ledger is not None:
            self._drafting = self._ledger.draft(self._turn, text)
            self._drafting.add_done_callback(lambda _: self._on_news())

    @property
    def keeps(self) -> bool:
        """Whether anything is written down."""
        return self._ledger is not None

    def finish(self, outcome: str, reason: str, delivery: Delivery, draft: str = "") -> None:
        """The turn is over, and delivery has got all that is to be shown; again, if it got more.

        `draft` is all that it says, where the platform draws that by itself.
        """
        if self._ledger is None:
            return
        if not self._has_begun:  # the agent could not even start: of a turn without a beginning no end is written
            self.start()
        rows, pending = delivery.rows(), delivery.pending
        self._pages = {row.number: row for row in rows}
        self._files, self._seen, self._is_open = {upload.number for upload in pending}, delivery.changes, True
        end = End(outcome, reason, rows, [_file(upload) for upload in pending], draft)
        self._wait_for(self._ledger.finish(self._turn, self._notes, end))

    def close(self, *, well: bool) -> None:
        """All of it is out, or has failed for good and people know."""
        if self._ledger is not None and self._is_open:
            self._is_open = False
            self._ledger.close(self._turn, well=well)

    def _wait_for(self, done: Future[None]) -> None:
        at = self._clock.monotonic() + ON_DISK
        self._writing = (*(one for one in self._writing if not one[0].done()), (done, at))
        done.add_done_callback(lambda _: self._on_news())


def _file(upload: Upload) -> FileRow:
    return FileRow(upload.number, upload.after, upload.file.name, upload.file.mime, upload.file.data)
