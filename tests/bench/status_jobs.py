"""How long the status server takes to answer, asked from another process than the one that serves. As in `jobs`."""

from __future__ import annotations

import http.client
import os
import time
from collections.abc import Callable
from pathlib import Path

from tests.bench.program_jobs import stream_on
from tests.bench.quantile import quantile
from tests.bench.sides.held import HELD, TOGGLE
from tests.bench.sides.side import PATIENCE, Program
from tests.bench.task import Figures, Task
from tests.waiting import until

__all__ = ["STATUS_JOBS"]

PATHS = ("/healthz", "/readyz", "/api/sessions", "/metrics")


def asked(side: Program, task: Task) -> Figures:
    """`rounds` questions to each of PATHS, one after the other, each on a connection of its own; sessions stream."""
    side.open(range(task.sessions))
    stream_on(side, range(task.sessions), task.rate)
    return _answers(side.folder / "state", task.rounds)


def asked_while_stuck(side: Program, task: Task) -> Figures:
    """The same while the loop of the chat service's library does nothing at all."""
    side.open(range(task.sessions))
    stream_on(side, range(task.sessions), task.rate)
    os.kill(side.process, TOGGLE)
    try:
        until((side.folder / "state" / HELD).exists, PATIENCE, "the loop is held")
        return _answers(side.folder / "state", task.rounds)
    finally:
        os.kill(side.process, TOGGLE)


def _answers(state: Path, rounds: int) -> Figures:
    host = (state / "status.address").read_text(encoding="utf-8").strip().removeprefix("http://")
    key = (state / "status.token").read_text(encoding="utf-8").strip()
    late = []
    for _ in range(rounds):
        for path in PATHS:
            begin = time.monotonic()
            connection = http.client.HTTPConnection(host, timeout=PATIENCE)
            connection.request("GET", path, headers={"Authorization": f"Bearer {key}"})
            answer = connection.getresponse()
            answer.read()
            connection.close()
            late.append((time.monotonic() - begin) * 1000)
            assert answer.status == 200 or path == "/readyz", f"{path} answers {answer.status}"
    return {"p50": quantile(late, 0.5), "p99": quantile(late, 0.99), "max": max(late)}


STATUS_JOBS: dict[str, Callable[[Program, Task], Figures]] = {job.__name__: job for job in (asked, asked_while_stuck)}
