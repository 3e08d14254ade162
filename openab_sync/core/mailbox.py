"""What other threads share with a session: its inbox, its orders, its state, whether it is open, and its bell.

Everything that needs the session's lock is in this file, so that what the lock guards can be seen on one screen.

**Threads.** Any thread leaves notes and orders here; the session's own thread takes them and is the only one to change
the state. Others may only have it wait (`pause`) or shut the box: a reset that is left in it, `shut_if_idle` for
eviction, `abandon` for a session that hangs.
**Locks.** `_lock` (rank 2, below the pool's) guards every attribute. Taking a note and becoming BUSY is one critical
section: a session that holds a note never looks idle. So are being found idle and being paused; and leaving a cancel or
a reset and finding out what it means: what comes later is never cancelled or dropped by it.
**Never**: waiting, I/O, logging or foreign code under the lock; ringing the bell is one non-blocking write.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import replace

from ..errors import SessionClosed
from ..threads import Bell
from .house import Cancel, Order, Reset
from .inbox import Inbox
from .message import Inbound, MessageRef
from .state import Event, State, after

__all__ = ["Mailbox"]


class Mailbox:
    """A session's shared state. `who` is named in errors."""

    __slots__ = ("_abandoned", "_begun", "_inbox", "_lock", "_open", "_orders", "_paused", "_state", "_turn", "_who",
                 "bell")  # fmt: skip

    def __init__(self, who: object, inbox: Inbox) -> None:
        self._who = who
        self._lock = threading.Lock()
        self._inbox = inbox
        self._orders: list[Order] = []
        self._state = State.NEW
        self._turn = 0  # how many have begun
        self._begun: tuple[Inbound, ...] = ()  # the messages of the latest
        self._open = True  # takes notes and orders; False is for ever
        self._paused = False  # what is left waits until `go_on`: something of an older reply is being brought out
        self._abandoned = False  # the pool gave our room away and has taken what waited
        self.bell = Bell()

    # ---- any thread; never blocks ----

    @property
    def state(self) -> State:
        """The state a moment ago: a single read, for looking only."""
        return self._state

    @property
    def turn(self) -> int:
        """The number of the turn that runs or was the last, 0 before the first: a single read."""
        return self._turn

    @property
    def begun(self) -> tuple[Inbound, ...]:
        """The messages of the turn that runs or was the last: a single read."""
        return self._begun

    @property
    def is_abandoned(self) -> bool:
        """The pool has given the session's room away. Once true it stays true."""
        return self._abandoned

    def offer(self, note: Inbound, *, is_promised: bool = False) -> int:
        """Leave a message and ring; return how many come first, itself included (1: it is next).

        Messages are taken in the order they were left. Raise SessionClosed if the session is ending, InboxFull if too
        many wait and it is not `is_promised` an answer: the message was not taken.
        """
        with self._lock:
            self._check_open_locked()
            position = self._inbox.put(note, is_promised=is_promised)
            self.bell.ring()
            return position if self._state in (State.NEW, State.STARTING, State.IDLE) else position + 1

    def order(self, order: Order) -> None:
        """Leave an order and ring; it is obeyed at once. Raise SessionClosed: it was not taken.

        What a cancel or a reset drops is taken out here and now, and after a reset nothing more is taken.
        """
        with self._lock:
            self._check_open_locked()
            if isinstance(order, Reset):
                order = replace(order, dropped=self._inbox.clear())
                self._open = False
            elif isinstance(order, Cancel):
                order = self._aimed_locked(order)
            self._orders.append(order)
            self.bell.ring()

    def ring(self) -> None:
        """Wake the session's thread: something finished, or the clock was moved."""
        with self._lock:
            self.bell.ring()

    def withdraw(self, ref: MessageRef) -> Inbound | None:
        """Take back a message that still waits; None if it does not."""
        with self._lock:
            self.bell.ring()
            return self._inbox.withdraw(ref)

    def edit(self, ref: MessageRef, text: str) -> bool:
        """Change the text of a message that still waits; False if it does not."""
        with self._lock:
            return self._inbox.edit(ref, text)

    def waiting(self) -> tuple[Inbound, ...]:
        """Return the messages that wait, in order."""
        with self._lock:
            return self._inbox.list()

    def is_answering(self, ref: MessageRef) -> bool:
        """Whether the turn that runs answers that message, and nobody has cancelled it."""
        with self._lock:
            return self._state is State.BUSY and any(note.ref == ref for note in self._begun)

    def drop(self, count: int | None = None) -> tuple[Inbound, ...]:
        """Take out the first `count` messages, or all, that nobody will answer."""
        with self._lock:
            return self._drop_locked(count)

    def orders(self) -> tuple[Order, ...]:
        """Take what was ordered: the caller answers it now."""
        with self._lock:
            orders, self._orders = tuple(self._orders), []
            return orders

    # ---- pool only, under the pool's lock; never blocks ----

    def shut_if_idle(self) -> bool:
        """Take nothing more, if nothing is being done and nothing waits; True if so: the session will end."""
        with self._lock:
            if not self._open or self._state is not State.IDLE or self._inbox or self._orders:
                return False
            self._open = False
            self.bell.ring()
            return True

    def pause(self) -> bool:
        """Begin no turn before `go_on`, if none is going on or about to; True if so."""
        with self._lock:
            if self._open and self._state is State.IDLE and not self._inbox and not self._orders:
                self._paused = True
            return self._paused

    def go_on(self) -> None:
        """Begin what has come meanwhile."""
        with self._lock:
            self._paused = False
            self.bell.ring()

    def abandon(self) -> tuple[Inbound, ...]:
        """Take nothing more, whatever the session's thread does, and hand over what waits."""
        with self._lock:
            self._open = False
            self._abandoned = True
            self.bell.ring()
            return self._inbox.clear()

    def come_first(self, notes: Iterable[Inbound]) -> bool:
        """Take messages of a predecessor before all others; False if nothing more is taken."""
        with self._lock:
            if self._open:
                self._inbox.restore(notes)
                self.bell.ring()
            return self._open

    # ---- once, before the session's thread runs ----

    def open(self) -> None:
        """Hang up the bell. Raise OSError if no descriptor is left."""
        with self._lock:
            self.bell.open()

    # ---- session thread only; never blocks ----

    def take(self) -> tuple[Inbound, ...]:
        """Take the next turn's messages and become BUSY with them; () if nothing waits."""
        with self._lock:
            return self._take_locked()

    def take_next(self) -> tuple[Inbound, ...]:
        """As `take`, for a session whose turn, if it had one, is over: between two turns it is never idle."""
        with self._lock:
            if self._state in (State.BUSY, State.CANCELLING):
                self._state = after(self._state, Event.DONE)
            return self._take_locked()

    def give_back(self, notes: Sequence[Inbound]) -> None:
        """Put messages back in front that were taken and not begun."""
        with self._lock:
            self._inbox.restore(notes)

    def take_failed(self) -> tuple[Inbound, ...]:
        """Take the next turn's messages from a session that could not even start."""
        with self._lock:
            return self._inbox.take()

    def keep(self, order: Order) -> None:
        """Put an order back that cannot be obeyed yet: it is looked at again with every wake."""
        with self._lock:
            self._orders.append(order)

    def move(self, event: Event) -> None:
        """Change the state. Raise IllegalTransition: a bug of ours."""
        with self._lock:
            self._state = after(self._state, event)

    @property
    def is_shut(self) -> bool:
        """Nothing more is taken."""
        with self._lock:
            return not self._open

    def refuse(self) -> None:
        """Take nothing more; what is being done goes on."""
        with self._lock:
            self._open = False

    def shut(self) -> None:
        """Take nothing more and be CLOSING. Idempotent."""
        with self._lock:
            self._open = False
            if self._state not in (State.CLOSING, State.CLOSED):
                self._state = after(self._state, Event.CLOSE)

    def close(self) -> tuple[tuple[Inbound, ...], Sequence[Order]]:
        """The last act: be CLOSED, give the bell back, hand over what is left."""
        with self._lock:
            self._state = after(self._state, Event.END)
            notes, orders, self._orders = self._inbox.clear(), self._orders, []
            self.bell.close()
            return notes, orders

    # ---- under the lock ----

    def _take_locked(self) -> tuple[Inbound, ...]:
        if not self._inbox or self._paused:
            return ()
        self._state = after(self._state, Event.TAKE)  # first: what an illegal move refuses to take stays
        self._turn += 1
        self._begun = self._inbox.take()
        return self._begun

    def _drop_locked(self, count: int | None) -> tuple[Inbound, ...]:
        notes = self._inbox.clear()
        if count is not None:
            self._inbox.restore(notes[count:])
        return notes[:count]

    def _aimed_locked(self, order: Cancel) -> Cancel:
        """Say what a cancel means: the turn that runs; else the message that comes next; or the one it is about."""
        runs = self._state in (State.BUSY, State.CANCELLING)
        if order.about is not None:
            waits = self._inbox.withdraw(order.about)
            runs = runs and any(note.ref == order.about for note in self._begun)
            runs = runs and not (order.alone and len(self._begun) > 1)
            return replace(order, turn=self._turn if runs else 0, dropped=(waits,) if waits else ())
        count = 0 if runs and not order.all else order.count
        return replace(order, turn=self._turn if runs else 0, dropped=self._drop_locked(count))

    def _check_open_locked(self) -> None:
        assert self._lock.locked()
        if not self._open:
            raise SessionClosed(f"{self._who} is ending")
