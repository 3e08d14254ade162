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
from ..errors import AgentError, OpenabError, SessionClosed
from ..threads import Beat, spawn
from .agent import LONG, Agent
from .answering import Answering
from .calls import Calls
from .ending import Ending, verdict
from .figures import Figure, cause_of
from .house import Farewell, House, Lease, Memory, Order, Reset, SessionSnapshot, Stand
from .inbox import Inbox
from .judging import Judge
from .ledger import ON_DISK
from .login import Login
from .mailbox import Mailbox
from .message import Conversation, Inbound, Person
from .notices import UNRECORDED, name, tell, tell_dropped
from .obeying import Obeying
from .port import Outcome
from .portrait import Moment, portrait
from .starting import Starting, failed, own
from .state import Event, State
from .turns import Turns
from .urgent import Doer, do

__all__ = ["Session"]

log = logging.getLogger(__name__)

BEGUN = threading.Event()  # what all have that were started: one of its own is a KiB
BEGUN.set()

LOOK = 1.0  # seconds between two looks at everything while text streams, with the first read after that
SIGNS = 5.0  # seconds for the last reactions, when the session ends
DELIVERY = 60.0  # seconds a chat service gets for the last pages of a reply
LAST_WORDS = 5.0  # seconds for them when everything ends; what is not out by then is delivered after the next start


