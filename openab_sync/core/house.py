"""What a session is given, what it shows while it lives, and what it leaves behind: plain data.

`House` is everything a session needs of the world; the pool makes one per conversation. `SessionSnapshot` is published
by the session's thread and read by anyone without a lock. `Memory` (the store's) outlives a session: with it the next
one takes the conversation up again.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol, TypeVar

from ..acp.events import Command, Option, StoredSession
from ..acp.process import Launch
from ..acp.schema import McpServer
from ..clock import Clock
from ..config.agents import Preset
from ..config.live import Live
from ..config.schema import Config
from ..errors import AgentError, OpenabError
from ..media.outbox import Outbox, Outboxes
from ..store import Memory
from ..text.redact import Redactor
from ..threads import Beat
from .audit import NO_AUDIT, Audit
from .budget import Budget, unconfigured
from .figures import Observe, unobserved
from .hourglass import Hourglass, unwatched
from .judging import Standing
from .ledger import UNWRITTEN, Ledger
from .message import Conversation, Inbound, MessageRef, Person
from .pacer import Pacer
from .port import ChatPort, Decision
from .retention import Retention
from .state import State
from .transcript import TurnSeen

if TYPE_CHECKING:
    from .arrears import Arrears
    from .session import Session

__all__ = [
    "Cancel",
    "Close",
    "Decide",
    "Farewell",
    "Hooks",
    "House",
    "HouseSnapshot",
    "Lease",
    "ListSessions",
    "Memory",
    "Open",
    "Order",
    "Placement",
    "Register",
    "Reset",
    "SessionPage",
    "SessionSnapshot",
    "SetOption",
    "Stand",
    "Usage",
    "promise",
]


class Hooks(Protocol):
    """What a session tells the pool. On the session's own thread, with no lock held."""

    def on_idle(self, session: Session) -> None:
        """It has nothing to do."""

    def on_memory(self, session: Session, memory: Memory) -> None:
        """So it can be taken up again, from now on: whatever ends it."""

    def on_end(self, session: Session, farewell: Farewell) -> None:
        """Its thread's last act."""

    def on_drop(self, note: Inbound) -> None:
        """A message that waited will not be answered, because somebody ordered so."""


class Register(Protocol):
    """Where processes are entered, so that those that outlive their broker are found. Any thread; never blocks."""

    def began(self, marker: str, pid: int, started: int) -> None:
        """An agent has been started: `marker` is in its environment, `started` its start time in ticks since boot."""

    def ended(self, marker: str) -> None:
        """It has ended, and been reaped."""


@dataclass(frozen=True, slots=True)
class House:
    """What every session is given. `launch` says how to start the agent in a folder ("": the configured one).

    `redact` takes secrets out of whatever leaves. `advice` says what to do about an agent's error, " " first, or "".
    `agent_id` tells one agent from another, whatever they are called: what one remembers, no other is asked for.
    """

    live: Live
    clock: Clock
    launch: Callable[[str], Launch]
    agent_name: str
    redact: Redactor
    mcp_servers: tuple[McpServer, ...] = ()
    advice: Callable[[AgentError], str] = lambda _: ""
    preset: Preset | None = None  # what is known about this agent
    agent_id: str = ""
    pacer: Pacer | None = None  # without one, sessions read their agents more often
    register: Register | None = None  # without one, an agent that outlives its broker is found by nobody
    audit: Audit = NO_AUDIT
    retention: Retention | None = None  # without one, nothing of what is said outlives the process
    budget: Budget = field(default_factory=unconfigured)
    ledger: Ledger = UNWRITTEN
    hourglass: Hourglass = field(default_factory=unwatched)  # what is waited for on the disk, and no longer than that
    observe: Observe = unobserved
    faulted: Callable[[Conversation, str], object] = lambda _conversation, _text: None  # a session ended by a fault
    arrears: Arrears | None = None  # without it, what the chat has not taken waits for the next start
    outboxes: Outboxes | None = None  # without them no file leaves but what stands in an answer itself

    def owe(self, conversation: Conversation, turns: Sequence[str]) -> None:
        """Have replies brought out that are not out, and that nobody looks after any more. Any thread; never blocks."""
        if self.arrears is not None:
            self.arrears.owe(conversation, turns)

    def owe_refusal(self, note: Inbound, text: str) -> None:
        """Have somebody told that their message is refused who does not know yet. Any thread; never blocks."""
        if self.arrears is not None:
            self.arrears.owe_refusal(note, text)

    def outbox(self, conversation: Conversation) -> Outbox | None:
        """Return what files of a conversation leave by, None where they do not."""
        return None if self.outboxes is None else self.outboxes.of(conversation.key)

    @property
    def names(self) -> tuple[str, ...]:
        """What the agent is called by us: its title, its preset's name, its program. What it says itself is no name."""
        program = os.path.basename(self.config.agent.command)
        return (self.agent_name, *([self.preset.name] if self.preset else []), *([program] if program else []))

    @property
    def config(self) -> Config:
        """The configuration as it is now: read where it is used, not kept."""
        return self.live.config


@dataclass(frozen=True, slots=True)
class Lease:
    """What one session is given: where it speaks, whom it reports to, what it remembers, what it begins with."""

    port: ChatPort
    hooks: Hooks
    memory: Memory
    notes: Sequence[Inbound] = ()


