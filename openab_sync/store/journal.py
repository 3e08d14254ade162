"""The journal: what must outlive this process, in one SQLite file, written by one thread.

    write(change) ─► queue ─► thread "journal": BEGIN · every change that waits, each in a savepoint · COMMIT ─► Futures

Who writes gets a Future that is done when the change is on the disk. All changes that have come while the last commit
was under way go into the next one together: a thousand cost one fsync (group commit), a single one waits for nobody.

**Threads**: any thread writes; `journal` runs the changes, commits, and runs the callbacks of the Futures. It blocks in
its queue, where `write` and `close` wake it (after an outage it looks every few seconds what is owed), and in the disk.
**Locks**: none of ours. The order of things is the queue's; `_ended` is set before the queue is emptied for the last
time and looked at after something was put into it, so that one of the two sees every item.
**Never**: a Future that is not completed; a change that is reported and not on the disk; the folder given back while
the thread may still write.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from ..clock import SystemClock
from ..errors import StoreError
from ..threads import Beat, join_all, late, spawn
from .database import BUSY, FILE_NAME, is_outage, open_database, said_by_sqlite
from .place import Hold, make_private, warn_of_the_disk

__all__ = ["Store"]

log = logging.getLogger(__name__)

T = TypeVar("T")

# Changes in one commit: bounds how long the first of them waits for the last.
_MOST = 1000

# Changes that may wait for the disk before what can be refused is refused: what is under way is written all the same.
_FULL = 10_000

# Seconds that what is queued has to reach the disk when we stop.
_PATIENCE = 10.0

# Seconds between two tries of what an outage has kept from the disk, while nobody writes anything else.
_AGAIN = 5.0

# Seconds that a commit may take on a disk that is busy with other things.
_SLOW = 20.0


@dataclass(frozen=True, slots=True)
class _Item:
    """A change, and who waits for it. What a change returns is its writer's business (the `Any` here)."""

    change: Callable[[sqlite3.Connection], Any]
    done: Future[Any]
    forgets: bool = False


