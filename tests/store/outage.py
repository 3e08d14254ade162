"""A disk that takes nothing for a while: SQLite's own answer to a write on a read-only disk."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from openab_sync.store import Store

__all__ = ["outage"]


@contextmanager
def outage(store: Store) -> Iterator[None]:
    """Until the end of the block every change fails as if the disk were read-only."""
    store._db.execute("PRAGMA query_only = ON")  # not as a change: none would be run that ends it
    try:
        yield
    finally:
        store._db.execute("PRAGMA query_only = OFF")
