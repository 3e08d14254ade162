"""What it costs that a message is on disk before it is acknowledged: `python -m tests.bench.journal [FOLDER]`.

In FOLDER, or where temporary files are: a disk in memory knows no fsync. The first row is the latency that acceptance
adds to a message when nothing else is written; in the others so many threads accept one message after the other.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

from openab_sync.store import Fact, Store, open_books
from openab_sync.store.deliveries import Deliveries

__all__ = ["main", "measure"]

MESSAGES = 2000  # in all, for each row
THREADS = (1, 10, 100)
TEXT = "words of a person, as many as somebody writes into a chat " * 4


def _accept(deliveries: Deliveries, count: int, seconds: list[float]) -> None:
    for number in range(count):
        begun = time.perf_counter()
        _, done = deliveries.accept(Fact("discord:1", str(number), "2", TEXT, {"channel": "3"}))
        done.result()
        seconds.append(time.perf_counter() - begun)


def measure(folder: Path, threads: int, messages: int = MESSAGES) -> tuple[float, float, float, float]:
    """Return accepted messages a second, the median and the 99th percentile of the latency (ms), messages a commit."""
    store = Store.open(folder)
    try:
        deliveries, seconds = open_books(store).deliveries, list[float]()
        before, begun = store.commits, time.perf_counter()
        workers = [
            threading.Thread(target=_accept, args=(deliveries, messages // threads, seconds)) for _ in range(threads)
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        took, commits = time.perf_counter() - begun, store.commits - before
    finally:
        store.close()
    late = statistics.quantiles(seconds, n=100)[98]
    return len(seconds) / took, statistics.median(seconds) * 1000, late * 1000, len(seconds) / commits


def main(argv: list[str]) -> int:
    """Print the table."""
    print("accepting from     messages/s    median ms    p99 ms    messages a commit")
    for threads in THREADS:
        with tempfile.TemporaryDirectory(dir=argv[0] if argv else None) as folder:
            rate, median, late, group = measure(Path(folder), threads)
        print(
            f"{threads:3d} thread{'s' if threads > 1 else ' '} {rate:17,.0f} {median:12.2f} {late:9.2f} {group:20.1f}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
