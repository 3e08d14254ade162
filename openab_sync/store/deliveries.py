"""Deliveries: what people wrote to us and were told that we have, and what has become of each.

    accepted ──► started ──► finished ──► delivered
        │           └────────────┴──────► failed       its author was told why it is not answered
        └──► withdrawn                                  nobody wants it answered any more

Who is refused is told with words that are written down before (`refuse`): whatever ends the process in between, the
next one says the same, and does not begin it.

A message is acknowledged when `accept` is done. It is accepted with the bare facts, for they are there at once; whole
it is when its files are fetched (`complete`), and then it can be replayed without asking the chat service again.
Every later change says from which states it leads, so a change that comes late, or twice, does no harm.

Plain words for any chat service and for any core: `route` is the platform's, `note` the core's.

**Threads**: any. Nothing here blocks but `waiting`. Callbacks of the Futures run on the journal's thread.
"""

from __future__ import annotations

import itertools
import json
import sqlite3
from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Literal

from ..clock import Clock
from .insistent import Insistent
from .journal import Store
from .luggage import Luggage

__all__ = ["Deliveries", "Delivery", "DeliveryState", "Fact"]

DeliveryState = Literal["accepted", "started", "finished", "delivered", "failed", "withdrawn"]


@dataclass(frozen=True, slots=True)
class Fact:
    """A message as it comes in: enough to find it again."""

    conversation: str
    """The key of the conversation that it belongs to, as far as that is known."""
    message: str
    """Its id on the chat service."""
    author: str
    """Who asks; not always who wrote it."""
    text: str = field(repr=False)
    route: Mapping[str, str] = field(default_factory=dict)
    """Whatever the platform needs to take it up again."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message that was accepted."""

    id: int
    """Counts up in the order of acceptance."""
    fact: Fact
    state: DeliveryState
    note: str = field(default="", repr=False)
    """The complete message as its writer serialises it, "" while it is not complete, and when it is over."""
    turn: str = ""
    accepted: float = 0.0
    """Seconds since the epoch."""
    refusal: str = ""
    """With which words it is refused, "" if it is not; it waits to be told."""


