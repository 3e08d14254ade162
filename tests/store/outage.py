"""A disk that takes nothing for a while: SQLite's own answer to a write on a read-only disk; and one that hangs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from openab_sync.store import Store

__all__ = ["hanging", "outage"]


@contextmanager
def outage(store: Store) -> Iterator[None]:
    """Until the end of the block every change fails as if the disk were read-only."""
    store._db.execute("PRAGMA query_only = ON")  # not as a change: none would be run that ends it
    try:
        yield
    finally:
        store._db.execute("PRAGMA query_only = OFF")


@contextmanager
def hanging(store: Store) -> Iterator[threading.Event]:
    """The journal's thread stands still in a commit until the event is set, or the block ends.

    What is written meanwhile is one commit afterwards.
    """
    gate, begun = threading.Event(), threading.Event()

    def hang(_: object) -> None:
        begun.set()
        gate.wait(20)

    store.write(hang)
    assert begun.wait(10)
    try:
        yield gate
    finally:
        gate.set()
