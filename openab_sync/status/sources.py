"""What the status server looks at: snapshots, and the front desk. Everything here answers at once, from any thread."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from ..clock import Clock
from ..core.broker import Broker
from ..core.figures import Figures
from ..core.port import ChatPort
from ..core.presence import Presence
from ..store import Memory
from ..threads import Beat

__all__ = ["Sources"]


@dataclass(frozen=True, slots=True)
class Sources:
    """The house as the status server sees it. No callable may block, or wait for a session, a loop or the disk.

    `figures` is what the house tells; `remembered` are the conversations that we know, also those without a session;
    `redact` takes secrets out of what is shown; `memory` says how many bytes the agents of these process ids hold;
    `troubles` are sentences for what keeps us from taking messages; `beats` those of all threads that must live.
    """

    broker: Broker
    clock: Clock
    ports: Mapping[str, ChatPort] = field(default_factory=dict)
    presences: Callable[[], Sequence[Presence]] = tuple
    troubles: Callable[[], Sequence[str]] = tuple
    remembered: Callable[[], Sequence[tuple[str, Memory]]] = tuple
    figures: Figures = field(default_factory=Figures)
    redact: Callable[[str], str] = str
    memory: Callable[[], Mapping[int, int]] = dict
    beats: Callable[[], Sequence[Beat]] = tuple
