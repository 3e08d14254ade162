"""How figures are taken that only a whole program has, behind its chat service (`sides.program`). As in `jobs`."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable

from tests.bench.quantile import quantile
from tests.bench.sides.side import Page, Program, cpu_seconds, rss, rss_peak, status
from tests.bench.task import ENDLESS, Figures, Task

__all__ = ["PROGRAM_JOBS", "stream_on"]

PACE = 30  # chunks a second that others say meanwhile


def event(side: Program, task: Task) -> Figures:
    """From the chat service's event to its prompt on the agent's stdin, `rounds` times; `sessions` others stream."""
    return _late(side, task, lambda told, page: page.heard - told)


def last(side: Program, task: Task) -> Figures:
    """From the agent's last chunk, with its answer behind it, to the last page of it in the chat. Else as `event`."""
    return _late(side, task, lambda told, page: page.at - page.said)


def _late(side: Program, task: Task, measure: Callable[[float, Page], float]) -> Figures:
    side.open(range(task.sessions + 1))
    stream_on(side, range(1, task.sessions + 1), PACE)
    late = []
    pause = random.Random(1)  # so that no beat of the others is met always at the same point
    for _ in range(task.rounds):
        time.sleep(pause.uniform(0.001, 0.02))
        told = side.say(0, task.order)
        late.append(measure(told, side.page(0)) * 1000)
    return {"p50": quantile(late, 0.5), "p99": quantile(late, 0.99), "max": max(late)}


def shutdown(side: Program, task: Task) -> Figures:
    """From SIGTERM until neither the program nor any agent is left; its sessions stream if there is a `rate`."""
    names = range(task.sessions)
    side.open(names)
    if task.rate:
        stream_on(side, names, task.rate)
        side.work(1)
    begin = time.monotonic()
    return {"wall": side.end() - begin}


def started(side: Program, task: Task) -> Figures:
    """From the start of the process until its chat service has it logged in; its memory two seconds later."""
    side.work(2)
    return {"start": side.starting, "rss": rss(side) / 1024}


def live(side: Program, task: Task) -> Figures:
    """What `sessions` cost while they have nothing to do, and the CPU while all of them stream."""
    names = range(task.sessions)
    side.open(names)
    side.work(1)
    found = {
        "rss": rss(side) / 1024,
        "threads": status(side, "Threads"),
        "descriptors": float(len(os.listdir(f"/proc/{side.process}/fd"))),
    }
    stream_on(side, names, task.rate)
    side.work(1)
    cpu, begin = cpu_seconds(side), time.monotonic()
    side.work(task.rounds)
    wall, cpu = time.monotonic() - begin, cpu_seconds(side) - cpu
    many = task.rate * task.sessions * wall
    return {**found, "load": cpu / wall, "cpu": cpu * 1e6 / many, "peak": rss_peak(side) / 1024}


PROGRAM_JOBS: dict[str, Callable[[Program, Task], Figures]] = {
    job.__name__: job for job in (event, last, shutdown, started, live)
}


def stream_on(side: Program, names: range, rate: int) -> None:
    """Have all of them stream without an end; return when each has been seen to."""
    for name in names:
        side.say(name, f"stream {ENDLESS} 100 {rate} text")
    for name in names:
        side.first(name)
