"""The agent, as its session sees it: one process, one peer, one wait that returns what concerns a turn.

What does not concern a turn ends here: answers that `expect` waits for, options that people set, noise. Session thread
only; it blocks in `wait`, in `start` (Popen) and in `stop` (the kill ladder, bounded). No locks.

**Pace.** While text streams, the kernel collects it for PACE seconds before it is read: waking for every chunk is what
costs (100 chunks/s need a third of the CPU that way). Text is drawn far more rarely, so nobody sees it later; a
question or an answer waits no longer than that either. A read of MUCH bytes or more is followed by the next at once.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from ..acp import events as acp
from ..acp.connection import Connection
from ..acp.peer import AcpPeer, error_from
from ..clock import Deadline
from ..errors import AgentError, AgentGone, AgentRefused, AgentStalled
from ..text.clean import plain
from ..threads import Bell
from ..version import VERSION
from .house import House, SetOption
from .noise import NoiseLog

__all__ = ["Agent"]

PACE = 0.05  # seconds
MUCH = 32 * 1024  # bytes


class Agent:
    """One agent process and what is open between it and us."""

    def __init__(self, house: House, cwd: str, bell: Bell) -> None:
        self.launch = house.launch(cwd)
        self.peer = AcpPeer(version=VERSION)
        self.chosen: dict[str, str | bool] = {}  # options people set, in order
        self.title = ""
        self.changed = True  # something that a snapshot shows
        self.stirred = True  # the last wait ended with more than text: the bell, or news of another kind
        self._connection = Connection(self.launch, self.peer, bell, house.clock, redact=house.redact)
        self._name = house.agent_name
        self._clock = house.clock
        self._patience = house.config.pool.request_secs
        self._awaited: dict[int, acp.Answered | acp.Failed | None] = {}
        self._setting: dict[int, tuple[SetOption, Deadline]] = {}
        self._redact = house.redact
        self._noise = NoiseLog(house.clock, house.redact)
        self._listen_at = 0.0  # real monotonic seconds: the pipes do not know an injected clock

    @property
    def name(self) -> str:
        """What people call it: its own title, else its configured name."""
        return self.peer.agent_title or self.peer.agent_name or self._name

    @property
    def pid(self) -> int | None:
        return self._connection.process.pid

    # A life.

    def start(self) -> None:
        """Start the process. Raise AgentStartError."""
        self._connection.start()

    def wait(self, timeout: float, *, may_coast: bool) -> list[acp.Event]:
        """Wait for the agent, the bell or `timeout` seconds; return the events that concern a turn.

        `may_coast`: text is streaming that people have begun to see. Raise AgentGone, AgentStalled, AgentProtocolError.
        """
        pause = self._listen_at - time.monotonic() if may_coast else 0.0
        if pause <= 0:
            events = self._connection.wait(timeout)
        else:
            events = self._connection.wait(min(timeout, pause), listen=False)
            if not events and time.monotonic() >= self._listen_at:  # else somebody rang, or something else is due
                events = self._connection.hear()
        only_text = all(isinstance(event, acp.Said | acp.Thought) for event in events)
        self.stirred = self._connection.rang or not only_text
        if events:
            self.listen()
            if only_text and self._connection.last_read < MUCH:
                self._listen_at = time.monotonic() + PACE
        return self._sort(events)

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
        return min((deadline.at for _, deadline in self._setting.values()), default=math.inf)

    def tend(self) -> None:
        """Tell people whose option was not set in time; an answer that comes later is dropped."""
        for request_id, (order, deadline) in list(self._setting.items()):
            if deadline.expired:
                del self._setting[request_id]
                self.peer.abandon(request_id)
                order.done.set_exception(self.blame(AgentStalled, "the agent did not answer in time"))

    def stop(self) -> None:
        """End the process, whatever it does; people who wait for an option to be set are told. Idempotent, bounded."""
        self._connection.end()
        for order, _ in self._setting.values():
            order.done.set_exception(AgentGone("the agent ended before it could set this"))
        self._setting.clear()

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
            self._setting[request_id] = order, Deadline(self._clock, self._patience)

    # What concerns no turn.

    def _sort(self, events: Sequence[acp.Event]) -> list[acp.Event]:
        ours: list[acp.Event] = []
        for event in map(self._clean, events):
            match event:
                case acp.Said() | acp.Thought():
                    ours.append(event)
                case acp.Noise():
                    self._noise(self.launch.name, event)
                case acp.Answered() | acp.Failed() if event.id in self._awaited:
                    self._awaited[event.id] = event
                case acp.Answered() | acp.Failed() if event.id in self._setting:
                    self._was_set(self._setting.pop(event.id)[0], event)
                case acp.OptionsChanged() | acp.CommandsChanged():
                    self.changed = True
                case _:
                    self.title = event.title if isinstance(event, acp.SessionInfo) else self.title
                    self.changed = True
                    ours.append(event)
        return ours

    def _clean(self, event: acp.Event) -> acp.Event:
        """The text of an error is for people: without what the agent was given to log in with."""
        if not isinstance(event, acp.Failed):
            return event
        return replace(event, message=self._redact(plain(event.message)))

    def _was_set(self, order: SetOption, answer: acp.Answered | acp.Failed) -> None:
        self.changed = True
        if isinstance(answer, acp.Failed):
            order.done.set_exception(self._refusal(answer))
            return
        self.chosen[order.option_id] = order.value
        order.done.set_result(f"{order.option_id} is {_word(order.value)} now.")


def _word(value: str | bool) -> str:
    return ("on" if value else "off") if isinstance(value, bool) else value
