"""Arrears: replies that were not out when their session ended, and refusals, tried again while the house lives.

A chat service that does not answer cannot hold a session up for ever; it goes when it is idle, when others want its
room or when its agent dies. What of its replies is not out then stands in the journal, and is brought out from there as
after a restart (`mending`): with the nonces that the session would have used, and compared with what stands there.
Meanwhile no turn begins in that conversation, and none is under way: nothing comes between the pages of another reply.

**Threads**: any may `owe`. The work is done by one thread, `arrears`, which blocks in its queue and, bounded, in what
the journal and the chat answer; `stop` wakes it in all of them. What it does not get out is left for the next start; so
is a case that it stumbles over, and the others go on. **Locks**: none.
"""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Protocol

from ..clock import Clock
from ..errors import ChatError, StoreError
from ..threads import Beat, join_all, spawn
from .ledger import ON_DISK
from .mending import Mending, NotYet, Patience, Stopped
from .message import Conversation, Inbound
from .notices import tell_refused
from .port import ChatPort

if TYPE_CHECKING:
    from .house import House

__all__ = ["Arrears"]

log = logging.getLogger(__name__)

FIRST = 30.0  # seconds until the first try: what is on its way just now has come to its end by then
LONGEST = 600.0  # seconds between two tries; each pause is twice the one before
TELLING = 60.0  # seconds for a refusal and the mark on its message
WORK = 600.0  # seconds that a case may take: a reply's pages, signs and commits, each of which is bounded by itself
STOPPING = 5.0  # seconds for the thread to end

_Owed = str | tuple[Inbound, str]  # a turn, or who is refused, and with which words
_Case = tuple[float, int, float, Conversation, _Owed]  # when, a number, the pause after it, whose, what


class Door(Protocol):
    """Where turns begin (the pool). Any thread; never blocks."""

    def hold_quiet(self, conversation: Conversation) -> bool:
        """Begin nothing there before `let_in`; False if something is being done there, or it is held already."""

    def let_in(self, conversation: Conversation) -> None:
        """Go on there."""


class Arrears:
    """What conversations are still owed."""

    def __init__(self, clock: Clock) -> None:
        self.beat = Beat("arrears")
        self._clock = clock
        self._queue: SimpleQueue[tuple[Conversation, _Owed] | None] = SimpleQueue()
        self._cases: list[_Case] = []  # a heap; the thread's
        self._numbers = itertools.count()
        self._patience = Patience(clock)
        self._thread: threading.Thread | None = None

    def __repr__(self) -> str:
        return f"<Arrears {len(self._cases)}>"

    def owe(self, conversation: Conversation, turns: Iterable[str]) -> None:
        """Replies to these turns are not out, and nobody looks after them any more. Any thread; never blocks."""
        for turn in turns:
            log.info("%s: turn %s is not out: it is tried again", conversation, turn)
            self._queue.put((conversation, turn))

    def owe_refusal(self, note: Inbound, text: str) -> None:
        """Somebody could not be told that their message is refused. Any thread; never blocks."""
        log.info("%s: who wrote message %s does not know that it is refused", note.conversation, note.ref.id)
        self._queue.put((note.conversation, (note, text)))

    def start(self, house: House, ports: Mapping[str, ChatPort], door: Door) -> None:
        """Begin. Main thread, once."""
        self._thread = spawn("arrears", lambda: self._run(house, ports, door))

    def stop(self) -> bool:
        """Leave the rest for the next start; return whether the thread has ended. Main thread; blocks, bounded."""
        self._patience.end()
        self._queue.put(None)
        return self._thread is None or not join_all([self._thread], self._clock, STOPPING)

    # ---- the thread ----

    def _run(self, house: House, ports: Mapping[str, ChatPort], door: Door) -> None:
        while self._take():
            while self._cases and self._cases[0][0] <= self._clock.monotonic():
                case = heapq.heappop(self._cases)
                self.beat.owes(time.monotonic(), WORK)
                try:
                    self._try(house, ports, door, case)
                except Stopped:
                    log.info("what could not be delivered is left for the next start")
                    self.beat.rests()
                    return
                except Exception:  # a thread's top: the other cases are still to be tried
                    log.exception("%s: that is not tried again before the next start: a bug", case[3])

    def _take(self) -> bool:
        """Wait for a case, or until one is due; False at the end."""
        self.beat.rests()
        now = self._clock.monotonic()
        try:
            item = self._queue.get(timeout=max(0.0, self._cases[0][0] - now) if self._cases else None)
        except Empty:
            return True
        if item is not None:
            self._put(*item, FIRST)
        return item is not None

    def _put(self, conversation: Conversation, owed: _Owed, pause: float) -> None:
        due = self._clock.monotonic() + pause
        heapq.heappush(self._cases, (due, next(self._numbers), min(2 * pause, LONGEST), conversation, owed))

    def _try(self, house: House, ports: Mapping[str, ChatPort], door: Door, case: _Case) -> None:
        _, _, pause, conversation, owed = case
        port = ports[conversation.platform]
        try:
            if isinstance(owed, str):
                with self._held(door, conversation, is_last=pause >= LONGEST):
                    self._bring_out(house, port, conversation, owed)
            else:
                self._tell(house, port, *owed)
        except (NotYet, StoreError) as error:
            log.info("%s: that is not out yet: %s", conversation, error)
            self._put(conversation, owed, pause)

    @contextmanager
    def _held(self, door: Door, conversation: Conversation, *, is_last: bool) -> Iterator[None]:
        """Have no turn begin meanwhile. Raise NotYet while one is under way; after a quarter of an hour it comes so."""
        if door.hold_quiet(conversation):
            try:
                yield
            finally:
                door.let_in(conversation)
        elif is_last:
            yield
        else:
            raise NotYet("something is being said there")

    def _bring_out(self, house: House, port: ChatPort, conversation: Conversation, turn: str) -> None:
        try:
            row = self._patience.result(house.ledger.reply(turn), ON_DISK)
        except ChatError as error:
            raise NotYet("the disk does not answer") from error
        if row is None:  # it is out by now, or was forgotten
            return
        if row.state != "finished":
            raise NotYet("the disk does not have its end yet")
        Mending(house, port, conversation, self._patience).mend([row], (), gives_up=False)

    def _tell(self, house: House, port: ChatPort, note: Inbound, text: str) -> None:
        try:
            is_over = self._patience.result(tell_refused(house, port, note, text), TELLING)
        except ChatError as error:
            raise NotYet(str(error)) from error
        if not is_over:
            raise NotYet(f"message {note.ref.id} is refused, and nobody could be told")
