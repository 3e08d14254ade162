"""Refusals: who was not let in costs a sign, a log line and an entry of the audit, and no storm of them.

**Threads**: the loop's only. Bounded; never blocks.
"""

from __future__ import annotations

import logging
from collections import OrderedDict, deque
from typing import TYPE_CHECKING

from ...clock import Clock
from ...core.audit import Audit
from ...core.budget import Hit
from ...core.message import Conversation, MessageRef, Person
from ...core.notices import offer_lift

if TYPE_CHECKING:
    from .kit import Kit

__all__ = ["Refusals"]

log = logging.getLogger(__name__)

REFUSED, LIMITED = "🚫", "⏳"
BETWEEN = 60.0  # seconds: who may not talk is shown so, but is no reason for a storm of requests
MOST_A_MINUTE = 60  # of everybody: people with many names are one person
MOST = 1000  # people that are remembered


class Refusals:
    """Who was refused lately."""

    def __init__(self, clock: Clock, audit: Audit) -> None:
        self._clock, self._audit = clock, audit
        self._last: OrderedDict[str, float] = OrderedDict()  # person, perhaps with a limit: when
        self._lately: deque[float] = deque(maxlen=MOST_A_MINUTE)
        self._silent = 0  # refusals since the last that was noted

    def keep_out(self, kit: Kit, by: Person, ref: MessageRef, conversation: Conversation | None) -> bool:
        """Show on a message why it is not taken: its writer is beyond a limit of the `conversation` that it is for.

        Without one they may not talk to us at all. A sentence comes once a minute, and never for a bot. False if the
        message is within the limits: then it is counted.
        """
        if conversation is None:
            if self.note(ref.conversation, by, "message"):
                kit.port.react(ref, REFUSED, True)
            return True
        hit = kit.broker.come(conversation, by)
        if hit is None:
            return False
        is_news = self.limit(ref.conversation, by, hit)
        if not by.is_bot:
            kit.port.react(ref, LIMITED, True)
            if is_news:
                offer_lift(kit.port, ref.conversation, hit.text, hit.whose, ref)
        return True

    def note(self, where: Conversation, by: Person, what: str) -> bool:
        """Note that somebody was not let in with `what`; False if that is not to be shown, logged and kept again."""
        if not self._is_due(by.id):
            return False
        more = self._more()
        log.info("%s: %s is not let in (%s)%s", where, by.id, what, more)
        self._audit.refused(where, by, what, f"not let in{more}")
        return True

    def limit(self, where: Conversation, by: Person, hit: Hit) -> bool:
        """Note that somebody's message is beyond a limit; False as for `note`."""
        if not self._is_due(f"{hit.limit} {by.id}"):
            return False
        more = self._more()
        log.info("%s: a message of %s is beyond %s%s", where, by.id, hit.limit, more)
        self._audit.limit(where, by, hit.limit, f"a message was refused{more}")
        return True

    def _more(self) -> str:
        silent, self._silent = self._silent, 0
        return f"; {silent} more since the last line like this" if silent else ""

    def _is_due(self, name: str) -> bool:
        now = self._clock.monotonic()
        is_rush = len(self._lately) == MOST_A_MINUTE and now - self._lately[0] < BETWEEN
        if is_rush or now - self._last.get(name, float("-inf")) < BETWEEN:
            self._silent += 1
            return False
        self._last[name] = now
        self._last.move_to_end(name)
        while len(self._last) > MOST:
            self._last.popitem(last=False)
        self._lately.append(now)
        return True
