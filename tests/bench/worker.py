"""The process in which one side is measured: a task a line on stdin, its figures a line on stdout.

Imports nothing but the side that it is asked for, so that nobody's memory or start is charged to another.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Sequence

from tests.bench.jobs import JOBS
from tests.bench.sides.side import Book, Side
from tests.bench.task import Figures, SideName, Task

__all__: list[str] = []


def make(side: SideName, command: Sequence[str], upstream: str, task: Task) -> Side | Book:
    """Build the side, everything imported and started."""
    room = (task.rounds if task.job == "death" else max(task.sessions, task.count if task.job == "beat" else 0)) + 2
    match side:
        case "ours":
            from tests.bench.sides.ours import Ours

            return Ours(command, task.live, room)
        case "discord":
            from tests.bench.sides.discord import OnDiscord

            return OnDiscord(command, room)
        case "sdk":
            from tests.bench.sides.sdk import Sdk

            return Sdk(command, task.live, room)
        case "floor":
            from tests.bench.sides.floor import Floor

            return Floor(command, task.live, room)
        case "run" | "bot" | "held" | "refused":
            from tests.bench.sides.run import on_discord

            return on_discord(command, room, side)
        case "store" | "sqlite" | "fsync":
            from tests.bench.sides.books import BOOKS

            return BOOKS[side]()
        case "upstream":
            from tests.bench.sides.upstream import started

            return started(upstream, command, task.live, room)


def carry_out(line: str) -> Figures:
    """Measure what the line says."""
    name, command, upstream, task = Task.load(line)
    side = make(name, command, upstream, task)
    try:
        return JOBS[task.job](side, task)
    finally:
        side.close()


def main() -> None:
    """Work until stdin ends."""
    logging.basicConfig(level=logging.ERROR)  # agents that are killed on purpose are no news
    for line in sys.stdin:
        print(json.dumps(carry_out(line)), flush=True)


if __name__ == "__main__":
    main()
