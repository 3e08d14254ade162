"""What is measured of the status server: how long its answers take, whatever the rest of the program does. Data."""

from __future__ import annotations

from tests.bench.scenario import Contestant, Scenario, Target
from tests.bench.task import Task

__all__ = ["STATUS"]

BUSY = Task("asked", 50, rate=100, rounds=50)
IDLE = Task("asked", 0, rounds=50)
SHOWN = ("p50", "p99", "max")
TARGETS = (Target("p50", 10), Target("p99", 100))
NONE = "it has no status server"

STATUS = (
    Scenario(
        "status-busy",
        "/healthz, /readyz, /api/sessions and /metrics are asked → answered, while 50 sessions stream at 100 chunks/s",
        (Contestant("ours", "run", BUSY), Contestant("idle", "run", IDLE)),
        SHOWN,
        TARGETS,
        upstream=NONE,
    ),
    Scenario(
        "status-stuck",
        "… while 10 sessions stream and the loop of Discord's connection is stuck",
        (Contestant("ours", "held", Task("asked_while_stuck", 10, rate=30, rounds=50)),),
        SHOWN,
        TARGETS,
        upstream=NONE,
    ),
    Scenario(
        "status-refused",
        "… while Discord refuses the token",
        (Contestant("ours", "refused", IDLE),),
        SHOWN,
        TARGETS,
        upstream=NONE,
    ),
)