@dataclass(frozen=True, slots=True)
class Farewell:
    """What a session leaves: messages it did not begin, how to go on (None: forget), and why it ended if by a fault."""

    leftovers: tuple[Inbound, ...] = ()
    memory: Memory | None = None
    error: OpenabError | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """What a session has used so far, as the agent tells it; None and "" for what it does not tell."""

    used: int | None = None  # tokens in its context …
    size: int | None = None  # … of so many
    cost: float | None = None
    currency: str = ""
    output_tokens: int | None = None  # produced in all turns
    turns: int = 0  # that have ended


NO_BEAT = Beat("nobody")


@dataclass(frozen=True, slots=True)
class SessionSnapshot:
    """How a session looked a moment ago. Moments are monotonic seconds of the house's clock."""

    conversation: Conversation
    state: State
    agent: str = ""
    pid: int | None = None
    inbox: int = 0
    turn_started: float | None = None
    overdue_at: float = math.inf  # past this moment its room is given away
    last_activity: float = 0.0
    tool: str = ""
    questions: int = 0
    options: tuple[Option, ...] = ()
    commands: tuple[Command, ...] = ()
    title: str = ""
    usage: Usage = Usage()
    cwd: str = ""
    beat: Beat = field(default=NO_BEAT, repr=False, compare=False)  # shows that its thread lives
    turns: tuple[TurnSeen, ...] = field(default=(), repr=False)  # the last ones, the running one included
    standing: tuple[Standing, ...] = ()  # rules of this session, and what the agent remembers itself
    acp_session_id: str | None = field(default=None, repr=False)  # whoever knows it can resume the session


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a message went. accepted: it is next; queued: others of its conversation come first; waiting: for room."""

    state: Literal["accepted", "queued", "waiting"]
    position: int = 1


@dataclass(frozen=True, slots=True)
class HouseSnapshot:
    """How the house looked a moment ago; `waiting` are the conversations in the line, first come first."""

    sessions: tuple[SessionSnapshot, ...]
    waiting: tuple[str, ...]


# What people and the pool can order. Each is answered through its Future: a sentence, or the error.


T = TypeVar("T")


def promise() -> Future[T]:
    """Return a Future that whoever waits for it cannot cancel: the session that completes it must not stumble."""
    future: Future[T] = Future()
    future.set_running_or_notify_cancel()
    return future


@dataclass(frozen=True, slots=True)
class Cancel:
    """Stop the running turn; with `all`, drop what waits as well. While none runs: drop what comes next.

    The mailbox notes what it found when the order came, so that nothing that comes later is meant: `turn`, the number
    of the turn that ran (0: none), and `dropped`, the messages it has taken out. With `about` nothing is meant but that
    message, whether it waits or is being answered; with `alone` a turn is let go on that answers others as well.
    """

    by: Person
    all: bool = False
    done: Future[str] = field(default_factory=promise)
    turn: int = 0
    dropped: tuple[Inbound, ...] = ()
    about: MessageRef | None = None
    alone: bool = False

    @property
    def count(self) -> int | None:
        """How many of the messages that wait are meant where no turn runs; None for all."""
        return None if self.all else 0 if self.about is not None else 1


@dataclass(frozen=True, slots=True)
class Reset:
    """End the agent, drop what waits, forget the conversation. The mailbox notes what it has taken out.

    With `memory` the conversation goes on from there: another session of the agent's.
    """

    by: Person
    memory: Memory | None = None
    done: Future[str] = field(default_factory=promise)
    dropped: tuple[Inbound, ...] = ()


@dataclass(frozen=True, slots=True)
class SetOption:
    """Set one of the agent's options."""

    option_id: str
    value: str | bool
    done: Future[str] = field(default_factory=promise)


@dataclass(frozen=True, slots=True)
class Decide:
    """Take a decision about an open question that was made elsewhere than where it was put."""

    question_id: str
    decision: Decision
    done: Future[str] = field(default_factory=promise)


@dataclass(frozen=True, slots=True)
class Stand:
    """Have `new` hold until the session ends, or `gone` hold no longer."""

    new: Standing | None = None
    gone: tuple[Standing, ...] = ()
    done: Future[str] = field(default_factory=promise)


@dataclass(frozen=True, slots=True)
class SessionPage:
    """Some of the sessions an agent remembers of this folder; `cursor` asks for the next ones, "" if there are none."""

    sessions: tuple[StoredSession, ...] = ()
    cursor: str = field(default="", repr=False)
    can_resume: bool = True


@dataclass(frozen=True, slots=True)
class ListSessions:
    """Ask which sessions the agent remembers. `page` is there when `done` says that it went well."""

    cursor: str = field(default="", repr=False)
    done: Future[str] = field(default_factory=promise)
    page: Future[SessionPage] = field(default_factory=promise)


@dataclass(frozen=True, slots=True)
class Open:
    """Have an agent there: answered when it has a session."""

    done: Future[str] = field(default_factory=promise)


@dataclass(frozen=True, slots=True)
class Close:
    """End the session and keep its memory: at once when idle, after `grace` seconds and a cancel when busy.

    `is_hard`: the agent is killed now, whatever it does, and its turn with it.
    """

    reason: str
    grace: float = 0.0
    is_hard: bool = False
    done: Future[str] = field(default_factory=promise)


Order = Cancel | Reset | SetOption | ListSessions | Open | Stand | Decide | Close
