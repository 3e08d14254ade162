"""A session: one agent process, and the OS thread that owns it, serving one conversation.

The agent's life is the session's: when the process ends, so does the session, and the pool makes a successor for what
still waits. This room is about the thread and its one wait. What other threads share with it is in `mailbox`, how it
begins in `starting`, one turn and its reply in `answering`, the process and its peer in `agent`, the books in `pool`.

**Threads.** Everything but the constructor, `start`, `mailbox` and `snapshot` belongs to the session's own thread,
`session-<conversation>`. It blocks in exactly one place, `Agent.wait`, and is woken there by the agent's pipes, the
agent's death, the bell (messages, orders, finished chat requests) or the next deadline. Starting a process and the kill
ladder are bounded.

**Locks.** None of its own: the mailbox has the session's lock. No lock is held while anything here runs.

**Never**: a second path to the agent's stdin: cancel, reset, options and answers come as orders or futures and are
carried out by the thread itself. Nobody is told that an agent died before further messages are refused: shut first,
tell after.
"""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace

from ..clock import Deadline
from ..errors import AgentError, AgentStalled, OpenabError, SessionClosed
from ..threads import spawn
from .agent import LONG, Agent
from .answering import Answering
from .calls import Calls
from .ending import BEFORE, CANCELLING, Ending, dropped_text, reset_text, verdict
from .house import Cancel, Close, Farewell, House, Lease, ListSessions, Open, Order, Reset, SessionSnapshot, SetOption
from .inbox import Inbox
from .judging import Judge
from .mailbox import Mailbox
from .message import Conversation, Inbound
from .notices import name, tell, tell_dropped
from .patience import Due
from .port import Outcome
from .portrait import Moment, portrait
from .starting import Starting
from .state import Event, State
from .turns import Turns

__all__ = ["Session"]

log = logging.getLogger(__name__)

LOOK = 1.0  # seconds between two looks at everything while text streams, with the first read after that
SIGNS = 5.0  # seconds for the last reactions, when the session ends
DELIVERY = 60.0  # seconds a chat service gets for the last pages of a reply


