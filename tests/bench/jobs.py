"""How each figure is taken. The same text for every side; runs in the side's own process, which holds nothing else.

CPU is that of this process alone (getrusage), not of the agents. Moments are monotonic seconds, latencies milliseconds.
"""

from __future__ import annotations

import gc
import os
import random
import signal
import subprocess
import time
from collections.abc import Callable
from typing import Any

from tests.bench.accepting import JOURNAL_JOBS
from tests.bench.program_jobs import PROGRAM_JOBS
from tests.bench.quantile import quantile
from tests.bench.sides.side import Side, cpu_seconds, rss, rss_peak
from tests.bench.status_jobs import STATUS_JOBS
from tests.bench.task import ENDLESS, WARM, Figures, Task

__all__ = ["JOBS"]

NEVER = 2.0  # seconds after which "not noticed" is what it is


def stream(side: Side, task: Task) -> Figures:
    """Answers of `count` notifications in all sessions at once."""
    names = range(task.sessions)
    _open_warm(side, task.sessions)
    gc.collect()
    cpu, begin = cpu_seconds(side), time.monotonic()
    for name in names:
        side.say(name, task.order)
    brought = side.finish(names)
    wall, cpu = time.monotonic() - begin, cpu_seconds(side) - cpu
    shown = getattr(side, "shown", None)
    if task.live != "events" and shown is not None:
        assert shown(0) == task.visible, f"{shown(0)} of {task.visible} characters are on the pages"
    else:
        assert brought >= task.visible * task.sessions, f"{brought} is not all that was said"
    many = task.count * task.sessions
    return {
        "rate": many / wall,
        "cpu": cpu * 1e6 / many,
        "load": cpu / wall,
        "wall": wall,
        "peak": rss_peak(side) / 1024,
    }


def pace(side: Side, task: Task) -> Figures:
    """Streams of `rate` a second from their second fifth to their fourth: what waking up costs, and no turn's ends."""
    names = range(task.sessions)
    _open_warm(side, task.sessions)
    for name in names:
        side.say(name, task.order)
    fifth = task.count / task.rate / 5
    side.work(fifth)
    cpu, begin = cpu_seconds(side), time.monotonic()
    side.work(3 * fifth)
    wall, cpu = time.monotonic() - begin, cpu_seconds(side) - cpu
    side.finish(names)
    return {"cpu": cpu * 1e6 / (task.rate * task.sessions * wall), "load": cpu / wall}


def first(side: Side, task: Task) -> Figures:
    """From handing in a message to the first text of its answer, `rounds` times, while others do what `rate` says.

    `sessions` others: with count 0 they are in a silent tool, else they stream without an end.
    """
    _busy(side, task)
    late = []
    pause = random.Random(1)  # so that no beat of the others is met always at the same point
    for _ in range(task.rounds):
        time.sleep(pause.uniform(0.001, 0.005))
        begin = time.monotonic()
        side.say(0, WARM)
        late.append((side.first(0) - begin) * 1000)
        side.finish([0])
    return {"p50": quantile(late, 0.5), "p99": quantile(late, 0.99), "max": max(late)}


def beat(side: Side, task: Task) -> Figures:
    """How late the platform's loop is, for `rounds` seconds, while all sessions stream without an end; its heartbeats.

    Without sessions `count` answers grow all the same, written by nobody: what drawing them costs alone.
    """
    _open_warm(side, task.sessions)
    for name in range(task.sessions):
        side.say(name, f"stream {ENDLESS} {task.size} {task.rate} text")
    for name in range(task.sessions):
        side.first(name)
    beats = getattr(side, "beats", None)
    assert beats is not None, "this side has no loop"
    late, taken = ([seconds * 1000 for seconds in found] for found in beats(task.rounds, task.count))
    return {"p50": quantile(late, 0.5), "p99": quantile(late, 0.99), "max": max(late), "beat": max(taken)}


def death(side: Side, task: Task) -> Figures:
    """From the agent's SIGKILL to the end of its turn."""
    late = []
    for name in range(task.rounds):
        side.open([name])
        side.say(name, "orphan" if task.orphan else "silent")
        side.first(name)
        begin = time.monotonic()
        os.kill(side.pid(name), signal.SIGKILL)
        late.append(min(side.gone(name, NEVER) - begin, NEVER) * 1000)
    return {"p50": quantile(late, 0.5), "p99": quantile(late, 0.99), "max": max(late)}


def spawn(side: Side, task: Task) -> Figures:
    """From nothing to `sessions` agents with a session each, asked for at once."""
    late = []
    for turn in range(task.rounds):
        names = range(turn * task.sessions, (turn + 1) * task.sessions)
        begin = time.monotonic()
        side.open(names)
        late.append((time.monotonic() - begin) * 1000)
        for name in names:
            side.retire(name)
    return {"ready": quantile(late, 0.5)}


def idle(side: Side, task: Task) -> Figures:
    """Memory of a session that has nothing to do, after its first turn."""
    _open_warm(side, 1)
    gc.collect()
    before = rss(side)
    names = range(1, task.sessions + 1)
    side.open(names)
    _warm(side, names)
    gc.collect()
    return {"each": (rss(side) - before) / task.sessions}


def bare(side: Side, task: Task) -> Figures:
    """Memory of the program with nothing connected."""
    return {"rss": rss(side) / 1024}


def busy(side: Side, task: Task) -> Figures:
    """Memory of a session whose agent has streamed for three seconds, and goes on."""
    _open_warm(side, 1)
    gc.collect()
    before = rss(side)
    _stream_on(side, range(1, task.sessions + 1), task)
    side.work(3)
    gc.collect()
    return {"each": (rss(side) - before) / task.sessions}


def churn(side: Side, task: Task) -> Figures:
    """Memory that stays after `sessions` conversations have come and gone, one after the other."""
    _pass(side, range(20))
    gc.collect()
    before = rss(side)
    _pass(side, range(20, 20 + task.sessions))
    gc.collect()
    return {"kept": (rss(side) - before) / 1024}


def cold(side: Side, task: Task) -> Figures:
    """Wall time of a program of that side which starts and does nothing; the best of `rounds`."""
    late = []
    for _ in range(task.rounds):
        begin = time.monotonic()
        subprocess.run(side.cold, check=True, stdout=subprocess.DEVNULL)
        late.append(time.monotonic() - begin)
    return {"start": min(late)}


JOBS: dict[str, Callable[[Any, Task], Figures]] = (
    {job.__name__: job for job in (stream, pace, first, beat, death, spawn, idle, busy, bare, churn, cold)}
    | PROGRAM_JOBS
    | STATUS_JOBS
    | JOURNAL_JOBS
)


def _stream_on(side: Side, names: range, task: Task) -> None:
    side.open(names)
    for name in names:
        side.say(name, f"stream {ENDLESS} {task.size} {task.rate} text")
    for name in names:
        side.first(name)


def _pass(side: Side, names: range) -> None:
    for name in names:
        side.open([name])
        _warm(side, range(name, name + 1))
        side.retire(name)


def _open_warm(side: Side, count: int) -> None:
    side.open(range(count))
    _warm(side, range(count))


def _warm(side: Side, names: range) -> None:
    for name in names:
        side.say(name, WARM)
    side.finish(names)


def _busy(side: Side, task: Task) -> None:
    """Open a session 0 that waits, and `sessions` others that are silent or stream without an end."""
    _open_warm(side, task.sessions + 1)
    others = range(1, task.sessions + 1)
    for name in others:
        side.say(name, f"stream {ENDLESS} {task.size} {task.rate} text" if task.count else "silent")
    for name in others:
        side.first(name)
