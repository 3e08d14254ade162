"""How long a turn is waited for: liveness, the hard ceiling, cancel grace, reassurance.

Pure: told what happened, asked what is due. Silence never ends a turn (openab#59, openab#732); the ceiling does, and
it is looked at on every call, not only on a silent tick. Time spent waiting for a person does not count against it. All
seconds are those of the injected clock.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from ..clock import Clock

__all__ = ["Due", "Limits", "Patience"]


@dataclass(frozen=True, slots=True)
class Limits:
    """The figures, in seconds (ARCHITECTURE.rst, "One wait")."""

    liveness: float = 30.0
    ceiling: float = 1800.0
    cancel_grace: float = 10.0
    silence: float = 60.0
    hung_grace: float = 120.0
    warning: float = math.inf  # of the ceiling: when it is told how much is left


class Due(StrEnum):
    """What the session has to do now."""

    CHECK = "check"  # is the process still there?
    REASSURE = "reassure"  # tell people that it still works
    WARN = "warn"  # tell people that the ceiling comes nearer
    LIMIT = "limit"  # what may be used is used up: cancel the prompt (`account`, not this room, finds out)
    CANCEL = "cancel"  # past the ceiling: cancel the prompt
    KILL = "kill"  # a cancel was not obeyed: end the process


class Patience:
    """The clocks of one turn. Session thread only."""

    __slots__ = ("_asking_since", "_cancelled", "_checked", "_clock", "_excused", "_granted", "_heard", "_limits",
                 "_reassured", "_started", "_warned")  # fmt: skip

    def __init__(self, limits: Limits, clock: Clock) -> None:
        self._limits = limits
        self._clock = clock
        now = clock.monotonic()
        self._started = now
        self._excused = 0.0  # seconds spent waiting for people, finished waits only
        self._asking_since: float | None = None
        self._heard = now  # last sign of the agent
        self._checked = now
        self._reassured = False
        self._cancelled: float | None = None
        self._granted = 0.0  # seconds on top of the ceiling
        self._warned = False

    # What happened.

    def extend(self) -> None:
        """Grant as much time again: somebody who may has lifted the limit."""
        self._granted += self._limits.ceiling

    def heard(self) -> None:
        """The agent gave a sign."""
        self._heard = self._checked = self._clock.monotonic()
        self._reassured = False

    def asking(self, open_questions: int) -> None:
        """So many questions are open at people now; while any is, the ceiling stands still."""
        now = self._clock.monotonic()
        if open_questions and self._asking_since is None:
            self._asking_since = now
        elif not open_questions and self._asking_since is not None:
            self._excused += now - self._asking_since
            self._asking_since = None
            self._heard = now  # the silence so far was ours

    def cancelled(self) -> None:
        """The agent was told to stop; asked twice, the first counts."""
        if self._cancelled is None:
            self._cancelled = self._clock.monotonic()

    # What is due.

    def due(self) -> tuple[Due, ...]:
        """Return what has to be done now.

        CHECK and REASSURE come once until they are due again; CANCEL until `cancelled`, KILL until the turn ends.
        """
        now = self._clock.monotonic()
        found = []
        if self._cancelled is not None:
            if now >= self._cancelled + self._limits.cancel_grace:
                found.append(Due.KILL)
        elif now >= self._ceiling_at():
            found.append(Due.CANCEL)
        if not self._warned and now >= self._warning_at():
            self._warned = True
            found.append(Due.WARN)
        if now >= self._checked + self._limits.liveness:
            self._checked = now
            found.append(Due.CHECK)
        if not self._reassured and self._asking_since is None and now >= self._heard + self._limits.silence:
            self._reassured = True
            found.append(Due.REASSURE)
        return tuple(found)

    def next_at(self) -> float:
        """Return the moment (monotonic seconds) at which `due` may have something."""
        moments = [self._checked + self._limits.liveness]
        if self._cancelled is not None:
            moments.append(self._cancelled + self._limits.cancel_grace)
        else:
            moments.append(self._ceiling_at() if self._warned else min(self._ceiling_at(), self._warning_at()))
        if not self._reassured and self._asking_since is None:
            moments.append(self._heard + self._limits.silence)
        return min(moments)

    @property
    def overdue_at(self) -> float:
        """When the turn's room is given away, whatever its thread does; infinite while people are asked."""
        return self._ceiling_at() + self._limits.hung_grace

    @property
    def silent_for(self) -> float:
        """Seconds since the agent's last sign."""
        return self._clock.monotonic() - self._heard

    def _ceiling_at(self) -> float:
        if self._asking_since is not None:
            return math.inf
        return self._started + self._limits.ceiling + self._excused + self._granted

    def _warning_at(self) -> float:
        at = self._started + self._limits.warning + self._excused
        return at if self._asking_since is None and self._cancelled is None else math.inf
