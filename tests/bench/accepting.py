"""How the figures of accepting messages are taken (`sides.books`). As in `jobs`."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from tests.bench.quantile import quantile
from tests.bench.sides.side import Book
from tests.bench.task import Figures, Task

__all__ = ["JOURNAL_JOBS"]

TEXT = "words of a person, as many as somebody writes into a chat " * 4


def accept(side: Book, task: Task) -> Figures:
    """`sessions` threads accept `count` messages each, one after the other: how long it takes, and the rate."""
    late: list[float] = []
    side.accept(-1, TEXT)  # whatever the first one has to make

    def work(first: int) -> None:
        for number in range(first, first + task.count):
            begin = time.monotonic()
            side.accept(number, TEXT)
            late.append((time.monotonic() - begin) * 1000)

    workers = [threading.Thread(target=work, args=(number * task.count,)) for number in range(task.sessions)]
    begin, commits = time.monotonic(), side.commits
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    wall = time.monotonic() - begin
    assert len(late) == task.count * task.sessions, "somebody has failed"
    group = len(late) / (side.commits - commits)
    return {"accepted": len(late) / wall, "p50": quantile(late, 0.5), "p99": quantile(late, 0.99), "group": group}


JOURNAL_JOBS: dict[str, Callable[[Book, Task], Figures]] = {accept.__name__: accept}
