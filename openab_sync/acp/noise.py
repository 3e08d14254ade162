"""Which oddities of an agent are worth telling: each loss, but each unknown kind only once.

Pure; belongs to one peer.
"""

from __future__ import annotations

from collections.abc import Iterable

from .events import Event, Noise
from .salvage import Loss

__all__ = ["Noises"]

_LIMIT = 256  # kinds told once each; an agent that invents more of them is not worth the memory


class Noises:
    """Remembers what was told already."""

    __slots__ = ("_told",)

    def __init__(self) -> None:
        self._told: set[tuple[str, str]] = set()

    def once(self, kind: str, name: str, noise: Noise, events: list[Event]) -> None:
        """Tell of something that will come again and again, the first time only."""
        key = (kind, name[:80])
        if key not in self._told and len(self._told) < _LIMIT:
            self._told.add(key)
            events.append(noise)

    def tell(self, losses: Iterable[Loss], events: list[Event]) -> None:
        """Tell of everything that had to be dropped from a message."""
        for loss in losses:
            if isinstance(loss, Noise):
                events.append(loss)
            else:
                self.once(loss.kind, loss.name, Noise(f"unknown {loss.kind} {loss.name!r}", loss.sample), events)
