"""What is measured of whole programs behind a chat service, and of what keeps messages on disk. Data.

*ours* is `openab-sync run`, *sdk* a bot of discord.py and the official SDK (`sides/bot.py`), both on the fake Discord.
"""

from __future__ import annotations

from dataclasses import replace

from tests.bench.scenario import Contestant, Scenario, Target
from tests.bench.task import SideName, Task

__all__ = ["PROGRAMS"]

NO_JOURNAL = "it keeps nothing on disk"


def _both(task: Task) -> tuple[Contestant, ...]:
    return Contestant("ours", "run", task), Contestant("sdk", "bot", task)


def _latency() -> tuple[Scenario, ...]:
    event = Task("event", 0, count=1, kind="stamped", rounds=50)
    last = Task("last", 0, count=10, rate=100, kind="stamped", rounds=30)
    told = Task("death", rounds=20)
    shown = ("p50", "p99", "max")
    titles = {
        "event": "Discord's event → the prompt on the agent's stdin",
        "last": "the agent's last chunk and its answer → the last page on Discord",
    }
    return (
        *(
            Scenario(
                f"{task.job}-{how}",
                titles[task.job] + ("" if how == "idle" else ", while 50 others stream at 30 chunks/s"),
                _both(replace(task, sessions=0 if how == "idle" else 50)),
                shown,
                rank=1,
                upstream=replace(task, sessions=0 if how == "idle" else 50, live="edit"),
            )
            for task in (event, last)
            for how in ("idle", "busy")
        ),
        Scenario(
            "told",
            "an agent is killed → people read it on Discord",
            _both(told),
            shown,
            rank=1,
            upstream=replace(told, live="edit"),
        ),
    )


def _life() -> tuple[Scenario, ...]:
    start, live = Task("started"), Task("live", 200, rate=30, rounds=5)
    end = Task("shutdown", 100)
    whole = ("rss", "threads", "descriptors", "load", "cpu", "peak")
    return (
        Scenario("ready", "`openab-sync run`, with its status server: started → Discord has it logged in; then idle",
                 _both(start), ("start", "rss"), (Target("rss", 70),), rank=1, upstream=start),
        *(
            Scenario(f"shutdown-{name}", f"SIGTERM → no process is left, 100 sessions that {what}", _both(task),
                     ("wall",), rank=rank, upstream=replace(task, live="edit"))
            for name, what, task, rank in (
                ("100", "have nothing to do", end, 1),
                ("100-busy", "stream at 30 chunks/s", replace(end, rate=30), 2),
            )
        ),
        Scenario("live-100", "100 sessions, idle and then streaming at 30 chunks/s", _both(replace(live, sessions=100)),
                 whole, (Target("peak", 110),), rank=2, upstream=replace(live, sessions=100, live="edit")),
        Scenario("live-200", "200 sessions", _both(live), whole, rank=1, upstream=replace(live, live="edit")),
    )  # fmt: skip


def _journal() -> tuple[Scenario, ...]:
    def books(sessions: int, count: int) -> tuple[Contestant, ...]:
        task = Task("accept", sessions, count=count)
        sides: dict[str, SideName] = {"ours": "store", "sqlite": "sqlite", "fsync": "fsync"}
        return tuple(Contestant(name, side, task) for name, side in sides.items())

    shown = ("p50", "p99", "accepted", "group")
    return (
        Scenario("journal-lone", "a message is written down, while nothing else is", books(1, 300), shown, rank=1,
                 upstream=NO_JOURNAL),
        Scenario("journal-burst", "100 threads write down one message after the other", books(100, 20), shown, rank=1,
                 upstream=NO_JOURNAL),
    )  # fmt: skip


PROGRAMS = (*_latency(), *_life(), *_journal())
