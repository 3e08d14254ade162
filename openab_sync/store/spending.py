"""What was used, day by day: written as it grows, read again after a restart, and forgotten after some weeks.

Plain words and numbers; what they mean is the budget's. Any thread; never blocks once it is there.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence

from .journal import Store

__all__ = ["Spending"]

Row = tuple[str, str, str, int, int, float]

_MOST = 10_000  # rows that are read again
_DAYS = 40  # that are kept


class Spending:
    """The sums of days, by day, scope and key."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def read(self, day: str) -> Iterable[Row]:
        """Return the sums of `day`, those changed last at the end. Older days than some weeks go. Blocks (disk)."""

        def look(db: sqlite3.Connection) -> list[Row]:
            db.execute("DELETE FROM spending WHERE day < date(?, ?)", (day, f"-{_DAYS} days"))
            query = (
                "SELECT day, scope, key, turns, tokens, cost FROM "
                "(SELECT * FROM spending WHERE day = ? ORDER BY touched DESC LIMIT ?) ORDER BY touched"
            )
            return db.execute(query, (day, _MOST)).fetchall()

        return self._store.read(look)

    def keep(self, rows: Sequence[Row]) -> None:
        """Keep these: the whole sums, not what was added. What the disk does not take goes with the next change."""

        def change(db: sqlite3.Connection) -> None:
            (touched,) = db.execute("SELECT coalesce(max(touched), 0) + 1 FROM spending").fetchone()
            db.executemany("REPLACE INTO spending VALUES (?, ?, ?, ?, ?, ?, ?)", [(*row, touched) for row in rows])

        self._store.write(change)
