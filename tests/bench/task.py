"""What a worker is told to measure: plain data that crosses a pipe as one line of JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

__all__ = ["ENDLESS", "WARM", "Figures", "Kind", "Live", "SideName", "Task"]

SideName = Literal[
    "ours", "sdk", "floor", "discord", "run", "bot", "held", "refused", "store", "sqlite", "fsync", "upstream"
]
Kind = Literal["text", "mixed", "stamped"]
Live = Literal["edit", "events", "once"]
Figures = dict[str, float]
"""What was measured, by its name in `scenarios.METRICS`."""


WARM = "stream 1 100 0 stamped"
"""The shortest turn. A stamped answer says when its prompt was read, when its end was said, and by which process."""

ENDLESS = 1_000_000_000
"""So many chunks come to no end."""


@dataclass(frozen=True, slots=True)
class Task:
    """One measurement. `job` is a function of `jobs`; what the rest means depends on it."""

    job: str
    sessions: int = 1  # that stream, or wait
    count: int = 0  # notifications a session
    size: int = 100  # bytes of text in each
    rate: int = 0  # a second and session; 0: as fast as they are read
    kind: Kind = "text"
    live: Live = "events"
    rounds: int = 1
    orphan: bool = False  # the agent leaves a grandchild behind that keeps its stdout

    @property
    def order(self) -> str:
        """The prompt that has the agent stream."""
        return f"stream {self.count} {self.size} {self.rate} {self.kind}"

    @property
    def characters(self) -> int:
        """How much text each answer has."""
        return self.size * (self.count if self.kind == "text" else self.count // 2) + len("END")

    @property
    def visible(self) -> int:
        """How many characters of it are no spaces: each fifth is one."""
        return self.characters - self.count * self.size // 5

    def less(self, by: int) -> Task:
        """Return the same with fewer notifications, for a side that would need minutes: figures are per thousand."""
        return replace(self, count=max(10, self.count // by // 10 * 10)) if self.count > by else self

    def dump(self, side: SideName, command: tuple[str, ...], upstream: str = "") -> str:
        """Return it as a line for a worker: `command` runs the agent, `upstream` is the Rust original."""
        return json.dumps({"side": side, "command": command, "upstream": upstream, "task": asdict(self)})

    @staticmethod
    def load(line: str) -> tuple[SideName, tuple[str, ...], str, Task]:
        """Take such a line apart."""
        order: dict[str, Any] = json.loads(line)
        return order["side"], tuple(order["command"]), order["upstream"], Task(**order["task"])