class Session:
    """One conversation's agent and the thread that owns it. Made and started by the pool."""

    def __init__(self, conversation: Conversation, house: House, lease: Lease) -> None:
        self.conversation = conversation
        self._house = house
        self._port, self._hooks = lease.port, lease.hooks
        self._clock = house.clock
        inbox = Inbox(lambda: house.config.pool)
        inbox.restore(lease.notes)
        self.mailbox = Mailbox(conversation, inbox)
        # What is remembered now, and sentences for the head of the next reply.
        self._memory, self._notices = own(lease.memory, house)
        self._is_new = lease.memory.acp_session_id is None  # no session of the agent's is gone on with
        self._agent: Agent  # made in `start`: it needs descriptors
        self._turns = Turns(house.clock, lambda turns: house.owe(conversation, turns))
        self._judge = Judge(lambda: house.config.permissions, conversation, house.names)
        self._doer = Doer(self.cancel, lambda: self._publish(force=True))
        self._starting: Starting
        self._login: Login
        self._is_doubted = False  # the agent says that it goes on with a session, and has not shown it yet
        self._heard = 0  # events since the agent runs
        self._obeying: Obeying  # made in `start`, with the agent
        self._leave_by = math.inf  # when this thread must have ended, once it has begun to
        self._active_at = house.clock.monotonic()
        # Replaced as a whole by the session's thread, read by anyone without a lock.
        self.snapshot = SessionSnapshot(
            conversation,
            State.NEW,
            house.agent_name,
            inbox=len(lease.notes),
            last_activity=self._active_at,
            beat=Beat(f"session-{conversation}"),
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
            box, beat, folder = self.mailbox, self.snapshot.beat, self._memory.cwd
            elicits, outbox = self._port.limits(self.conversation).elicits, self._house.outbox(self.conversation)
            self._agent = Agent(self._house, folder, box.bell, box.ring, beat, elicits=elicits, outbox=outbox)
            self._obeying = Obeying(self.mailbox, self._agent, self._turns, self, self._clock)
            self.thread = spawn(f"session-{self.conversation}", self._run)
        finally:
            begun, self.begun = self.begun, BEGUN
            begun.set()

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
                self.shut()
                self._obeying.obey()  # what was left before that
        except Ending as ending:
            log.info("%s ended: %s", self.conversation, ending)
            if ending.outcome == "stalled":  # for what its agent did: before any turn a successor's would do the same
                self._confess(ending.reason)
        except AgentError as fault:  # people have been told
            log.warning("%s ended: %s", self.conversation, fault)
            error = fault
        except Exception:  # a thread's top: nothing above it could tell
            log.exception("%s ended by a bug of ours", self.conversation)
            error = OpenabError("An internal error ended the session; the log has the details.")
            self._confess("An internal error ended this turn; the log has the details.")
        finally:
            self._end(error)

    def _confess(self, reason: str) -> None:
        try:
            self._fail(reason)
        except Exception:  # still the thread's top: the bug is in the telling, only the log has it
            log.exception("%s: people could not be told", self.conversation)

    def _fail(self, reason: str) -> None:
        """Tell those whose turn it is; before any turn, whoever is first: the others each make a try of their own."""
        self.shut()
        if self._turns.latest is None and (notes := self.mailbox.take_failed()):
            self._answer(notes)
        if self._turns.latest is not None and not self._turns.latest.is_over:
            self._break_off(self._turns.latest, "failed", reason)

    def _live(self) -> None:
        pool, now = self._house.config.pool, self._clock.monotonic()
        self._leave_by = now + pool.initialize_secs + 2 * pool.new_session_secs + pool.hung_grace_secs
        self._become(Event.START)
        self._obeying.obey()  # perhaps nobody wants an agent any more
        try:
            self._agent.start()
            self._publish(force=True)  # its pid
            self._memory = replace(self._memory, cwd=self._agent.launch.cwd)
            self._judge.work_in(self._agent.launch.cwd)
            calls, peer = Calls(self._agent, self._pump, self._clock, self._say_slow), self._agent.peer
            self._login = Login(
                self.conversation, self._house, self._port, peer, self._pump, calls, self.mailbox.ring, self._turns
            )
            self._starting = Starting(peer, self._house, calls, self._keep, self._log_in_first)
            self._notices += self._starting.begin(self._memory)
            if self._starting.is_resumed:
                self._is_doubted = True
                calls.settle(lambda: self._heard, pool.drain_ms / 1000)
        except AgentError as error:
            self._fail(failed(error, self._memory, self._house))
            raise
        log.info("%s has %s, pid %s", self.conversation, self._agent.name, self._agent.pid)
        self._leave_by = math.inf
        self._become(Event.READY)
        while notes := self._next_notes():
            self._serve(notes)

    def _log_in_first(self) -> bool:
        """The agent begins nothing before somebody has logged in: those who wait first are asked to."""
        self._leave_by += self._login.patience
        return self._login(tuple(dict.fromkeys(note.sender for note in self.mailbox.waiting()[:1])))

    def _log_in(self, answering: Answering) -> None:
        """The agent wants somebody to log in before it answers: those whose turn it is are asked to, and it goes on."""
        answering.patience.asking(1)
        people = tuple(dict.fromkeys(note.sender for note in answering.notes if not note.sender.is_bot))
        done = self._login(people, lambda: answering.is_cancelling)
        answering.patience.asking(0)
        if done or answering.is_cancelling:
            answering.again(())
        else:
            answering.end("failed", answering.locked)

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
            if not self._pump(answering.reply.record.start().done, ON_DISK):  # before the agent can hear of it
                notices = [*notices, UNRECORDED]
            answering.begin(notices, self._agent.mail(), is_doubted=self._is_doubted)
            self._pump(lambda: answering.is_over or answering.is_unknown or bool(answering.locked))
            if answering.is_unknown:
                answering.again(self._starting.anew(self._memory))
                self._pump(lambda: answering.is_over or bool(answering.locked))
            if answering.locked:
                self._log_in(answering)
                self._pump(lambda: answering.is_over)
            self._is_doubted = self._is_doubted and answering.turn.is_empty
            self._keep(self._memory)
            if self.mailbox.waiting():  # the next prompt waits a moment for text that is late
                self._pump(lambda: False, self._house.config.pool.drain_ms / 1000)
            self._deliver(answering)
        except (AgentError, Ending) as end:
            self.shut()  # first, then people are told
            self._break_off(answering, *verdict(end))
            raise
        if self._obeying.closing is not None:
            raise Ending(self._obeying.closing.reason)

    def _answer(self, notes: tuple[Inbound, ...]) -> Answering:
        house, port, peer, ring, judge = self._house, self._port, self._agent.peer, self.mailbox.ring, self._judge
        before, is_new = self._agent.usage, self._is_new
        return self._turns.begin(
            lambda floor: Answering(
                notes, house, port, peer, ring, judge=judge, floor=floor, before=before, is_new=is_new
            )
        )

    def _break_off(self, answering: Answering, outcome: Outcome, reason: str) -> None:
        """The agent's life is over: end its process, then tell people, with what had been said so far."""
        self._agent.stop()
        answering.end(outcome, reason)
        self._deliver(answering)

    def _deliver(self, answering: Answering) -> None:
        """Wait until the reply is out; a chat that does not answer cannot hold the conversation up for ever."""
        answering.finish()
        is_out = self._pump(lambda: answering.is_delivered, DELIVERY, last=LAST_WORDS)
        if not is_out:
            log.warning("%s: the reply was not delivered in time", self.conversation)
            self._turns.renew_floor()
        # Nobody will look after the last reactions later; in a chat that does not answer they are not waited for.
        if self.mailbox.is_shut and (is_out or self._obeying.closing is None):
            self._pump(lambda: answering.is_quiet and self._turns.is_quiet, SIGNS)

    def _end(self, error: OpenabError | None) -> None:
        """The thread's last act: nothing of the agent is left, and the pool has what remains."""
        self._agent.stop()
        self._turns.hand_over()
        leftovers, orders = self.mailbox.close()
        self._publish(force=True)
        self._obeying.refuse(orders, error or SessionClosed(f"{self.conversation} ended before it could obey"))
        memory = None if self.mailbox.is_abandoned else self._memory
        if error is not None:
            self._house.observe(Figure.CRASH, 1, cause_of(error))
            self._house.faulted(self.conversation, error.user_text())
        self._hooks.on_end(self, Farewell(leftovers, memory, error))

    def _keep(self, memory: Memory) -> None:
        """Remember this from now on, whatever becomes of us, with what people have chosen since."""
        self._memory = replace(memory, options=self._chosen(memory), used=self._clock.time())
        self._hooks.on_memory(self, self._memory)

    def _chosen(self, memory: Memory) -> tuple[tuple[str, str | bool], ...]:
        """What people have chosen, the newest last: set again in that order, it comes to the same."""
        now = self._agent.chosen
        return (*(item for item in memory.options if item[0] not in now), *now.items())

    # ---- session thread only: the one wait ----

    def _pump(self, done: Callable[[], bool], seconds: float | None = None, *, last: float = math.inf) -> bool:
        """Obey, tend, wait and hear until `done`; False if `seconds` ran out first.

        `last`: so many seconds at most from when the house is closing. Raise AgentError when the agent ends or
        misbehaves, Ending when an order ends the session.
        """
        deadline = Deadline(self._clock, seconds)
        due_at = look_at = -math.inf
        while True:
            now = self._clock.monotonic()
            # Else it is only text that streams: no news for anything else.
            if now >= due_at or now >= look_at or self._agent.stirred:
                self._obeying.obey()
                self._agent.tend()
                for due, answering in self._turns.tend():
                    do(due, answering, self._agent, self._house.config.pool, self._doer)
                self._publish()
                if done():
                    return True
                if self._obeying.closing is not None:
                    deadline, last = min(deadline, Deadline(self._clock, last), key=lambda one: one.at), math.inf
                if deadline.expired:
                    return False
                due_at = min(deadline.at, self._obeying.close_at, self._agent.next_at(), self._turns.next_at())
                look_at, now = math.inf, self._clock.monotonic()
            coast = self._turns.pace if self.mailbox.state is State.BUSY else 0.0
            events = self._agent.wait(max(0.0, due_at - now), coast=coast)
            if events:
                self._turns.take(events, self._agent.peer)
                self._heard += len(events)
                self._active_at = self._clock.monotonic()
                look_at = min(look_at, self._active_at + LOOK)
                due_at = min(due_at, look_at + LONG, self._turns.draws_at())

    # ---- session thread only: orders, see `obeying` ----

    def cancel(self, outcome: Outcome, reason: str) -> None:
        """End the running turn so, if there is one."""
        turn = self._turns.latest
        if self.mailbox.state is State.BUSY and turn is not None and not turn.is_over:
            turn.cancel(outcome, reason)
            self._become(Event.CANCEL)
            self._agent.listen()

    def say(self, text: str) -> None:
        """Tell the conversation."""
        tell(self._port, self.conversation, text)

    def stand(self, order: Stand) -> None:
        """Rules hold for the rest of the session, or do not any more."""
        self._judge.change(order.new, order.gone)
        self._publish(force=True)

    def drop(self, notes: tuple[Inbound, ...], by: Person) -> None:
        """These messages will not be answered: show it, and tell their authors."""
        for note in notes:
            self._hooks.on_drop(note)
        tell_dropped({self.conversation.platform: self._port}, notes, by)

    # ---- session thread only: what others see ----

    def _become(self, event: Event) -> None:
        self.mailbox.move(event)
        self._publish(force=True)

    def shut(self) -> None:
        """Take no more messages, and end within bounds."""
        self.mailbox.shut()
        patience = DELIVERY + self._house.config.pool.hung_grace_secs
        self._leave_by = min(self._leave_by, self._clock.monotonic() + patience)
        self._publish(force=True)

    def _publish(self, *, force: bool = False) -> None:
        """Replace the snapshot if something that it shows has changed."""
        before, latest = self.snapshot, self._turns.latest
        self._agent.changed = self._agent.changed or force
        told = (self._leave_by, self._judge.standing, self._turns.seen())
        moment = Moment(len(self.mailbox.waiting()), self._active_at, *told)
        self.snapshot = portrait(before, self.mailbox.state, self._agent, latest, moment)
        if self.snapshot is not before and self._chosen(self._memory) != self._memory.options:
            self._keep(self._memory)
        if self.snapshot.title and self.snapshot.title != before.title:
            name(self._port, self.conversation, self.snapshot.title)
