"""A process that writes to a journal as fast as it can and says what was reported, until it is killed, or kills itself.

    python -m tests.store.writer FOLDER [POINT]

POINT: `change` (inside one, half of it done), `commit` (all changes run, before the commit), `report` (committed,
nobody told yet). It strikes when two hundred numbers have been reported. Each line of stdout is a number whose Future
is done.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

from openab_sync.store import Store
from openab_sync.threads import spawn

__all__ = ["PARTS", "main"]

PARTS = 3
"""Rows that one change writes: all of them, or none."""

THREADS = 4
CALM = 200


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def add(number: int, after_first: Callable[[], None]) -> Callable[[sqlite3.Connection], int]:
    def change(db: sqlite3.Connection) -> int:
        for part in range(PARTS):
            db.execute("INSERT INTO rows VALUES (?, ?)", (number, part))
            if part == 0:
                after_first()
        return number

    return change


class Writer:
    """Some threads, each with one change under way at a time."""

    def __init__(self, folder: Path, point: str) -> None:
        self._point = point
        self._store = Store.open(folder)
        self._store.write(lambda db: db.execute("CREATE TABLE rows (number INTEGER, part INTEGER)")).result()
        self._said = 0
        self._out = threading.Lock()

    def run(self) -> None:
        for first in range(THREADS):
            spawn(f"writer-{first}", lambda first=first: self._work(first))  # type: ignore[misc]  # first is bound
        threading.Event().wait()

    def _work(self, number: int) -> None:
        while True:
            done = self._store.write(add(number, self._inside))
            if self._strikes("report"):
                done.add_done_callback(lambda _: die())
            self._say(done)
            number += THREADS

    def _say(self, done: Future[int]) -> None:
        number = done.result()
        with self._out:
            os.write(1, b"%d\n" % number)
            self._said += 1
            if self._said == CALM and self._point == "commit":
                self._store.write(lambda db: db.set_trace_callback(lambda sql: die() if sql == "COMMIT" else None))

    def _inside(self) -> None:
        if self._strikes("change"):
            die()

    def _strikes(self, point: str) -> bool:
        return self._point == point and self._said >= CALM


def main() -> None:
    """Write until the end."""
    Writer(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "").run()


if __name__ == "__main__":
    main()
