"""Cursors: up to where each place of a chat service has been read, and what it lies in. Plain words for any of them.

A place is where messages come: a channel, a thread, somebody's direct messages. What was written there while nobody
listened is what is newer than its cursor.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .journal import Store
from .mirror import Mirror, Row, Table

__all__ = ["Cursor", "Cursors"]

# The newest that are remembered. What falls out is as if it had never been seen: nothing is caught up there.
_MOST = 10_000


@dataclass(frozen=True, slots=True)
class Cursor:
    """One place; ids are those of its chat service."""

    key: str
    """`platform:id`, as a conversation's."""
    seen: str
    """The newest message there that is known, whatever was decided about it."""
    within: str = ""
    """The channel that a thread lies in, "" for all else."""
    guild: str = ""
    """The server, "" where there is none."""

    @property
    def place(self) -> int:
        """Its own id."""
        return int(self.key.partition(":")[2])


class Cursors:
    """The cursors of every place. One thread changes them; never blocks once it is built."""

    def __init__(self, store: Store) -> None:
        """Read what was kept. Blocks (disk). Raise StoreError."""
        self._kept = Mirror(store, _TABLE, _MOST)

    def __repr__(self) -> str:
        return f"<Cursors {len(self._kept)}>"

    def __iter__(self) -> Iterator[Cursor]:
        """All of them, the longest untouched first; they may be changed meanwhile."""
        return (cursor for _, cursor in self._kept)

    def get(self, key: str) -> Cursor | None:
        """Return that of a place; None for one that nobody has seen. Any thread."""
        return self._kept.get(key)

    def put(self, cursor: Cursor) -> None:
        """Remember it: at once here, soon on the disk."""
        if self._kept.get(cursor.key) != cursor:
            self._kept.put(cursor.key, cursor)

    def forget(self, key: str) -> None:
        """The place is gone."""
        self._kept.drop(key)


def _row(cursor: Cursor) -> Row:
    return cursor.key, cursor.seen, cursor.within, cursor.guild


def _cursor(row: Row) -> Cursor:
    key, seen, within, guild = row
    return Cursor(str(key), str(seen), str(within), str(guild))


_TABLE = Table("cursors", ("key", "seen", "within", "guild"), _row, _cursor)
