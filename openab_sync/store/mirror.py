"""A table that is held in memory as well: looked up at once, changed at once, on the disk soon.

**Threads**: one changes it, any may `get`; the callback of a write that failed runs on the journal's thread and only
adds to a set. **Locks**: none: one look into a dictionary is atomic, and a key that is held is there at every moment.
**Never**: a wait for the disk after `Mirror` has been built.
"""

from __future__ import annotations

import itertools
import sqlite3
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Generic, TypeVar

from .journal import Store

__all__ = ["Mirror", "Table"]

T = TypeVar("T")
Row = tuple[str | int | float, ...]


@dataclass(frozen=True, slots=True)
class Table(Generic[T]):
    """How a `T` is kept: a column for each item of its row, the first being its key, and `touched` behind them."""

    name: str
    columns: Sequence[str]
    row: Callable[[T], Row]
    value: Callable[[Row], T]


class Mirror(Generic[T]):
    """Key and value, the newest `most` of them; what is pushed out is forgotten, on the disk too."""

    def __init__(self, store: Store, table: Table[T], most: int) -> None:
        """Read what is there. Blocks (disk). Raise StoreError."""
        self._store, self._table, self._most = store, table, most
        rows = store.read(self._newest)
        # The oldest first.
        self._held: OrderedDict[str, T] = OrderedDict((str(row[0]), table.value(row[:-1])) for row in rows)
        self._touched = itertools.count(int(rows[-1][-1]) + 1 if rows else 1)
        # What could not be written: with the next change it is tried again. A set's add and pop are atomic.
        self._unsaved: set[str] = set()

    def __len__(self) -> int:
        return len(self._held)

    def __iter__(self) -> Iterator[tuple[str, T]]:
        """What there is, the oldest first; it may be changed meanwhile."""
        return iter(tuple(self._held.items()))

    def get(self, key: str) -> T | None:
        """What is kept there; None for nothing. Any thread."""
        return self._held.get(key)

    def put(self, key: str, value: T) -> None:
        """Keep `value` there; it is the newest now."""
        self._held[key] = value
        self._held.move_to_end(key)  # not out and in again: others may be looking
        gone = list(itertools.islice(self._held, max(0, len(self._held) - self._most)))
        for old in gone:
            del self._held[old]
        self._save([key, *gone])

    def drop(self, *keys: str) -> None:
        """Forget them; those that are not there cost nothing."""
        known = [key for key in keys if self._held.pop(key, None) is not None]
        if known:
            self._save(known)

    def settled(self) -> Future[None]:
        """Done when all that was changed so far is on the disk, or cannot be written now. Any thread."""
        return self._store.write(lambda _: None)

    # ---- to the disk ----

    def _save(self, keys: list[str]) -> None:
        while self._unsaved:
            keys.append(self._unsaved.pop())
        gone = [(key,) for key in keys if key not in self._held]
        rows = [(*self._table.row(self._held[key]), next(self._touched)) for key in keys if key in self._held]

        def change(db: sqlite3.Connection) -> None:
            db.executemany(f"DELETE FROM {self._table.name} WHERE {self._table.columns[0]} = ?", gone)
            marks = ", ".join("?" * (len(self._table.columns) + 1))
            db.executemany(f"REPLACE INTO {self._table.name} ({self._columns}) VALUES ({marks})", rows)

        def look(done: Future[None]) -> None:  # on the journal's thread, or at once; why it failed is logged there
            if done.cancelled() or done.exception() is not None:
                self._unsaved.update(keys)

        self._store.try_write(change).add_done_callback(look)

    @property
    def _columns(self) -> str:
        return ", ".join((*self._table.columns, "touched"))

    def _newest(self, db: sqlite3.Connection) -> list[Row]:
        """The rows that are held from now on, the oldest first; the others are deleted."""
        table = self._table.name
        db.execute(
            f"DELETE FROM {table} WHERE touched <= "
            f"(SELECT touched FROM {table} ORDER BY touched DESC LIMIT 1 OFFSET ?)",
            (self._most,),
        )
        return db.execute(f"SELECT {self._columns} FROM {table} ORDER BY touched").fetchall()
