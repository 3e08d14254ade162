"""Replies: how each turn looks in its conversation, page by page, so that it can be told or finished after a restart.

    running ──► finished ──► delivered | failed

A turn is written down before the agent hears of it (`start`), with every page that people get to see (`draw`) or, where
they see nothing before it is whole, with what it says so far (`draft`), whole when it is over (`finish`), and closed
when all of it is out (`close`). What was running when the process died is interrupted; what was finished is delivered.

Of a turn whose messages have been forgotten nothing is written any more, whatever comes later of it: only `start` makes
a row, and only for messages that are there.

**Threads**: any. Nothing here blocks but `open`. Callbacks of the Futures run on the journal's thread.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Literal

from ..clock import Clock
from .deliveries import Delivery, deliveries_of
from .insistent import Insistent
from .journal import Store
from .luggage import Luggage

__all__ = ["End", "FileRow", "PageRow", "Replies", "ReplyRow"]

ReplyState = Literal["running", "finished", "delivered", "failed"]


@dataclass(frozen=True, slots=True)
class PageRow:
    """One page: what it should say, and the message that it is."""

    number: int
    text: str = field(repr=False)
    message: str = ""
    """Its id, "" while it is not posted, or nobody has told us."""
    copy: int = 0
    """How often it was begun anew: its nonce says so."""
    is_shown: bool = False
    """Whether the message is known to say the text."""


@dataclass(frozen=True, slots=True)
class FileRow:
    """A file that belongs behind page `after`."""

    number: int
    after: int
    name: str
    mime: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class End:
    """How a turn ended; `reason` in a sentence, "" when it went well."""

    outcome: str
    reason: str
    pages: Sequence[PageRow]
    """All of them."""
    files: Sequence[FileRow] = ()
    """Those that are not out."""
    draft: str = field(default="", repr=False)
    """All that it says, where there are no pages."""


@dataclass(frozen=True, slots=True)
class ReplyRow:
    """A reply, as it is kept."""

    turn: str
    conversation: str
    state: ReplyState
    outcome: str = ""
    reason: str = ""
    """Why it ended like this, in a sentence; "" when it went well."""
    began: float = 0.0
    """Seconds since the epoch."""
    ended: float = 0.0
    """0 while it runs."""
    deliveries: tuple[Delivery, ...] = ()
    """The messages that it answers, in order."""
    pages: tuple[PageRow, ...] = ()
    files: tuple[FileRow, ...] = ()
    """Those that are not out."""
    draft: str = field(default="", repr=False)
    """What it says so far, where it has no pages."""


_OPEN = "state IN ('running', 'finished')"


class Replies:
    """The replies of one broker."""

    def __init__(self, store: Store, clock: Clock, insistent: Insistent) -> None:
        self._store, self._clock, self._insistent = store, clock, insistent

    def __repr__(self) -> str:
        return f"<Replies {self._insistent!r}>"

    # ---- any thread; never blocks ----

    def start(self, turn: str, conversation: str, numbers: Collection[int]) -> Future[None]:
        """A turn answers these deliveries from now on: they are never begun again by themselves."""
        now = self._clock.time()

        def change(db: sqlite3.Connection) -> None:
            if any(db.execute("SELECT 1 FROM deliveries WHERE id = ?", (number,)).fetchone() for number in numbers):
                db.execute(
                    "INSERT OR IGNORE INTO replies (turn, conversation, state, outcome, reason, began) "
                    "VALUES (?, ?, 'running', '', '', ?)",
                    (turn, conversation, now),
                )
                _move(db, numbers, "started", ("accepted",), now, turn)

        return self._insistent.write(change)

    def draw(self, turn: str, pages: Iterable[PageRow]) -> Future[None]:
        """These pages of a turn look like this now; the others stay as they were."""
        rows = tuple(pages)
        return self._insistent.write(lambda db: _draw(db, turn, rows))

    def draft(self, turn: str, text: str) -> Future[None]:
        """A running turn says this so far. If the disk does not take it, that is all: the next one says more."""

        def change(db: sqlite3.Connection) -> None:
            db.execute("UPDATE replies SET draft = ? WHERE turn = ? AND state = 'running'", (text, turn))

        return self._store.write(change)

    def finish(self, turn: str, numbers: Collection[int], end: End) -> Future[None]:
        """A turn that was started is over. Again, if the reply has grown afterwards."""
        now = self._clock.time()

        def change(db: sqlite3.Connection) -> None:
            if not _is_there(db, turn):
                return
            _move(db, numbers, "finished", ("accepted", "started", "delivered"), now, turn)
            db.execute(
                "UPDATE replies SET state = 'finished', outcome = ?, reason = ?, ended = ?, draft = ? WHERE turn = ?",
                (end.outcome, end.reason, now, end.draft, turn),
            )
            db.execute("DELETE FROM pages WHERE turn = ?", (turn,))
            _draw(db, turn, end.pages)
            db.executemany(
                "REPLACE INTO files (turn, number, after, name, mime, data) VALUES (?, ?, ?, ?, ?, ?)",
                [(turn, file.number, file.after, file.name, file.mime, file.data) for file in end.files],
            )

        return self._insistent.write(change)

    def sent(self, turn: str, number: int) -> Future[None]:
        """A file is out, or will never be."""

        def change(db: sqlite3.Connection) -> None:
            db.execute("DELETE FROM files WHERE turn = ? AND number = ?", (turn, number))

        return self._insistent.write(change)

    def close(self, turn: str, *, well: bool) -> Future[None]:
        """All of a reply is out (`well`), or what is not never will be, and its people know."""
        now, state, luggage = self._clock.time(), "delivered" if well else "failed", Luggage()

        def change(db: sqlite3.Connection) -> None:
            luggage.collect(db, "turn = ? AND state IN ('started', 'finished')", [(turn,)])
            db.execute(
                "UPDATE replies SET state = ?, ended = ? WHERE turn = ? AND state <> 'failed'",
                (state, now, turn),
            )
            db.execute(  # what it said is kept once: where there are pages, as pages
                "UPDATE replies SET draft = '' WHERE turn = ? AND EXISTS (SELECT 1 FROM pages WHERE turn = ?)",
                (turn, turn),
            )
            db.execute(
                "UPDATE deliveries SET state = ?, note = NULL, changed = ? "
                "WHERE turn = ? AND state IN ('started', 'finished')",
                (state, now, turn),
            )
            db.execute("DELETE FROM files WHERE turn = ?", (turn,))

        done = self._insistent.write(change)
        done.add_done_callback(luggage.drop)
        return done

    def forget_before(self, moment: float) -> Future[int]:
        """Forget replies that were closed before `moment` (seconds since the epoch), with what they said."""

        def change(db: sqlite3.Connection) -> int:
            return db.execute(
                "DELETE FROM replies WHERE state IN ('delivered', 'failed') AND ended < ?", (moment,)
            ).rowcount

        return self._store.write(change)

    def one(self, turn: str) -> Future[ReplyRow | None]:
        """Look for the reply of a turn; None if it is closed, or not known."""
        return self._store.write(lambda db: next(iter(_rows(db, f"{_OPEN} AND turn = ?", (turn,))), None))

    # ---- blocks ----

    def open(self) -> list[ReplyRow]:
        """Return the replies that are not closed, the oldest first. Blocks (disk). Raise StoreError."""
        return self._store.read(lambda db: _rows(db, f"{_OPEN} ORDER BY began, turn", ()))

    def past(self, platform: str, most: int = 200) -> list[ReplyRow]:
        """Return the last replies of a platform that are closed, the oldest first. Blocks (disk). Raise StoreError."""
        where = "state IN ('delivered', 'failed') AND substr(conversation, 1, ?) = ? ORDER BY ended DESC, turn LIMIT ?"
        head = f"{platform}:"
        return self._store.read(lambda db: _rows(db, where, (len(head), head, most)))[::-1]


def _is_there(db: sqlite3.Connection, turn: str) -> bool:
    """Whether a turn was started, and not forgotten meanwhile."""
    return db.execute("SELECT 1 FROM replies WHERE turn = ?", (turn,)).fetchone() is not None


def _move(
    db: sqlite3.Connection, numbers: Collection[int], state: str, sources: tuple[str, ...], now: float, turn: str
) -> None:
    marks = ", ".join("?" * len(sources))
    db.executemany(
        f"UPDATE deliveries SET state = ?, turn = ?, changed = ? WHERE id = ? AND state IN ({marks})",
        [(state, turn, now, number, *sources) for number in numbers],
    )


def _draw(db: sqlite3.Connection, turn: str, pages: Iterable[PageRow]) -> None:
    rows = [(turn, page.number, page.text, page.message, page.copy, int(page.is_shown)) for page in pages]
    if _is_there(db, turn):
        db.executemany("REPLACE INTO pages (turn, number, text, message, copy, shown) VALUES (?, ?, ?, ?, ?, ?)", rows)


def _rows(db: sqlite3.Connection, where: str, values: tuple[object, ...]) -> list[ReplyRow]:
    found = []
    for turn, conversation, state, outcome, reason, began, ended, draft in db.execute(
        "SELECT turn, conversation, state, outcome, reason, began, coalesce(ended, 0.0), draft FROM replies "
        f"WHERE {where}",
        values,
    ).fetchall():
        pages = db.execute(
            "SELECT number, text, message, copy, shown FROM pages WHERE turn = ? ORDER BY number", (turn,)
        )
        files = db.execute("SELECT number, after, name, mime, data FROM files WHERE turn = ? ORDER BY number", (turn,))
        found.append(
            ReplyRow(
                turn,
                conversation,
                state,
                outcome,
                reason,
                began,
                ended,
                tuple(deliveries_of(db, "turn = ?", (turn,))),
                tuple(
                    PageRow(number, text, message, copy, bool(shown)) for number, text, message, copy, shown in pages
                ),
                tuple(FileRow(*row) for row in files),
                draft,
            )
        )
    return found
