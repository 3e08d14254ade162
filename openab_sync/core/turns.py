"""The turns of a session that can still change: the one that runs, or the last one, the one before it, and those whose
last signs are not shown yet. A chat service may take longer for a reaction than an agent for a turn.

Text that comes after its turn's answer belongs to that turn as long as the next prompt has not been sent; afterwards it
goes by its messageId, else to the running turn (FIELD 76: 17 s late were seen). The replies share one floor: in a
conversation one message operation is in flight at a time. Session thread only; never blocks.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import groupby

from ..acp import events as acp
from ..acp.peer import AcpPeer
from ..acp.permissions import pick
from ..clock import Clock
from .agent import LONG, PACE
from .answering import Answering
from .beforehand import Beforehand
from .chronicle import Chronicle
from .floor import Floor
from .patience import Due
from .port import Decision
from .transcript import TurnSeen

__all__ = ["Turns"]

FADING = 50  # turns before the last two that are looked after until they are quiet


class Turns:
    """The last two, and those before them that are not quiet yet."""

    __slots__ = ("_before", "_chronicle", "_fading", "_floor", "_owe", "beforehand", "latest")

    def __init__(self, clock: Clock, owe: Callable[[Sequence[str]], object] = lambda _turns: None) -> None:
        """`owe` is told the turns of replies that are not out when nobody looks after them any more."""
        self.latest: Answering | None = None
        self._chronicle = Chronicle(clock)
        self._before: Answering | None = None
        self._fading: list[Answering] = []  # oldest first
        self._floor = Floor()
        self._owe = owe
        self.beforehand: Beforehand | None = None  # what is asked while somebody logs the agent in, before all turns

    @property
    def is_running(self) -> bool:
        """The latest turn has been begun and is not over."""
        return self.latest is not None and not self.latest.is_over

    @property
    def pace(self) -> float:
        """Seconds for which the agent's text may lie in its pipe, because nobody sees it any later for that."""
        return LONG if self.latest is not None and self.latest.is_seen else PACE

    def begin(self, make: Callable[[Floor], Answering]) -> Answering:
        """Have `make` make the next one; return it."""
        before, self._before, self.latest = self._before, self.latest, make(self._floor)
        if before is not None and not before.is_quiet:
            self._fading.append(before)
        if len(self._fading) > FADING:
            self._owe(self._fading.pop(0).hand_over())
        return self.latest

    @property
    def is_quiet(self) -> bool:
        """The signs of all replies that are out are as they will stay."""
        return all(item.is_quiet for item in self._every() if item.is_delivered)

    def take(self, events: Sequence[acp.Event], peer: AcpPeer) -> None:
        """Hand events to their turns. Before the first they are history that the agent replays, and not shown again."""
        if self.latest is None:
            for event in events:
                if isinstance(event, acp.AskWithdrawn) and self.beforehand is not None:
                    self.beforehand.withdrawn(event.request_id)
                elif isinstance(event, acp.Elicited) and self.beforehand is not None:
                    self.beforehand.elicit(event)
                elif isinstance(event, acp.Elicited):
                    peer.answer(event.request_id, None)
                elif isinstance(event, acp.Asked):  # nobody is there yet who could decide
                    peer.answer(event.request_id, pick(event.options, "deny"))
            return
        latest = self.latest
        owners = {known: item for item in self._every()[:-1] for known in item.turn.message_ids}
        if not owners:
            latest.take(*events)
            return
        for owner, some in groupby(events, lambda event: owners.get(getattr(event, "message_id", None) or "", latest)):
            owner.take(*some)

    def tend(self) -> list[tuple[Due, Answering]]:
        """Do what is due in each; return what patience wants of the session."""
        if self.beforehand is not None:
            self.beforehand.tend()
        wishes = [(due, item) for item in self._every() for due in item.tend()]
        if self._fading:
            self._fading = [item for item in self._fading if not item.is_quiet]
        return wishes

    def next_at(self) -> float:
        """The moment (monotonic seconds) at which `tend` wants to be called, and `seen` looked at."""
        first = self.beforehand.next_at() if self.beforehand is not None else math.inf
        return min(first, self._chronicle.next_at(), *(item.next_at() for item in self._every()), math.inf)

    def seen(self) -> tuple[TurnSeen, ...]:
        """Return the last turns as others see them: the very same object if nothing is new."""
        return self._chronicle.look(self.latest)

    def decide(self, question_id: str, decision: Decision) -> bool:
        """Take a decision that was made elsewhere; False if no question of that id waits for one."""
        return any(item.reply.decide(question_id, decision) for item in self._every())

    def draws_at(self) -> float:
        """The moment at which text that has just come wants to be drawn."""
        return min((item.reply.due() for item in self._every()), default=math.inf)

    def hand_over(self) -> None:
        """The session ends: nobody looks after its replies any more."""
        self._owe([turn for item in self._every() if not item.is_quiet for turn in item.hand_over()])

    def renew_floor(self) -> None:
        """What is in flight will never come back: it must not silence the next turn."""
        self._floor = Floor()

    def _every(self) -> list[Answering]:
        return [*self._fading, *(item for item in (self._before, self.latest) if item is not None)]
