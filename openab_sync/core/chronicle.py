"""What a session publishes of its turns: the one that runs, as often as a person can follow, and those before it.

Looked at where the session looks at everything else, so that text which only streams costs nothing: it is seen with the
next look, within a second. Session thread only; never blocks.
"""

from __future__ import annotations

import math

from ..clock import Clock
from .answering import Answering
from .transcript import TurnSeen, freeze

__all__ = ["Chronicle"]

EVERY = 0.25  # seconds between two pictures of a turn
KEPT = 3  # turns before the last one


class Chronicle:
    """The last turns of one session, frozen."""

    __slots__ = ("_clock", "_current", "_is_owing", "_next", "_number", "_past", "_seen", "_turns")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._turns: tuple[TurnSeen, ...] = ()
        self._past: tuple[TurnSeen, ...] = ()
        self._current: Answering | None = None
        self._number = 0
        self._seen: tuple[int, int, bool] | None = None  # of the current one, when it was last frozen
        self._next = -math.inf  # not frozen again before
        self._is_owing = False  # there is news that is not frozen yet

    def look(self, answering: Answering | None) -> tuple[TurnSeen, ...]:
        """Return the turns, the last one as it is now or was a moment ago: the very same object if nothing is new."""
        if answering is None:
            return ()
        if answering is not self._current:
            if self._current is not None:
                self._past = (*self._past, self._last(self._current))[-KEPT:]
            self._current, self._seen, self._next = answering, None, -math.inf
            self._number += 1
        seen = _state(answering)
        self._is_owing = seen != self._seen
        if not self._is_owing:
            return self._turns
        now = self._clock.monotonic()
        if now >= self._next or (answering.is_over and not (self._seen and self._seen[2])):
            self._seen, self._next, self._is_owing = seen, now + EVERY, False
            self._turns = (*self._past, self._freeze(answering))
        return self._turns

    def next_at(self) -> float:
        """The moment (monotonic seconds) at which `look` has something new."""
        return self._next if self._is_owing else math.inf

    def _last(self, answering: Answering) -> TurnSeen:
        """Return how a turn looks to which nothing comes any more: it was frozen as it ended, most often."""
        return self._turns[-1] if _state(answering) == self._seen else self._freeze(answering)

    def _freeze(self, answering: Answering) -> TurnSeen:
        return freeze(self._number, answering.turn, answering.asked, answering.redact)


def _state(answering: Answering) -> tuple[int, int, bool]:
    return answering.turn.changes, answering.questions, answering.is_over
