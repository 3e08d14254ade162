"""What the status server looks at: snapshots, and the front desk. Everything here answers at once, from any thread."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from ..clock import Clock
from ..core.broker import Broker
from ..core.port import ChatPort
from ..core.presence import Presence
from ..threads import Beat

__all__ = ["Sources"]


@dataclass(frozen=True, slots=True)
class Sources:
    """The house as the status server sees it. No callable may block, or wait for a session, a loop or the disk.

    `troubles` are sentences for what keeps us from taking messages; `beats` those of all threads that must live.
    """

    broker: Broker
    clock: Clock
    ports: Mapping[str, ChatPort] = field(default_factory=dict)
    presences: Callable[[], Sequence[Presence]] = tuple
    troubles: Callable[[], Sequence[str]] = tuple
    beats: Callable[[], Sequence[Beat]] = tuple
