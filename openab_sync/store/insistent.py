"""Changes that must reach the disk even if it fails now: they are written again, in their order, before the next one;
and every few seconds if there is no next one, and once more at the end.

For what becomes of messages and replies: nobody can be told to try again, and what is under way is not held up.

**Threads**: any writes; callbacks run on the journal's thread and only move things between two queues.
**Locks**: none: a deque's `append` and `popleft` are atomic. Two writers may put the same old changes in turn, each of
them once; changes say themselves from which state they lead, so that one which comes late does no harm.
"""

from __future__ import annotations

import logging
import sqlite3
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial

from ..errors import StoreError
from .journal import Store

__all__ = ["Insistent"]

log = logging.getLogger(__name__)

Change = Callable[[sqlite3.Connection], None]

# Changes that wait for the disk to come back: hours of a busy house. The oldest are given up.
_MOST = 20_000


class Insistent:
    """Writes that are not given up while this process lives."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._owed: deque[Change] = deque(maxlen=_MOST)
        store.owed.append(self.settle)

    def __repr__(self) -> str:
        return f"<Insistent owed={len(self._owed)}>"

    @property
    def owes(self) -> int:
        """How many changes an outage has kept from the disk so far."""
        return len(self._owed)

    def write(self, change: Change) -> Future[None]:
        """Have `change` kept, now or as soon as the disk takes something again; the Future tells of this attempt.

        Any thread; never blocks.
        """
        self.settle()
        return self._put(change)

    def settle(self) -> None:
        """Try again what is owed. Any thread; never blocks."""
        for _ in range(len(self._owed)):
            try:
                self._put(self._owed.popleft())
            except IndexError:  # somebody else took it
                return

    def _put(self, change: Change) -> Future[None]:
        done = self._store.write(change)
        done.add_done_callback(partial(self._look, change))
        return done

    def _look(self, change: Change, done: Future[None]) -> None:
        error = None if done.cancelled() else done.exception()
        if done.cancelled() or isinstance(error, StoreError):
            self._owed.append(change)
        elif error is not None:  # not the disk's fault, so another time would not help
            log.error("a change of the journal was not made: a bug", exc_info=error)
