"""What a platform says of its connection: plain data, made by it, read by anyone."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Presence"]


@dataclass(frozen=True, slots=True)
class Presence:
    """How a platform stands with its chat service. `trouble` is one sentence, "" while people can write to us."""

    platform: str
    trouble: str = ""
    latency: float | None = None  # seconds until the service answers a heartbeat; None: not known
    reconnects: int = 0  # connections that were made after the first
