"""What people said does not stay for ever: some days, and no longer than somebody wants of what is only theirs.

What is somebody's own: a conversation in which nobody else has written, as far as is known. It goes as a whole; where
others have written it is theirs as well, and stays until its days are over. The audit is another matter: it tells who
did what, and only grows.

**Threads**: any; nothing blocks. Callbacks of the Futures run on the journal's thread.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection
from concurrent.futures import Future
from dataclasses import dataclass

from .journal import Store

__all__ = ["Keeping", "Theirs"]

# Rows that go in one step: the journal has more to do.
_AT_ONCE = 500

# What is over, and when it was: the table, its key, what says that it is over, the column with the moment.
_OVER = (
    ("deliveries", "id", "state IN ('delivered', 'failed', 'withdrawn')", "changed"),
    ("replies", "turn", "state IN ('delivered', 'failed')", "ended"),
)

# Where the key of a conversation stands. Pages and files go with their reply.
_BY_CONVERSATION = (
    ("deliveries", "conversation"),
    ("replies", "conversation"),
    ("buttons", "conversation"),
    ("conversations", "key"),
    ("memories", "key"),
)


@dataclass(frozen=True, slots=True)
class Theirs:
    """The conversations in which somebody has written: keys."""

    own: frozenset[str] = frozenset()
    """Those of nobody else."""
    shared: frozenset[str] = frozenset()


class Keeping:
    """Finds and deletes what was said, in the journal."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def of(self, platform: str, person: str) -> Future[Theirs]:
        """Say in which conversations of a platform a person has written."""

        def ask(db: sqlite3.Connection) -> Theirs:
            people: dict[str, set[str]] = {}
            rows = db.execute("SELECT DISTINCT conversation, author FROM deliveries WHERE author <> ''")
            for key, author in rows:
                people.setdefault(key, set()).add(author)
            for key, known in db.execute("SELECT key, people FROM conversations"):
                people.setdefault(key, set()).update(json.loads(known))
            theirs = {key: who for key, who in people.items() if key.startswith(f"{platform}:") and person in who}
            own = frozenset(key for key, who in theirs.items() if who == {person})
            return Theirs(own, frozenset(theirs) - own)

        return self._store.try_write(ask)

    def forget(self, keys: Collection[str]) -> Future[None]:
        """Delete all that is kept of these conversations; the Future is done when that is on the disk."""
        rows = [(key,) for key in keys]

        def change(db: sqlite3.Connection) -> None:
            for table, column in _BY_CONVERSATION:
                db.executemany(f"DELETE FROM {table} WHERE {column} = ?", rows)

        return self._store.write(change, forgets=True)

    def forget_before(self, moment: float) -> Future[bool]:
        """Delete some of what was over before `moment` (seconds since the epoch); whether there is more of it."""

        def change(db: sqlite3.Connection) -> bool:
            gone = [
                db.execute(
                    f"DELETE FROM {table} WHERE {key} IN "
                    f"(SELECT {key} FROM {table} WHERE {over} AND {when} < ? LIMIT ?)",
                    (moment, _AT_ONCE),
                ).rowcount
                for table, key, over, when in _OVER
            ]
            return _AT_ONCE in gone

        return self._store.write(change, forgets=True)