class Store:
    """The journal of one broker. Public methods: any thread, unless they say otherwise."""

    def __init__(self, folder: Path, hold: Hold, db: sqlite3.Connection) -> None:
        """Use `open`."""
        self.folder = folder  # other rooms keep their files here, too
        self.commits = self.changes = 0  # what has been done so far; written by the journal's thread only
        self._hold, self._db = hold, db
        self._queue: queue.SimpleQueue[_Item | None] = queue.SimpleQueue()
        self.beat = Beat("journal")
        self.timed: Callable[[float], object] = lambda _: None  # is told the seconds of each commit, by its thread
        self.owed: list[Callable[[], object]] = []  # each writes again what an outage kept back; set up by who starts
        self._ended = False  # set once, by the journal's thread
        self._is_failing = False  # journal's thread: an outage is logged when it begins and when it ends
        self._thread = spawn("journal", self._run)

    @classmethod
    def open(cls, folder: Path) -> Store:
        """Open the journal in `folder`, made if need be, and start its thread. Blocks (disk).

        Raise StoreError if another broker has it, naming that one, or the disk fails; ConfigError if the folder or the
        file cannot be used, or a newer version has written it. Each is one sentence.
        """
        make_private(folder)
        warn_of_the_disk(folder)
        with contextlib.ExitStack() as undo:
            hold = Hold(folder)
            undo.callback(hold.release)
            db = open_database(folder)
            undo.callback(db.close)
            store = cls(folder, hold, db)
            undo.pop_all()
        return store

    @property
    def trouble(self) -> str:
        """Why nothing can be kept just now, "" if all is well. Any thread; never blocks."""
        if late([self.beat], time.monotonic()):
            return f"the disk of the journal in {self.folder} does not answer"
        return f"the journal in {self.folder} cannot be written" if self._is_failing else ""

    def __repr__(self) -> str:
        state = "closed" if self._ended else "open"
        return f"<Store {self.folder} {state} changes={self.changes} commits={self.commits}>"

    # ---- any thread; never blocks ----

    def write(self, change: Callable[[sqlite3.Connection], T], *, forgets: bool = False) -> Future[T]:
        """Have `change` run and kept; the Future is done after the commit, with what it returned.

        `forgets`: it deletes what people said, and that is to stand nowhere in the file's log either.

        Changes run in the order in which they came. One that raises is undone, alone, and its Future says so; one may
        run again if the disk undid others with it. It must not begin or end a transaction. A disk that fails, and a
        store that is closed, are StoreErrors; what else a change raises comes as it is. Callbacks of the Future run on
        the journal's thread: they must not block.
        """
        done: Future[T] = Future()
        self._queue.put(_Item(change, done, forgets))
        if self._ended:
            self._refuse_rest()
        return done

    def try_write(self, change: Callable[[sqlite3.Connection], T]) -> Future[T]:
        """As `write`, for what need not be done: a StoreError while too much waits for a disk that does not answer."""
        if self._queue.qsize() < _FULL:
            return self.write(change)
        refused: Future[T] = Future()
        refused.set_exception(StoreError("the disk does not answer, and too much waits for it", file=str(self.folder)))
        return refused

    # ---- blocks ----

    def read(self, ask: Callable[[sqlite3.Connection], T]) -> T:
        """Return what `ask` finds, after everything that was written before. Blocks: for start-up and the command line.

        Raise StoreError. Not from the journal's own thread, that is, from no change and no callback.
        """
        assert threading.current_thread() is not self._thread, "the journal would wait for itself"
        return self.write(ask).result()

    def close(self) -> bool:
        """Bring what waits to the disk, end the thread, give the folder back; whether all that went well. Bounded.

        What is written from now on is refused. Again: does nothing. Not from the journal's own thread.
        """
        self._queue.put(None)
        if join_all([self._thread], SystemClock(), _PATIENCE):
            return False  # it may still write: the folder stays ours until this process ends
        self._hold.release()
        return True

    # ---- the journal's thread only ----

    def _run(self) -> None:
        try:
            while self._take():
                pass
            self._write_owed()
            while not self._queue.empty():  # what is owed goes on for as long as it gets through
                self._take()
        except Exception:
            log.exception("the journal has stopped: a bug; nothing more is kept")
            self.beat.died()
        finally:
            self.beat.rests()
            self._ended = True
            self._refuse_rest()
            self._db.close()

    def _take(self) -> bool:
        """Wait for changes and do them; False when there will be no more."""
        items: list[_Item] = []
        self.beat.rests()
        try:
            item = self._queue.get(timeout=_AGAIN if self._is_failing else None)
        except queue.Empty:
            self._write_owed()
            return True
        self.beat.owes(time.monotonic(), _SLOW)
        while item is not None:
            if item.done.set_running_or_notify_cancel():
                items.append(item)
            if len(items) == _MOST or self._queue.empty():
                break
            item = self._queue.get()
        try:
            todo = items
            while todo:
                todo = self._commit(todo)
        finally:  # reached with an error only by a bug of ours, or a disk that fails even at undoing
            _refuse(items, StoreError("the journal has stopped", file=str(self.folder)))
        return item is not None

    def _write_owed(self) -> None:
        for write in self.owed:
            write()

    def _commit(self, items: list[_Item]) -> list[_Item]:
        """Do `items` in one transaction and tell who waits. Return those that have to be done again, in another one."""
        told: list[tuple[_Item, Exception | None, Any]] = []
        began, has_written = time.monotonic(), False
        try:
            self._db.execute("BEGIN IMMEDIATE")
            for item in items:
                before = self._db.total_changes
                error, result = self._run_one(item)
                has_written |= error is None and self._db.total_changes > before
                if not self._db.in_transaction:  # some errors undo everything: only who met it has failed
                    return self._without(items, item, error)
                told.append((item, error, result))
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            self._undo(items, error)
            return []
        self.timed(time.monotonic() - began)
        self.commits += 1
        self.changes += len(items)
        outage = next((error for _, error, _ in told if isinstance(error, StoreError)), None)
        if outage is not None or has_written:  # a full disk "takes" what changes nothing
            self._note(outage)
        if has_written and any(item.forgets for item in items):
            self._empty_log()
        for item, failure, result in told:
            if failure is None:
                item.done.set_result(result)
            else:
                item.done.set_exception(failure)
        return []

    def _empty_log(self) -> None:
        """Have nothing in the log. Who reads the journal just now is not waited for: then it happens later."""
        self._db.execute("PRAGMA busy_timeout = 0")
        with contextlib.suppress(sqlite3.Error):  # a disk that fails at it is noticed with the next change
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        self._db.execute(f"PRAGMA busy_timeout = {BUSY}")

    def _run_one(self, item: _Item) -> tuple[Exception | None, Any]:
        """What it raised, what it returned."""
        self._db.execute("SAVEPOINT one")
        try:
            result = item.change(self._db)
            self._db.execute("RELEASE one")
        except Exception as error:  # noqa: BLE001  # whatever it is, it is told to who waits for this change
            if self._db.in_transaction:
                self._db.execute("ROLLBACK TO one")
                self._db.execute("RELEASE one")
            return (self._ours(error) if is_outage(error) else error), None
        return None, result

    def _without(self, items: Iterable[_Item], failed: _Item, error: Exception | None) -> list[_Item]:
        assert error is not None  # a change that ends the transaction itself fails at its RELEASE
        if isinstance(error, StoreError):
            self._note(error)
        failed.done.set_exception(error)
        return [item for item in items if item is not failed]

    def _undo(self, items: Iterable[_Item], error: sqlite3.Error) -> None:
        """The transaction as a whole did not succeed: nothing of it is kept."""
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")
        ours = self._ours(error)
        self._note(ours)
        for item in items:
            item.done.set_exception(ours)

    def _note(self, outage: StoreError | None) -> None:
        """Log that an outage has begun, or has ended."""
        if outage is not None and not self._is_failing:
            log.error("%s; it is tried again with every change", outage)
        elif outage is None and self._is_failing:
            log.warning("%s can be written again", self.folder / FILE_NAME)
        self._is_failing = outage is not None

    def _ours(self, error: Exception) -> StoreError:
        assert isinstance(error, sqlite3.Error)
        ours = said_by_sqlite(error, self.folder / FILE_NAME)
        ours.__cause__ = error
        return ours

    # ---- any thread, once the journal's has ended ----

    def _refuse_rest(self) -> None:
        error = StoreError("the journal is closed", file=str(self.folder))
        while True:
            try:
                item = self._queue.get_nowait()
            except queue.Empty:
                return
            if item is not None and item.done.set_running_or_notify_cancel():
                _refuse([item], error)


def _refuse(items: Iterable[_Item], error: StoreError) -> None:
    """Tell those who wait and have not been told anything yet."""
    for item in items:
        if not item.done.done():
            item.done.set_exception(error)