class Session:
    """One conversation's agent and the thread that owns it. Made and started by the pool."""

    def __init__(self, conversation: Conversation, house: House, lease: Lease) -> None:
        self.conversation = conversation
        self._house = house
        self._port, self._hooks = lease.port, lease.hooks
        self._clock = house.clock
        pool = house.config.pool
        inbox = Inbox(pool.message_processing_mode, pool.max_buffered_messages, pool.max_batch_tokens)
        inbox.restore(lease.notes)
        self.mailbox = Mailbox(conversation, inbox)
        self._memory = lease.memory
        self._agent: Agent  # made in `start`: it needs descriptors
        self._turns = Turns()
        self._judge = Judge(house.config.permissions, conversation, house.names)
        self._notices: list[str] = []  # sentences for the head of the next reply
        self._resumes = lease.memory.acp_session_id is not None
        self._heard = 0  # events since the agent runs
        self._orders: list[Order] = []  # taken, to be obeyed
        self._in_hand: list[Order] = []  # being obeyed; what stays here has raised, and is answered at the end
        self._closing: Close | None = None
        self._close_at = math.inf  # a busy session that must close cancels its turn then
        self._leave_by = math.inf  # when this thread must have ended, once it has begun to
        self._active_at = house.clock.monotonic()
        # Replaced as a whole by the session's thread, read by anyone without a lock.
        self.snapshot = SessionSnapshot(
            conversation, State.NEW, house.agent_name, inbox=len(lease.notes), last_activity=self._active_at
        )
        self.thread: threading.Thread | None = None
        self.begun = threading.Event()  # `start` has been tried: `thread` is what it will be
        self.retired_at = math.inf  # pool only, under its lock: when it was seen to take no more
        self.reset: Reset | None = None  # pool only, under its lock: what it knows is to be forgotten

    def start(self) -> None:
        """Start the thread. Pool only, once, never under a lock.

        Raise OSError or RuntimeError if the system has no descriptor or no thread left; then `give_up`.
        """
        try:
            self.mailbox.open()
            self._agent = Agent(self._house, self._memory.cwd, self.mailbox.bell, self.mailbox.ring)
            self.thread = spawn(f"session-{self.conversation}", self._run)
        finally:
            self.begun.set()

    def give_up(self) -> tuple[Farewell, Sequence[Order]]:
        """End a session that could not be started; return what it leaves. Pool only."""
        self.mailbox.shut()
        notes, orders = self.mailbox.close()
        return Farewell(notes, self._memory), orders

    @property
    def has_ended(self) -> bool:
        """Its thread has run and runs no more."""
        return self.thread is not None and not self.thread.is_alive()

    def __repr__(self) -> str:
        now = self.snapshot
        return f"<Session {self.conversation} {now.state.name} inbox={now.inbox} pid={now.pid}>"

    # ---- session thread only: the life ----

    def _run(self) -> None:
        error: OpenabError | None = None
        try:
            try:
                self._live()
            finally:
                self._shut()
                self._obey()  # what was left before that
        except Ending as ending:
            log.info("%s ended: %s", self.conversation, ending)
        except AgentError as fault:  # people have been told
            log.warning("%s ended: %s", self.conversation, fault)
            error = fault
        except Exception:  # a thread's top: nothing above it could tell
            log.exception("%s ended by a bug of ours", self.conversation)
            error = OpenabError("An internal error ended the session; the log has the details.")
            self._confess()
        finally:
            self._end(error)

    def _confess(self) -> None:
        try:
            self._fail("An internal error ended this turn; the log has the details.")
        except Exception:  # still the thread's top: the bug is in the telling, only the log has it
            log.exception("%s: people could not be told", self.conversation)

    def _fail(self, reason: str) -> None:
        """Tell those whose turn it is; before any turn, whoever is first: the others each make a try of their own."""
        self._shut()
        if self._turns.latest is None and (notes := self.mailbox.take_failed()):
            self._answer(notes)
        if self._turns.latest is not None and not self._turns.latest.is_over:
            self._break_off(self._turns.latest, "failed", reason)

    def _live(self) -> None:
        pool = self._house.config.pool
        patience = pool.initialize_secs + 2 * pool.new_session_secs + pool.hung_grace_secs
        self._leave_by = self._clock.monotonic() + patience
        self._become(Event.START)
        self._obey()  # perhaps nobody wants an agent any more
        try:
            self._agent.start()
            self._publish(force=True)  # its pid
            self._memory = replace(self._memory, cwd=self._agent.launch.cwd)
            self._judge.work_in(self._agent.launch.cwd)
            calls = Calls(self._agent, self._pump, self._clock, self._say_slow)
            self._memory, notices = Starting(self._agent.peer, self._house, calls).begin(self._memory)
            if self._resumes:
                calls.settle(lambda: self._heard, pool.drain_ms / 1000)
        except AgentError as error:
            self._fail(error.user_text() + self._house.advice(error))
            raise
        self._notices += notices
        log.info("%s has %s, pid %s", self.conversation, self._agent.name, self._agent.pid)
        self._leave_by = math.inf
        self._become(Event.READY)
        while notes := self._next_notes():
            self._serve(notes)

    def _say_slow(self) -> None:
        if self.mailbox.waiting():
            tell(self._port, self.conversation, f"⏳ {self._agent.name} is still starting.")

    def _next_notes(self) -> tuple[Inbound, ...]:
        """Wait until there is something to answer and become BUSY with it; () when the pool has shut the session."""
        taken = self.mailbox.take_next()
        if not taken:
            self._publish(force=True)

            def take() -> bool:
                nonlocal taken
                if not (taken := self.mailbox.take()):  # what it woke for is done: perhaps somebody waits for its room
                    self._hooks.on_idle(self)
                return bool(taken) or self.mailbox.is_shut

            self._pump(take)
        return taken

    def _serve(self, notes: tuple[Inbound, ...]) -> None:
        """One turn, from its prompt to its last page."""
        if self._turns.latest is not None and self._agent.is_dead:
            self.mailbox.give_back(notes)  # it died while it had nothing to do: they are its successor's
            self._agent.check()
        answering = self._answer(notes)
        notices, self._notices = self._notices, []
        self._agent.listen()
        self._publish(force=True)  # before anybody else's code runs: from now on it can be overdue
        try:
            answering.begin(notices)
            self._pump(lambda: answering.is_over)
            if self.mailbox.waiting():  # the next prompt waits a moment for text that is late
                self._pump(lambda: False, self._house.config.pool.drain_ms / 1000)
            self._deliver(answering)
        except (AgentError, Ending) as end:
            self._shut()  # first, then people are told
            self._break_off(answering, *verdict(end))
            raise
        if self._closing is not None:
            raise Ending(self._closing.reason)

    def _answer(self, notes: tuple[Inbound, ...]) -> Answering:
        house, port, peer, ring, judge = self._house, self._port, self._agent.peer, self.mailbox.ring, self._judge
        return self._turns.begin(lambda floor: Answering(notes, house, port, peer, ring, judge=judge, floor=floor))

    def _break_off(self, answering: Answering, outcome: Outcome, reason: str) -> None:
        """The agent's life is over: end its process, then tell people, with what had been said so far."""
        self._agent.stop()
        answering.end(outcome, reason)
        self._deliver(answering)

    def _deliver(self, answering: Answering) -> None:
        """Wait until the reply is out; a chat that does not answer cannot hold the conversation up for ever."""
        answering.finish()
        if not self._pump(lambda: answering.is_delivered, DELIVERY):
            log.warning("%s: the reply was not delivered within %.0f s", self.conversation, DELIVERY)
            self._turns.renew_floor()
        if self.mailbox.is_shut:  # nobody will look after the last reactions later
            self._pump(lambda: answering.is_quiet and self._turns.is_quiet, SIGNS)

    def _end(self, error: OpenabError | None) -> None:
        """The thread's last act: nothing of the agent is left, and the pool has what remains."""
        self._agent.stop()
        leftovers, orders = self.mailbox.close()
        self._publish(force=True)
        for order in (*self._in_hand, *self._orders, *orders):
            order.done.set_exception(error or SessionClosed(f"{self.conversation} ended before it could obey"))
        options = {**dict(self._memory.options), **self._agent.chosen}
        memory = None if self.mailbox.is_abandoned else replace(self._memory, options=tuple(options.items()))
        self._hooks.on_end(self, Farewell(leftovers, memory, error))

    # ---- session thread only: the one wait ----

    def _pump(self, done: Callable[[], bool], seconds: float | None = None) -> bool:
        """Obey, tend, wait and hear until `done`; False if `seconds` ran out first.

        Raise AgentError when the agent ends or misbehaves, Ending when an order ends the session.
        """
        deadline = Deadline(self._clock, seconds)
        due_at = look_at = -math.inf
        while True:
            now = self._clock.monotonic()
            # Else it is only text that streams: no news for anything else.
            if now >= due_at or now >= look_at or self._agent.stirred:
                self._obey()
                self._agent.tend()
                for due, answering in self._turns.tend():
                    self._do(due, answering)
                self._publish()
                if done():
                    return True
                if deadline.expired:
                    return False
                due_at = min(deadline.at, self._close_at, self._agent.next_at(), self._turns.next_at())
                look_at, now = math.inf, self._clock.monotonic()
            coast = self._turns.pace if self.mailbox.state is State.BUSY else 0.0
            events = self._agent.wait(max(0.0, due_at - now), coast=coast)
            if events:
                self._turns.take(events, self._agent.peer)
                self._heard += len(events)
                self._active_at = self._clock.monotonic()
                look_at = min(look_at, self._active_at + LOOK)
                due_at = min(due_at, look_at + LONG, self._turns.draws_at())

    def _do(self, due: Due, answering: Answering) -> None:
        pool = self._house.config.pool
        match due:
            case Due.CHECK:
                self._agent.check()
            case Due.REASSURE:
                answering.reassure()
            case Due.CANCEL:
                self._cancel("stalled", f"The turn passed the limit of {pool.prompt_hard_timeout_secs / 60:g} minutes.")
            case Due.KILL:
                text = f"The agent did not stop within {pool.cancel_grace_secs:g} s of being told to, and was ended."
                raise self._agent.blame(AgentStalled, text)

    # ---- session thread only: orders ----

    def _obey(self) -> None:
        """Carry out what was ordered, and the close that time has made due."""
        ending: Ending | None = None
        was_closing = self.mailbox.state is State.CLOSING  # nothing ends it twice: its last reply is on the way
        self._orders += self.mailbox.orders()
        while self._orders:
            self._in_hand.append(self._orders.pop(0))
            ending = self._carry_out(self._in_hand[-1]) or ending
            self._in_hand.pop()
        if ending is not None and not was_closing:
            raise ending
        if self._closing is not None and self._clock.monotonic() >= self._close_at:
            self._close_at = math.inf
            self._cancel("cancelled", self._closing.reason)

    def _carry_out(self, order: Order) -> Ending | None:
        match order:
            case Cancel():
                order.done.set_result(self._obey_cancel(order))
            case SetOption() | ListSessions() | Open() if self.mailbox.state in (State.STARTING, State.CLOSING):
                self.mailbox.keep(order)  # until the agent has a session; or the end, which answers it
            case Open():
                order.done.set_result("")
            case SetOption():
                self._agent.set(order)
            case ListSessions():
                self._agent.list_sessions(order)
            case Reset():
                return self._obey_reset(order)
            case Close():
                return self._obey_close(order)
            case _:  # Stand
                self._judge.change(order.new, order.gone)
                self._publish(force=True)
                order.done.set_result("")
        return None

    def _obey_cancel(self, order: Cancel) -> str:
        dropped = self._drop(order)
        if order.turn and order.turn == self.mailbox.turn and self._turns.is_running:
            self._cancel("cancelled", f"Cancelled by {order.by.name or order.by.id}.")
            return CANCELLING + dropped
        if order.dropped and not order.all:
            return BEFORE
        return dropped.strip() or ("That turn is over already." if order.turn else "Nothing is running here.")

    def _obey_reset(self, order: Reset) -> Ending:
        dropped = self._drop(order)
        if self._turns.is_running:
            self._agent.peer.cancel()  # an agent that outlives us for a moment must not go on working (FIELD A15)
        self._shut()
        order.done.set_result(reset_text(order) + dropped)
        deed = "taken to another session" if order.memory else "reset"
        return Ending(f"The conversation was {deed} by {order.by.name or order.by.id}.")

    def _obey_close(self, order: Close) -> Ending | None:
        self._closing = order
        self.mailbox.refuse()
        order.done.set_result("Closing.")
        if self.mailbox.state not in (State.BUSY, State.CANCELLING):
            return Ending(order.reason)
        self._close_at = self._clock.monotonic() + order.grace
        return None

    def _cancel(self, outcome: Outcome, reason: str) -> None:
        turn = self._turns.latest
        if self.mailbox.state is State.BUSY and turn is not None and not turn.is_over:
            turn.cancel(outcome, reason)
            self._become(Event.CANCEL)
            self._agent.listen()

    def _drop(self, order: Cancel | Reset) -> str:
        """Show on messages that nobody will answer them, and say how many those are."""
        for note in order.dropped:
            self._hooks.on_drop(note)
        tell_dropped({self.conversation.platform: self._port}, order.dropped, order.by)
        return dropped_text(order.dropped)

    # ---- session thread only: what others see ----

    def _become(self, event: Event) -> None:
        self.mailbox.move(event)
        self._publish(force=True)

    def _shut(self) -> None:
        self.mailbox.shut()
        patience = DELIVERY + self._house.config.pool.hung_grace_secs
        self._leave_by = min(self._leave_by, self._clock.monotonic() + patience)
        self._publish(force=True)

    def _publish(self, *, force: bool = False) -> None:
        """Replace the snapshot if something that it shows has changed."""
        now, agent, answering = self.snapshot, self._agent, self._turns.latest
        waiting, asked = len(self.mailbox.waiting()), 0 if answering is None else answering.questions
        aged = self._active_at - now.last_activity >= 1.0
        if not (force or agent.changed or aged or waiting != now.inbox or asked != now.questions):
            return
        agent.changed = False
        moment = Moment(waiting, self._active_at, self._leave_by, self._judge.standing)
        self.snapshot = portrait(self.conversation, self.mailbox.state, agent, answering, moment)
        if self.snapshot.title and self.snapshot.title != now.title:
            name(self._port, self.conversation, self.snapshot.title)
