"""What a scenario is: who is measured doing what, which figures are shown, what they are held against, how it is small.

Targets say what a figure of ours must be: alone, or as a multiple of another contestant's figure in the same pair.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from tests.bench.task import SideName, Task

__all__ = ["METRICS", "Contestant", "Metric", "Scenario", "Target", "against", "faster"]


@dataclass(frozen=True, slots=True)
class Metric:
    """A figure: its name for people, and how it is written."""

    title: str
    places: int
    thousands: bool = False


METRICS = {
    "rate": Metric("notifications/s", 1, thousands=True),
    "cpu": Metric("CPU ms per 1,000", 2),
    "load": Metric("CPU s per s", 3),
    "wall": Metric("seconds", 3),
    "peak": Metric("peak MiB", 1),
    "p50": Metric("p50 ms", 2),
    "p99": Metric("p99 ms", 2),
    "max": Metric("max ms", 2),
    "beat": Metric("longest heartbeat ms", 1),
    "ready": Metric("ms until ready", 1),
    "each": Metric("KiB a session", 1),
    "rss": Metric("MiB", 1),
    "kept": Metric("MiB kept", 2),
    "start": Metric("s", 3),
    "accepted": Metric("accepted/s", 0),
    "group": Metric("messages a commit", 1),
    "threads": Metric("threads", 0),
    "descriptors": Metric("descriptors", 0),
}


@dataclass(frozen=True, slots=True)
class Contestant:
    """Who is measured under which name: a side, and what it is given to do."""

    name: str
    side: SideName
    task: Task


@dataclass(frozen=True, slots=True)
class Target:
    """`metric` of ours is at most (or at least) `limit`; with `against`: times that of the contestant so named."""

    metric: str
    limit: float
    against: str = ""
    at_least: bool = False

    def __str__(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {self.limit:g}{f' × {self.against}' if self.against else ''}"

    def is_met(self, value: float) -> bool:
        """Whether a figure (a ratio, with `against`) is good enough."""
        return value >= self.limit if self.at_least else value <= self.limit


@dataclass(frozen=True, slots=True)
class Scenario:
    """One thing measured on several contestants, ours first.

    Those of rank 1 are measured first, then those of rank 2: time may not suffice for all. `upstream` is what the Rust
    original is given to do where its program is at hand, or why it cannot be driven there.
    """

    name: str
    title: str
    contestants: tuple[Contestant, ...]
    metrics: tuple[str, ...]
    targets: tuple[Target, ...] = ()
    rank: int = 2
    upstream: Task | str = ""

    def small(self) -> Scenario:
        """Return the same so small that it only shows that it works."""
        return replace(self, contestants=tuple(replace(one, task=_small(one.task)) for one in self.contestants))

    def beside_upstream(self) -> Scenario:
        """Return the same with the Rust original as a further contestant, where it can be driven."""
        if isinstance(self.upstream, str):
            return self
        return replace(self, contestants=(*self.contestants, Contestant("upstream", "upstream", self.upstream)))


def _small(task: Task) -> Task:
    return replace(
        task,
        sessions=min(task.sessions, 3),
        count=min(task.count, 20),
        size=min(task.size, 100_000),
        rounds=min(task.rounds, 2),
    )


def against(task: Task, *others: SideName, slower: int = 1) -> tuple[Contestant, ...]:
    """Ours and others at the same task; the SDK at a `slower`th part of it."""
    tasks = {"sdk": task.less(slower)}
    return (Contestant("ours", "ours", task), *(Contestant(side, side, tasks.get(side, task)) for side in others))


def faster(than: str = "sdk", rate: float = 15, cpu: float = 0.07) -> tuple[Target, ...]:
    return Target("rate", rate, than, at_least=True), Target("cpu", cpu, than)
