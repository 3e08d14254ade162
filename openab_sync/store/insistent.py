"""Changes that must reach the disk even if it fails now: while one is owed, those that come later queue up behind it.

For what becomes of messages and replies: nobody can be told to try again, and what is under way is not held up. The
order matters: a page of a reply that runs, written after the reply's end, would undo that end.

    write ─► nothing older is owed ─► made ─► its Future
               │ else                  └─ outage ─┐
               └─► try the oldest ones instead ─► owed, in the order of `write` ─► tried again

A try takes the oldest change alone; after each that works the next takes twice as many, after one that fails a single
one again. So an outage costs one more change with each write, however much is owed. There is a try with each write,
every few seconds if there is none (the journal's `owed`), and at the end.

**Threads**: any writes; all else happens on the journal's thread (on any once that has ended, when nothing is made).
**Locks**: none. At most one slot of a transaction tries what is owed: `_trying`.
"""

from __future__ import annotations

import itertools
import logging
import sqlite3
from bisect import insort
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial

from ..errors import StoreError
from .database import is_outage
from .journal import Store

__all__ = ["Insistent"]

log = logging.getLogger(__name__)

Change = Callable[[sqlite3.Connection], None]

# Changes that wait for the disk to come back: hours of a busy house. The oldest are given up.
_MOST = 20_000


@dataclass(slots=True, eq=False)
class _Item:
    """A change that must be kept, and who waits for its first attempt."""

    number: int
    change: Change
    done: Future[None] = field(default_factory=Future)
    is_owed: bool = False


@dataclass(slots=True, eq=False)
class _Slot:
    """A place in the journal's queue: for its own item, or for a try of what is owed."""

    item: _Item | None = None
    is_own: bool = False  # its own item was made
    batch: list[_Item] = field(default_factory=list)  # what it tried


class Insistent:
    """Writes that are not given up while this process lives."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._numbers = itertools.count()  # `next` is atomic
        self._owed: list[_Item] = []  # by number
        self._untold: list[_Item] = []  # owed only because something older is: their writers wait for the next try
        self._trying: _Slot | None = None
        self._is_asked = False  # a slot for a try is in the queue
        self._size = 1  # of the next try
        self._has_dropped = False
        store.owed.append(self.settle)

    def __repr__(self) -> str:
        return f"<Insistent owed={len(self._owed)}>"

    @property
    def owes(self) -> int:
        """How many changes an outage has kept from the disk so far."""
        return len(self._owed)

    def write(self, change: Change) -> Future[None]:
        """Have `change` kept, now or as soon as the disk takes something again; the Future tells of this attempt.

        Any thread; never blocks. The Future cannot be cancelled.
        """
        item = _Item(next(self._numbers), change)
        item.done.set_running_or_notify_cancel()
        self._put(_Slot(item))
        return item.done

    def settle(self) -> None:
        """Try again what is owed. Any thread; never blocks."""
        if self._owed and not self._is_asked:
            self._is_asked = True
            self._put(_Slot())

    def _put(self, slot: _Slot) -> None:
        self._store.write(partial(self._run, slot)).add_done_callback(partial(self._look, slot))

    # ---- the journal's thread ----

    def _run(self, slot: _Slot, db: sqlite3.Connection) -> None:
        """May run again, when the disk has undone all of a transaction: then nothing of the first time holds."""
        item, slot.is_own = slot.item, False
        if self._trying is slot:
            self._trying, slot.batch = None, []
        if item is not None and item.is_owed:  # the disk did not take it then; it is made now, or is owed again
            self._owed = [one for one in self._owed if one is not item]
            item.is_owed = False
        if item is not None and not (self._owed and self._owed[0].number < item.number):
            slot.is_own = True
            try:
                item.change(db)
            except sqlite3.Error as error:
                if is_outage(error):  # at once: what comes later in this transaction must not overtake it
                    self._owe(item)
                raise
        elif self._trying is None:
            self._trying, slot.batch = slot, self._owed[: self._size]
            for one in slot.batch:
                one.change(db)

    def _look(self, slot: _Slot, done: Future[None]) -> None:
        """What became of a slot."""
        error, item = done.exception(), slot.item
        if item is None:
            self._is_asked = False
        if self._trying is slot:
            self._trying = None
            self._judge(slot.batch, error)
        if item is not None and slot.is_own and not isinstance(error, StoreError):
            _tell(item, error)
        elif item is not None:
            self._owe(item)
            self._untold.append(item)
        if isinstance(error, StoreError):
            self._size = 1
            untold, self._untold = self._untold, []
            for one in untold:
                _tell(one, error)
        elif self._untold or slot.batch:
            self.settle()

    def _judge(self, batch: list[_Item], error: BaseException | None) -> None:
        """What became of a try."""
        is_over = error is None or (len(batch) == 1 and not isinstance(error, StoreError))
        self._size = self._size * 2 if error is None else 1
        if is_over:
            gone = set(batch)
            self._owed = [one for one in self._owed if one not in gone]
            self._untold = [one for one in self._untold if one not in gone]
            for one in batch:
                _tell(one, error)
        if not self._owed:
            self._size, self._has_dropped = 1, False

    def _owe(self, item: _Item) -> None:
        if item.is_owed:
            return
        item.is_owed = True
        insort(self._owed, item, key=lambda one: one.number)
        if len(self._owed) > _MOST:
            del self._owed[0]
            if not self._has_dropped:
                log.error("more than %d changes wait for the disk: the oldest are given up", _MOST)
            self._has_dropped = True


def _tell(item: _Item, error: BaseException | None) -> None:
    if error is not None and not isinstance(error, StoreError):  # not the disk's fault: another time would not help
        log.error("a change of the journal was not made: a bug", exc_info=error)
    if item.done.done():
        return
    if error is None:
        item.done.set_result(None)
    else:
        item.done.set_exception(error)