class Deliveries:
    """The deliveries of one broker."""

    def __init__(self, store: Store, clock: Clock, insistent: Insistent) -> None:
        """Blocks (disk). Raise StoreError."""
        self._store, self._clock, self._insistent = store, clock, insistent
        newest = store.read(lambda db: db.execute("SELECT coalesce(max(id), 0) FROM deliveries").fetchone()[0])
        self._ids = itertools.count(int(newest) + 1)  # `next` is atomic

    def __repr__(self) -> str:
        return f"<Deliveries {self._insistent!r}>"

    # ---- in ----

    def accept(self, fact: Fact) -> tuple[int, Future[None]]:
        """Write a message down; return its number, and a Future that is done when it is on the disk.

        If that fails (StoreError) it was not accepted: whoever wrote it must be told. It has the number 0 if so much
        waits for the disk that nothing more is accepted.
        """
        self._insistent.settle()
        number, now, route = next(self._ids), self._clock.time(), json.dumps(dict(fact.route))

        def change(db: sqlite3.Connection) -> None:
            db.execute(
                "INSERT INTO deliveries (id, conversation, message, author, text, route, state, accepted, changed) "
                "VALUES (?, ?, ?, ?, ?, ?, 'accepted', ?, ?)",
                (number, fact.conversation, fact.message, fact.author, fact.text, route, now, now),
            )

        done = self._store.try_write(change)
        return 0 if done.done() and done.exception() else number, done

    def complete(self, number: int, conversation: str, message: str, note: str) -> Future[None]:
        """A message is whole: it can be replayed as it is. It may belong to another conversation than was thought."""
        return self._write(
            "UPDATE deliveries SET conversation = ?, message = ?, note = ?, changed = ? "
            "WHERE id = ? AND state = 'accepted'",
            [(conversation, message, note, self._clock.time(), number)],
        )

    def edit(self, conversation: str, message: str, text: str) -> Future[None]:
        """Somebody has changed the words of a message that waits."""
        return self._write(
            "UPDATE deliveries SET text = ?, note = CASE WHEN note IS NULL THEN NULL "
            "ELSE json_set(note, '$.text', ?) END, changed = ? "
            "WHERE message = ? AND conversation = ? AND state = 'accepted'",
            [(text, text, self._clock.time(), message, conversation)],
        )

    # ---- out ----

    def withdraw(self, numbers: Collection[int]) -> Future[None]:
        """Nobody wants these answered any more: they stay withdrawn."""
        return self._end(numbers, "withdrawn", "('accepted')")

    def refuse(self, numbers: Collection[int], words: str) -> Future[None]:
        """These will not be answered, and their authors are to be told so with these words; then `fail`."""
        now = self._clock.time()
        return self._write(
            "UPDATE deliveries SET refusal = ?, changed = ? WHERE id = ? AND state = 'accepted'",
            [(words, now, number) for number in numbers],
        )

    def fail(self, numbers: Collection[int]) -> Future[None]:
        """These will not be answered, and their authors were told; a turn that was at it is over, too."""
        done, now = self._end(numbers, "failed", "('accepted', 'started', 'finished')"), self._clock.time()
        self._write(
            "UPDATE replies SET state = 'failed', ended = ? WHERE state = 'running' "
            "AND turn IN (SELECT turn FROM deliveries WHERE id = ?)",
            [(now, number) for number in numbers],
        )
        return done

    def _end(self, numbers: Collection[int], state: str, sources: str) -> Future[None]:
        now, luggage = self._clock.time(), Luggage()

        def change(db: sqlite3.Connection) -> None:
            which = f"id = ? AND state IN {sources}"
            luggage.collect(db, which, [(number,) for number in numbers])
            db.executemany(
                f"UPDATE deliveries SET state = '{state}', note = NULL, changed = ? WHERE {which}",
                [(now, number) for number in numbers],
            )

        done = self._insistent.write(change)
        done.add_done_callback(luggage.drop)
        return done

    # ---- looking ----

    def known(self, platform: str, messages: Iterable[str]) -> Future[frozenset[str]]:
        """Say which of these messages of a platform were ever accepted (or are remembered to have been)."""
        asked = tuple(messages)

        def ask(db: sqlite3.Connection) -> frozenset[str]:
            found = set[str]()
            for message in asked:
                row = db.execute(
                    "SELECT 1 FROM deliveries WHERE message = ? AND conversation LIKE ? || ':%' LIMIT 1",
                    (message, platform),
                ).fetchone()
                if row is not None:
                    found.add(message)
            return frozenset(found)

        return self._store.try_write(ask)

    def waiting(self) -> list[Delivery]:
        """Return what was accepted and not begun, in order, refused ones too. Blocks (disk). Raise StoreError."""
        return self._store.read(lambda db: deliveries_of(db, "state = 'accepted'", ()))

    # ---- the end of keeping ----

    def forget_before(self, moment: float) -> Future[int]:
        """Forget what was over before `moment` (seconds since the epoch); the Future says how many those were."""

        def change(db: sqlite3.Connection) -> int:
            return db.execute(
                "DELETE FROM deliveries WHERE state IN ('delivered', 'failed', 'withdrawn') AND changed < ?", (moment,)
            ).rowcount

        return self._store.write(change)

    def _write(self, statement: str, rows: list[tuple[object, ...]]) -> Future[None]:
        def change(db: sqlite3.Connection) -> None:
            db.executemany(statement, rows)

        return self._insistent.write(change)


def deliveries_of(db: sqlite3.Connection, where: str, values: tuple[object, ...]) -> list[Delivery]:
    """Return the deliveries that `where` (SQL of ours) means, in order. The journal's thread, or a change."""
    rows = db.execute(
        "SELECT id, conversation, message, author, text, route, state, note, turn, accepted, refusal FROM deliveries "
        f"WHERE {where} ORDER BY id",
        values,
    )
    return [
        Delivery(
            id=id,
            fact=Fact(conversation, message, author, text, json.loads(route)),
            state=state,
            note=note or "",
            turn=turn or "",
            accepted=accepted,
            refusal=refusal,
        )
        for id, conversation, message, author, text, route, state, note, turn, accepted, refusal in rows
    ]
