"""The pool: finds or makes the session of a conversation, and keeps the books.

Every conversation without a session goes through one line: a newcomer waits there until a room is free (usually no time
at all), a successor until its predecessor's agent has ended. So the limit is exact, two messages to one conversation
cannot start two agents (FIELD A4, A20), and nobody who could start is kept waiting behind somebody who cannot.

**Threads.** Any thread may call; nothing here blocks but `close`. Sessions call back from their own threads, with no
lock held. **Locks.** `_lock` (rank 1) guards the books. Inside it a session's mailbox (rank 2) may be looked at, one at
a time, never waited for: a busy session is simply not idle. What is decided under the lock (start, end, tell) is done
after it.
**Never** under the lock: I/O, Thread.start, logging, a Future's result, foreign code, a session's wait.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, suppress
from dataclasses import replace

from ..acp.process import kill_now
from ..errors import InboxFull, OpenabError, PoolClosed, SessionClosed
from ..threads import join_all
from .ending import BEFORE, DECIDED, memory_after, reset_text
from .house import Cancel, Close, Decide, Farewell, House, Lease, Memory, Order, Placement, Reset, SessionSnapshot
from .later import Later
from .ledger import numbers
from .line import Line, Place
from .memories import Memories
from .message import Conversation, Inbound, MessageRef, Person
from .notices import break_off, drop, forget_mark, turn_away
from .port import ChatPort
from .rooms import Rooms
from .session import DELIVERY, LAST_WORDS, SIGNS, Session

__all__ = ["SessionPool"]

log = logging.getLogger(__name__)

HANGS = "The agent hangs and was ended. The next message starts a new session."
LAST_GRACE = 10.0  # seconds for threads to end that have nothing left to wait for


class SessionPool:
    """At most so many sessions, and a fair line of conversations in front of them."""

    def __init__(self, house: House, ports: Mapping[str, ChatPort], memories: Memories | None = None) -> None:
        """`memories` are the pool's from now on, and guarded by its lock; without any, none outlive the process."""
        self._house = house
        self._ports = ports
        self._clock = house.clock
        self._lock = threading.RLock()
        house.budget.guard = self._lock  # one of the books
        self._rooms = Rooms()
        self._line = Line()
        self.memories = memories if memories is not None else Memories()
        self._closed: str | None = None  # the reason, once no more is taken
        self.later = Later(house, ports)  # what comes then
        self._promised = 0  # the number of the last message that the process before this one has accepted

    def __repr__(self) -> str:
        books = f"sessions={len(self._rooms.open)} ending={len(self._rooms.ending)} line={len(self._line)}"
        return f"<SessionPool {books}{' closed' if self._closed else ''}>"

    # ---- any thread; never blocks ----

    def deliver(self, note: Inbound) -> Placement:
        """Hand a message to its conversation's session, which is made if there is none.

        Raise PoolClosed, PoolFull or InboxFull: the message was not taken. However full it is, one that was accepted
        before a restart has its place: it was promised an answer.
        """
        key, is_promised = note.conversation.key, 0 < note.delivery <= self._promised
        with ExitStack() as after, self._lock:  # those who have a room now start whatever becomes of this one
            if self._closed is not None:
                raise PoolClosed
            position = self._offer_locked(key, note, is_promised=is_promised)
            if position is not None:
                return Placement("accepted" if position == 1 else "queued", position)
            is_new = key not in self._line and not is_promised
            if len(self._line.notes(key)) >= self._house.config.pool.max_buffered_messages and not is_promised:
                raise InboxFull(self._house.config.pool.max_buffered_messages)
            self._line.put(note)
            after.callback(self._start, self._admit_locked())
            return self._line.placed(key, self._rooms.ending, self._house.config.pool, is_new=is_new)

    def order(self, conversation: Conversation, order: Order) -> Future[str]:
        """Hand an order to the conversation's session; its Future says what came of it.

        A conversation without a session gets one for an order that needs an agent. Raise PoolClosed or PoolFull.
        """
        key = conversation.key
        answer, dropped = "", tuple[Inbound, ...]()
        with ExitStack() as after, self._lock:
            if self._closed is not None:
                raise PoolClosed
            if self._order_session_locked(key, order):
                pass  # it answers itself
            elif isinstance(order, Cancel | Reset | Close | Decide):
                answer, dropped = self._order_line_locked(key, order)
            else:
                is_new = key not in self._line
                self._line.join(conversation).orders.append(order)
                after.callback(self._start, self._admit_locked())
                self._line.placed(key, self._rooms.ending, self._house.config.pool, is_new=is_new)
        self.memories.save()
        drop(self._house, self._ports, dropped, order.by if isinstance(order, Cancel | Reset) else None)
        if answer:
            order.done.set_result(answer)
        return order.done

    def withdraw(self, ref: MessageRef, by: Person | None = None) -> bool:
        """Take back a message that still waits; False if it does not. Its author is told if `by` is somebody else."""
        with self._lock:
            session = self._rooms.holder(ref.conversation.key)
            note = (session and session.mailbox.withdraw(ref)) or self._line.withdraw(ref)
        drop(self._house, self._ports, (note,) if note is not None else (), by)
        return note is not None

    def edit(self, ref: MessageRef, text: str) -> bool:
        """Change the text of a message that still waits; False if it does not."""
        with self._lock:
            return any(one.mailbox.edit(ref, text) for one in self._rooms.every()) or self._line.edit(ref, text)

    def waiting(self, conversation: Conversation) -> tuple[Inbound, ...]:
        """Return the messages of a conversation that wait, in order."""
        with self._lock:
            session = self._rooms.holder(conversation.key)
            return (session.mailbox.waiting() if session else ()) + self._line.notes(conversation.key)

    def is_answering(self, ref: MessageRef) -> bool:
        """Whether a message is being answered just now."""
        with self._lock:
            return any(session.mailbox.is_answering(ref) for session in self._rooms.every())

    def snapshot(self) -> tuple[tuple[SessionSnapshot, ...], tuple[str, ...]]:
        """Return how the sessions look, and the keys of the conversations in the line, first come first."""
        with self._lock:
            return tuple(session.snapshot for session in self._rooms.every()), tuple(self._line)

    def hold(self, conversations: Iterable[Conversation], last: int = 0) -> None:
        """Begin nothing in these before all that was accepted there before a restart is delivered (`let_in`).

        `last` is the number of the last of all those messages.
        """
        with self._lock:
            self._promised = max(self._promised, last)
            self._line.held.update(one.key for one in conversations)

    def hold_quiet(self, conversation: Conversation) -> bool:
        """Begin nothing there before `let_in`; False if something is being done there, or it is held already."""
        with self._lock:
            session = self._rooms.holder(conversation.key)
            if conversation.key in self._line.held or (session is not None and not session.mailbox.pause()):
                return False
            self._line.held.add(conversation.key)
            return True

    def let_in(self, conversation: Conversation) -> None:
        """All that was held for is done: what has come since begins."""
        with self._lock:
            self._line.held.discard(conversation.key)
            if (session := self._rooms.holder(conversation.key)) is not None:
                session.mailbox.go_on()
        self.admit()

    def admit(self) -> None:
        """Look whether somebody in the line can have a room: there may be one, or more of them than there were."""
        with self._lock:
            started = self._admit_locked() if self._line else []
        self._start(started)

    # ---- the janitor's; never blocks ----

    def suspend_idle(self) -> int:
        """End sessions idle for longer than the configured hours; return how many. Busy ones are skipped."""
        now, limit = self._clock.monotonic(), self._house.config.pool.session_ttl_hours * 3600
        with self._lock:
            ended = self._rooms.retire_idle(now, lambda one: now - one.snapshot.last_activity >= limit)
        for session in ended:
            log.info("%s suspended after %g hours without a message", session.conversation, limit / 3600)
        return len(ended)

    def drop_hung(self) -> int:
        """Give away the rooms of sessions that have not ended in time, whatever their threads do; return how many.

        Their agents are killed and their ACP sessions are not resumed: they may still be at the old turn (FIELD D7).
        """
        now = self._clock.monotonic()
        leave_by = now - DELIVERY - self._house.config.pool.hung_grace_secs
        with self._lock:
            hung = [one for one in self._rooms.every() if now >= one.snapshot.overdue_at or one.retired_at <= leave_by]
        self._disown(hung, "%r does not end: its room is given away and its agent killed", HANGS)
        return len(hung)

    def sweep(self) -> None:
        """Let go of sessions whose threads have ended, and replace those that died without a word (our bug)."""
        with self._lock:
            silent = self._rooms.sweep()
        self._disown(silent, "the thread of %r ended without saying so", "An internal error ended the session.")

    def forget_unused(self, before: float) -> None:
        """Forget how conversations without a session are taken up again that were last used `before`."""
        with self._lock:
            self.memories.forget_before(before, lambda key: self._rooms.holder(key) is not None)
        self.memories.save()

    # ---- the end; blocks ----

    def close(self, reason: str, grace: float) -> bool:
        """Take no more, let running turns finish for `grace` seconds, cancel the rest, wait for all threads.

        Main thread; blocks, bounded. Return whether every session ended by itself.
        """
        with self._lock:
            self._closed = reason
            places = self._line.clear()
            sessions, every = list(self._rooms.open.values()), list(self._rooms.threads)
        for place in places:
            self._turn_away(place, PoolClosed())
        for session in sessions:
            with suppress(SessionClosed):  # it is ending already
                session.mailbox.order(Close(reason, grace))
        for session in every:
            session.begun.wait(LAST_GRACE)  # somebody may be starting it just now
        patience = grace + self._house.config.pool.cancel_grace_secs + LAST_WORDS + SIGNS + LAST_GRACE
        late = join_all([item.thread for item in every if item.thread is not None], self._clock, patience)
        for pid in [session.snapshot.pid for session in every if session.thread in late]:
            kill_now(pid)
        return not late

    # ---- sessions call these, on their own threads ----

    def on_idle(self, session: Session) -> None:
        """A session has nothing to do: somebody in the line may want its room. Its own thread; never blocks."""
        self.admit()

    def on_memory(self, session: Session, memory: Memory) -> None:
        """So a session can be taken up again from now on. Its own thread; never blocks."""
        with self._lock:
            if session in self._rooms.every() and session.reset is None:  # else it is to be forgotten
                self.memories.put(session.conversation.key, memory)
        self.memories.save()

    def on_end(self, session: Session, farewell: Farewell) -> None:
        """A session's last act: its room is free, its successor gets what it leaves. Its own thread; never blocks."""
        with self._lock:
            if self._rooms.forget(session):  # else the room was given away, and with it what this one remembers
                self.memories.put(session.conversation.key, memory_after(session.reset, farewell.memory))
            place = Place(session.conversation, self._bequeath_locked(session, farewell.leftovers))
            started = self._admit_locked()
        self.memories.save()
        self._dismiss(session, place)
        self._start(started)

    def on_drop(self, note: Inbound) -> None:
        """A message that waited will not be answered. Any thread; never blocks."""
        forget_mark(self._house, self._ports[note.conversation.platform], note)

    # ---- under the lock ----

    def _offer_locked(self, key: str, note: Inbound, *, is_promised: bool) -> int | None:
        """Leave a message with the conversation's session; None if it has none that takes any."""
        session = self._rooms.open.get(key)
        if session is None or key in self._line:
            return None
        try:
            return session.mailbox.offer(note, is_promised=is_promised)
        except SessionClosed:
            self._retire_locked(session)
            return None

    def _order_session_locked(self, key: str, order: Order) -> bool:
        """Leave an order with the conversation's session; False if it has none that takes any."""
        session = self._rooms.open.get(key)
        if session is None:
            return False
        try:
            session.mailbox.order(order)
        except SessionClosed:
            self._retire_locked(session)
            return False
        if isinstance(order, Reset):
            session.reset = order
            self.memories.put(key, order.memory)
            self._retire_locked(session)
        return True

    def _admit_locked(self) -> list[Session]:
        """Make sessions for those in the line who can have one, and have idle ones leave for the others.

        Return the new ones: the caller starts them after the lock.
        """
        if self._closed is not None:
            return []
        ready = self._line.ready(self._rooms.ending)
        free = self._house.config.pool.max_sessions - len(self._rooms)
        wanted = len(ready) - max(free, 0) - len(self._rooms.ending)  # each that is ending leaves a room for one
        self._rooms.retire_idle(self._clock.monotonic(), lambda _: True, max(wanted, 0))
        made = []
        for key in ready[: max(free, 0)]:
            place = self._line.leave(key)
            port = self._ports[place.conversation.platform]
            lease = Lease(port, self, self.memories.of(key), place.notes)
            session = Session(place.conversation, self._house, lease)
            for order in place.orders:
                session.mailbox.order(order)
            self._rooms.take(session)
            made.append(session)
        return made

    def _retire_locked(self, session: Session) -> None:
        """It takes no more messages; its agent holds the room until `on_end`."""
        self._rooms.retire(session, self._clock.monotonic())

    def _disown_locked(self, session: Session) -> Place:
        """Take a session out of the books that cannot say farewell; return what of it must be dismissed."""
        if self._rooms.forget(session):
            self.memories.put(session.conversation.key, memory_after(session.reset, None))
        notes = self._bequeath_locked(session, session.mailbox.abandon())
        return Place(session.conversation, notes, list(session.mailbox.orders()))

    def _bequeath_locked(self, session: Session, notes: Sequence[Inbound]) -> list[Inbound]:
        """What a session leaves goes to its successor before all else: it was promised an answer. Return the rest."""
        if session.reset or self._closed is not None or not notes:
            return list(notes)
        successor = self._rooms.open.get(session.conversation.key)  # there may be one where the room was given away
        if successor is not None and successor.mailbox.come_first(notes):
            return []
        if successor is not None:
            self._retire_locked(successor)
        self._line.come_first(session.conversation, notes)
        return []

    def _order_line_locked(self, key: str, order: Order) -> tuple[str, tuple[Inbound, ...]]:
        """Carry out an order for a conversation that has no session: what waits is dropped, a memory forgotten."""
        if isinstance(order, Decide | Close):
            return DECIDED if isinstance(order, Decide) else "Nothing is running here.", ()
        count = order.count if isinstance(order, Cancel) else None
        ending = self._rooms.ending.get(key)
        dropped = ending.mailbox.drop(count) if ending else ()
        if count is None or not dropped:
            dropped += self._line.drop(key, count)
        if isinstance(order, Reset):
            self.memories.put(key, order.memory)
            if ending is not None:
                ending.reset = order
            return reset_text(order), dropped
        return (BEFORE if dropped else "Nothing is running here."), dropped

    # ---- after the lock ----

    def _start(self, sessions: list[Session]) -> None:
        for session in sessions:
            try:
                session.start()
            except (OSError, RuntimeError) as error:  # no descriptor, no thread to be had
                log.error("%s cannot be started: %s", session.conversation, error)
                with self._lock:
                    self._rooms.threads.remove(session)
                farewell, orders = session.give_up()
                place = Place(session.conversation, list(farewell.leftovers), list(orders))
                self._turn_away(place, OpenabError(f"This machine has no room for another agent: {error}."))
                self.on_end(session, replace(farewell, leftovers=()))

    def _disown(self, sessions: Sequence[Session], complaint: str, text: str) -> None:
        """Give away the rooms of sessions that cannot say farewell: first agents are killed and people told `text`.

        A thread that comes back after all ends its turn a second time.
        """
        with self._lock:
            places = [self._disown_locked(session) for session in sessions]
            started = self._admit_locked()
        self.memories.save()
        for session in sessions:
            log.error(complaint, session)
            kill_now(session.snapshot.pid)
        for session, place in zip(sessions, places, strict=True):
            if session.snapshot.turn_started is not None:
                self._house.ledger.fail(numbers(session.mailbox.begun))
            break_off(self._ports[session.conversation.platform], session, text)
            self._dismiss(session, place)
        self._start(started)

    def _dismiss(self, session: Session, place: Place) -> None:
        """What a session has left will not be answered: somebody ordered so, or the house is closing."""
        if session.reset:
            drop(self._house, self._ports, place.notes, session.reset.by)
            place.notes.clear()
        self._turn_away(place, PoolClosed() if place.notes else SessionClosed(f"{place.conversation} has ended"))

    def _turn_away(self, place: Place, error: OpenabError) -> None:
        if isinstance(error, PoolClosed):
            place.notes[:] = [note for note in place.notes if not self.later.takes(note)]
        turn_away(self._house, self._ports[place.conversation.platform], place, error)
