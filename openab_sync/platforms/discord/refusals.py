"""Refusals: who was not let in costs a sign, a log line and an entry of the audit, and no storm of them.

**Threads**: the loop's only. Bounded; never blocks.
"""

from __future__ import annotations

import logging
from collections import OrderedDict, deque

from ...clock import Clock
from ...core.audit import Audit
from ...core.message import Conversation, Person

__all__ = ["Refusals"]

log = logging.getLogger(__name__)

BETWEEN = 60.0  # seconds: who may not talk is shown so, but is no reason for a storm of requests
MOST_A_MINUTE = 60  # of everybody: people with many names are one person
MOST = 1000  # people that are remembered


class Refusals:
    """Who was refused lately."""

    def __init__(self, clock: Clock, audit: Audit) -> None:
        self._clock, self._audit = clock, audit
        self._last: OrderedDict[str, float] = OrderedDict()  # person: when
        self._lately: deque[float] = deque(maxlen=MOST_A_MINUTE)
        self._silent = 0  # refusals since the last that was noted

    def note(self, where: Conversation, by: Person, what: str) -> bool:
        """Note that somebody was not let in with `what`; False if that is not to be shown, logged and kept again."""
        now = self._clock.monotonic()
        is_rush = len(self._lately) == MOST_A_MINUTE and now - self._lately[0] < BETWEEN
        if is_rush or now - self._last.get(by.id, float("-inf")) < BETWEEN:
            self._silent += 1
            return False
        self._last[by.id] = now
        self._last.move_to_end(by.id)
        while len(self._last) > MOST:
            self._last.popitem(last=False)
        self._lately.append(now)
        more = f"; {self._silent} more since the last line like this" if self._silent else ""
        log.info("%s: %s is not let in (%s)%s", where, by.id, what, more)
        self._audit.refused(where, by, what, f"not let in{more}")
        self._silent = 0
        return True
