"""The agent, as its session sees it: one process, one peer, one wait that returns what concerns a turn.

What does not concern a turn ends here: answers that `expect` waits for, options that people set, noise. Session thread
only; it blocks in `wait`, in `start` (Popen) and in `stop` (the kill ladder, bounded). No locks.

**Pace.** While text streams, it is collected for a while before anything is made of it: PACE seconds are so few that
nobody sees text later for it; where people see the answer grow by edits, which come far more rarely, LONG seconds do as
well. While few sessions stream, each reads what there is and only looks whether there is a question or an answer in it,
which are then heard at once. That takes 30 µs a chunk, too much for a hundred streams: among many the kernel collects,
and the pacer wakes us if the agent pauses, as it does when it asks or has answered; if it streams on meanwhile, that
waits for LONG seconds at most. A read of MUCH bytes or more is followed by the next at once.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import replace

from ..acp import events as acp
from ..acp.connection import Connection
from ..acp.convert import stored_sessions
from ..acp.kin import identify
from ..acp.peer import AcpPeer, error_from
from ..acp.process import kill_now
from ..clock import Deadline
from ..errors import AgentError, AgentGone, AgentRefused, AgentStalled
from ..media.outbox import Outbox
from ..text.clean import plain
from ..threads import Beat, Bell
from ..version import VERSION
from .asking_mode import mode_of
from .figures import Figure
from .house import House, ListSessions, SessionPage, SetOption, Usage
from .mail import Mail
from .noise import NoiseLog
from .pacer import Pipe
from .tally import tallied

__all__ = ["LONG", "PACE", "Agent"]

PACE = 0.05  # seconds
LONG = 0.25
PAUSE = 0.045  # of an agent that is read by ourselves: less than PACE, more than between 23 chunks a second
MUCH = 32 * 1024  # bytes
TITLE = 1000  # characters of a session's title that are kept
WORK = 30.0  # seconds in which a session comes back to its one wait, whatever it does
TEXT: frozenset[type] = frozenset({acp.Said, acp.Thought})
NEWS = TEXT | {acp.ToolChanged}  # what is always a turn's, and nearly all there is


class Agent:
    """One agent process and what is open between it and us."""

    __slots__ = ("_asked", "_awaited", "_beat", "_clock", "_connection", "_house", "_is_entered", "_is_told",
                 "_known_id", "_listen_at", "_name", "_noise", "_observe", "_outbox", "_pacer", "_pipe", "_redact",
                 "_wake", "changed", "chosen", "launch", "peer", "stirred", "title", "usage")  # fmt: skip

    def __init__(
        self,
        house: House,
        cwd: str,
        bell: Bell,
        wake: Callable[[], None],
        beat: Beat | None = None,
        *,
        elicits: tuple[str, ...] = (),
        outbox: Outbox | None = None,
    ) -> None:
        """`wake` rings the bell, from any thread; `beat` is that of the session's.

        `elicits`: of "form" and "url", what can be put to people. What is in `outbox` leaves.
        """
        self.launch = house.launch(cwd)
        if outbox is not None:
            self.launch = replace(self.launch, outbox=str(outbox.folder))
        self.peer = AcpPeer(version=VERSION, elicits=elicits)
        self.chosen: dict[str, str | bool] = {}  # options people set, in order
        self.title = ""
        self.usage = Usage()
        self.changed = True  # something that a snapshot shows
        self.stirred = True  # the last wait ended with more than text: the bell, or news of another kind
        self._connection = Connection(self.launch, self.peer, bell, house.clock, redact=self.hide)
        self._name = house.agent_name
        self._outbox = outbox
        self._is_told = False  # it knows of the outbox
        self._clock = house.clock
        self._house = house
        self._awaited: dict[int, acp.Answered | acp.Failed | None] = {}
        self._asked: dict[int, tuple[SetOption | ListSessions, Deadline]] = {}  # what people wait for
        self._redact = house.redact
        self._observe = house.observe
        self._known_id: str | None = None  # the session's, that `_redact` hides
        self._noise = NoiseLog(house.clock, self.hide)
        self._listen_at = 0.0  # real monotonic seconds: the pipes do not know an injected clock
        self._pacer = house.pacer
        self._wake = wake
        self._beat = beat or Beat("session")
        self._pipe = Pipe(-1, wake)  # until there is one
        self._is_entered = False

    @property
    def name(self) -> str:
        """What people call it: its own title, else its configured name."""
        return self.peer.agent_title or self.peer.agent_name or self._name

    @property
    def pid(self) -> int | None:
        return self._connection.process.pid

    def hide(self, text: str) -> str:
        """Return a text without secrets; the id of its session is one: whoever knows it can resume it."""
        if self._known_id != self.peer.session_id:
            self._known_id = self.peer.session_id
            self._redact = self._redact.also(self._known_id or "")
        return self._redact(text)

    # A life.

    def start(self) -> None:
        """Start the process. Raise AgentStartError."""
        if self._outbox is not None:
            self._outbox.open()
        self._connection.start()
        self._pipe = Pipe(self._connection.process.stdout, self._wake)
        self._enter()

    def _enter(self) -> None:
        """Have it found by the next broker, should this one be killed."""
        process, register = self._connection.process, self._house.register
        kin = identify(process.pid) if register is not None and process.pid is not None else None
        if register is not None and kin is not None:  # it may have ended by now
            register.began(process.marker, kin.pid, kin.started)
            self._is_entered = True

    def _cross_out(self) -> None:
        process, register = self._connection.process, self._house.register
        if self._is_entered and register is not None and process.has_exited():  # else it is stuck, and stays in
            self._is_entered = False
            register.ended(process.marker)

    def wait(self, timeout: float, *, coast: float) -> list[acp.Event]:
        """Wait for the agent, the bell or `timeout` seconds; return the events that concern a turn.

        `coast`: for so many seconds text may be left to the kernel. Raise AgentGone, AgentStalled, AgentProtocolError.
        """
        pause = self._listen_at - time.monotonic() if coast and not self._pipe.has_paused else 0.0
        self._beat.rests()
        events = self._connection.wait(timeout) if pause <= 0 else self._collect(min(timeout, pause))
        self._beat.owes(time.monotonic(), WORK)
        if self._connection.last_read:
            self._pipe.was_read()
        kinds = set(map(type, events))
        only_text = kinds <= TEXT
        self.stirred = self._connection.rang or not only_text
        if events:
            self.listen()
            if only_text and self._connection.last_read < MUCH:
                self._listen_at = time.monotonic() + (coast if self._pacer else min(coast, PACE))
        return self._sort(events, kinds)

    def _collect(self, seconds: float) -> list[acp.Event]:
        """Have text collected, by ourselves or among many by the kernel, until it is time or the agent pauses."""
        if self._pacer is not None and not self._pacer.is_crowded:
            self._pacer.count(self._pipe)
            events = self._connection.hoard(seconds, PAUSE)
            self._pipe.is_streaming = False
            return events
        if self._pacer is not None:  # in any case counted, or a crowd would be none as soon as it is known to be one
            (self._pacer.watch if seconds > PACE else self._pacer.count)(self._pipe)
        events = self._connection.wait(seconds, listen=False)
        self._pipe.is_collected = self._pipe.is_streaming = False
        if not events and (self._pipe.has_paused or time.monotonic() >= self._listen_at):
            return self._connection.hear()
        return events  # somebody rang, or something else is due

    def listen(self) -> None:
        """Read at the next wait: what comes next is not only text."""
        self._listen_at = 0.0

    @property
    def is_dead(self) -> bool:
        """The process was started and has ended: looked at, not remembered."""
        return self.pid is not None and self._connection.process.has_exited()

    def check(self) -> None:
        """Look whether the process still lives; raise AgentGone if not."""
        if self.is_dead:
            raise self.blame(AgentGone, f"the agent has ended ({self._connection.process.exit_text()})")

    def next_at(self) -> float:
        """The moment (monotonic seconds) at which `tend` wants to be called."""
        return min((deadline.at for _, deadline in self._asked.values()), default=math.inf)

    def tend(self) -> None:
        """Tell people whose order the agent did not answer in time; an answer that comes later is dropped."""
        for request_id, (order, deadline) in list(self._asked.items()):
            if deadline.expired:
                del self._asked[request_id]
                self.peer.abandon(request_id)
                order.done.set_exception(self.blame(AgentStalled, "the agent did not answer in time"))

    def mail(self) -> Mail | None:
        """Return the outbox for the next turn, None without one. The agent is told of it once."""
        is_first, self._is_told = not self._is_told, True
        return None if self._outbox is None else Mail(self._outbox, is_first=is_first)

    def kill(self) -> None:
        """Kill the process and its like now, without a grace; `stop` has to follow."""
        kill_now(self.pid)

    def stop(self) -> None:
        """End the process, whatever it does; people who wait for an answer of its are told. Idempotent, bounded."""
        self._pipe.end()
        self._connection.end()
        self._cross_out()
        for order, _ in self._asked.values():
            order.done.set_exception(AgentGone("the agent ended before it could answer this"))
        self._asked.clear()

    def blame(self, kind: type[AgentError], message: str) -> AgentError:
        """Return an error that carries the agent's command, pid and last words."""
        connection = self._connection
        return kind(message, command=self.launch.command, pid=self.pid, stderr=connection.stderr)

    # Requests.

    def expect(self, request_id: int) -> Callable[[], bool]:
        """Keep the answer to a request of ours; return what tells whether it is there."""
        self._awaited[request_id] = None
        return lambda: self._awaited[request_id] is not None

    def answer(self, request_id: int) -> acp.Answered:
        """Return the answer that `expect` kept. Raise AgentRefused or AuthRequired if it is an error."""
        answer = self._awaited.pop(request_id)
        if isinstance(answer, acp.Failed):
            raise self._refusal(answer)
        assert answer is not None
        return answer

    def _refusal(self, answer: acp.Failed) -> AgentRefused:
        """Return the error that an error answer is, with the agent's name and last words."""
        error = error_from(answer, self.peer.auth_methods)
        error.command, error.pid, error.stderr = self.launch.command, self.pid, self._connection.stderr
        return error

    def give_up(self, request_id: int) -> None:
        """Wait no longer for an answer; one that comes later is dropped."""
        if self._awaited.pop(request_id, None) is None:
            self.peer.abandon(request_id)

    def set(self, order: SetOption) -> None:
        """Ask for an option to be set; the order is answered when the agent answers."""
        try:
            request_id = self.peer.set_option(order.option_id, order.value)
        except AgentRefused as error:
            order.done.set_exception(error)
        else:
            self._asked[request_id] = order, Deadline(self._clock, self._house.config.pool.request_secs)

    def list_sessions(self, order: ListSessions) -> None:
        """Ask for the sessions that the agent remembers of its folder; the order is answered when the agent answers."""
        if not self.peer.capabilities.list:
            order.done.set_exception(AgentRefused(f"{self.name} does not tell which sessions it remembers."))
            return
        request_id = self.peer.list_sessions(self.launch.cwd or None, order.cursor or None)
        self._asked[request_id] = order, Deadline(self._clock, self._house.config.pool.request_secs)

    # What concerns no turn.

    def _sort(self, events: list[acp.Event], kinds: AbstractSet[type]) -> list[acp.Event]:
        if kinds <= NEWS:
            self.changed = self.changed or not kinds <= TEXT
            return events
        ours: list[acp.Event] = []
        for event in map(self._clean, events):
            match event:
                case acp.Said() | acp.Thought():
                    ours.append(event)
                case acp.Noise():
                    self._noise(self.launch.name, event)
                case acp.Answered() | acp.Failed() if event.id in self._awaited:
                    self._awaited[event.id] = event
                case acp.Answered() | acp.Failed() if event.id in self._asked:
                    self._was_answered(self._asked.pop(event.id)[0], event)
                case acp.OptionsChanged() | acp.CommandsChanged():
                    self.changed = True
                case _:
                    if isinstance(event, acp.UsageChanged | acp.Answered | acp.Failed):
                        before, self.usage = self.usage.cost or 0.0, tallied(self.usage, event)
                        if self.usage.cost and self.usage.cost > before:
                            self._observe(Figure.COST, self.usage.cost - before, self.usage.currency)
                    self.title = event.title[:TITLE] if isinstance(event, acp.SessionInfo) else self.title
                    self.changed = True
                    ours.append(event)
        return ours

    def _clean(self, event: acp.Event) -> acp.Event:
        """The text of an error is for people: without what the agent was given to log in with."""
        if not isinstance(event, acp.Failed):
            return event
        return replace(event, message=self.hide(plain(event.message)))

    def _was_answered(self, order: SetOption | ListSessions, answer: acp.Answered | acp.Failed) -> None:
        self.changed = True
        if isinstance(answer, acp.Failed):
            order.done.set_exception(self._refusal(answer))
            return
        if isinstance(order, ListSessions):
            order.page.set_result(self._page(answer))
            order.done.set_result("")
            return
        self.chosen.pop(order.option_id, None)  # the newest is set last when all of it is set again
        self.chosen[order.option_id] = order.value
        order.done.set_result(f"{order.option_id} is {_word(order.value)} now.{self._mode_advice(order)}")

    def _mode_advice(self, order: SetOption) -> str:
        """Return what people should know who have taken the agent out of the mode in which it asks."""
        house, mode = self._house, mode_of(self.peer.options)
        asking = house.preset.ask_mode if house.preset is not None else None
        if house.config.permissions.mode != "ask" or mode is None or mode.id != order.option_id:
            return ""
        is_other = any(choice.value == asking for choice in mode.choices) and order.value != asking
        return f" Only in {asking} is it known to ask before it acts." if is_other else ""

    def _page(self, answer: acp.Answered) -> SessionPage:
        """Those of our folder only, whatever the agent lists: others' are nobody's business here."""
        found, cursor = stored_sessions(answer.result)
        here = self.launch.cwd
        ours = tuple(item for item in found if not item.cwd or not here or same_folder(item.cwd, here))
        return SessionPage(ours, cursor, self.peer.capabilities.resume or self.peer.capabilities.load)


def same_folder(one: str, other: str) -> bool:
    """Return whether two paths name one folder, by their words alone."""
    return os.path.normpath(one) == os.path.normpath(other)


def _word(value: str | bool) -> str:
    return ("on" if value else "off") if isinstance(value, bool) else value
