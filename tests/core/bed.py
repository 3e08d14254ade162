"""A whole house for tests: the real app, pool, sessions and agent processes, on the fake platform.

`Bed` is a context manager; leaving it stops everything and checks that the platform saw no rule broken. With a
`FakeClock` time stands still until `pass_time`, which also wakes every session.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from openab_sync.acp import events as acp
from openab_sync.app import App
from openab_sync.clock import Clock, SystemClock
from openab_sync.config.live import Live
from openab_sync.config.schema import AgentConfig, Config
from openab_sync.core.audit import NO_AUDIT, Audit
from openab_sync.core.broker import Receipt
from openab_sync.core.commands import CommandAnswer
from openab_sync.core.house import Register, SessionSnapshot
from openab_sync.core.ledger import UNWRITTEN, Ledger
from openab_sync.core.memories import Shelf
from openab_sync.core.message import Conversation, Inbound, MessageRef, Person
from openab_sync.core.pool import SessionPool
from openab_sync.core.port import Limits, Notice, TurnEnded, TurnEvent, TurnStarted
from openab_sync.core.retention import Retention
from openab_sync.core.session import Session
from openab_sync.core.state import State
from tests.fakes import fake_agent
from tests.fakes.clock import FakeClock
from tests.fakes.platform import FakePlatform
from tests.waiting import until

__all__ = ["ANN", "BOB", "EVENTS", "Bed", "place", "received"]

ANN, BOB = Person("ann", "Ann"), Person("bob", "Bob")
EVENTS = Limits(live="events", typing_interval=None, reactions=False)
PLATFORM = "test"


def place(name: str = "1") -> Conversation:
    """A conversation of the fake platform."""
    return Conversation(PLATFORM, name)


class Bed:
    """A house with the fault agent in it. `settings` are sections of the configuration: `pool={"max_sessions": 1}`."""

    def __init__(
        self,
        *flags: str,
        clock: Clock | None = None,
        limits: Limits = EVENTS,
        quota: dict[str, Any] | None = None,
        command: Sequence[str] | None = None,
        ledger: Ledger = UNWRITTEN,
        register: Register | None = None,
        audit: Audit = NO_AUDIT,
        shelf: Shelf | None = None,
        retention: Retention | None = None,
        **settings: dict[str, Any],
    ) -> None:
        program, *args = command or fake_agent(*flags)
        sections = {"agent": {"command": program, "args": args, **settings.pop("agent", {})}, **settings}
        sections["limits"] = quota or {}
        sections["pool"] = {"shutdown_grace_secs": 0, "cancel_grace_secs": 5, **sections.get("pool", {})}
        self.config = msgspec.convert(sections, Config)
        self.clock = clock or SystemClock()
        self.port = FakePlatform(self.clock, limits, threaded=True)
        ports = {PLATFORM: self.port}
        self.live = Live(self.config)
        more: dict[str, Any] = {"register": register, "audit": audit, "shelf": shelf, "ledger": ledger}
        more["retention"] = retention
        self.app = App(self.live, ports, environ=os.environ, clock=self.clock, **more)
        self.broker = self.app.broker
        self._count = 0

    def __enter__(self) -> Self:
        self.app.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        stopped = self.app.stop()
        self.port.close()
        if kind is None:
            assert stopped
            assert not self.port.violations, self.port.violations

    @property
    def agent(self) -> AgentConfig:
        return self.config.agent

    @property
    def pool(self) -> SessionPool:
        return self.app._pool

    # What people do.

    def say(self, text: str, to: str = "1", by: Person = ANN) -> Receipt:
        """Write a message; messages are numbered m1, m2 … in the order in which they are written."""
        self._count += 1
        return self.broker.receive(Inbound(MessageRef(place(to), f"m{self._count}"), by, text))

    def ask(self, text: str, to: str = "1", by: Person = ANN) -> TurnEnded:
        """Write a message and wait for the end of its turn."""
        before = len(self.ends(to))
        receipt = self.say(text, to, by)
        assert receipt.state != "refused", receipt
        return until(lambda: self.ends(to)[before:], what=f"the turn of {text!r} ends")[0]

    def command(self, name: str, argument: str = "", at: str = "1", by: Person = ANN) -> CommandAnswer:
        """Give a command and wait for its answer."""
        return self.order(name, argument, at, by).result(20)

    def order(self, name: str, argument: str = "", at: str = "1", by: Person = ANN) -> Future[CommandAnswer]:
        return self.broker.command(place(at), name, argument, by)

    def renew(self, **settings: dict[str, Any]) -> None:
        """Have another configuration apply from now on: keys of sections, as for the bed itself."""
        sections = {
            name: msgspec.structs.replace(getattr(self.config, name), **keys) for name, keys in settings.items()
        }
        self.live.renew(msgspec.structs.replace(self.config, **sections))
        self.app.renewed()

    def pass_time(self, seconds: float) -> None:
        """Let the fake clock go on, and everybody look at it."""
        assert isinstance(self.clock, FakeClock)
        self.clock.advance(seconds)
        self.wake_all()

    def wake_all(self) -> None:
        """Make every session look at the clock again."""
        for session in self.pool._rooms.every():
            session.mailbox.ring()

    def tick(self, predicate: Callable[[], object], step: float = 0.1) -> None:
        """Let the fake clock go on, a step at a time, until something is so."""

        def look() -> object:
            self.pass_time(step)
            return predicate()

        until(look)

    # What they see.

    def events(self, at: str = "1") -> list[TurnEvent]:
        return [event for conversation, event in list(self.port.events) if conversation == place(at)]

    def text(self, at: str = "1") -> str:
        """All that the agent has said in a conversation."""
        return "".join(event.text for event in self.events(at) if isinstance(event, acp.Said))

    def notices(self, at: str = "1") -> list[str]:
        return [event.text for event in self.events(at) if isinstance(event, Notice)]

    def ends(self, at: str = "1") -> list[TurnEnded]:
        return [event for event in self.events(at) if isinstance(event, TurnEnded)]

    def starts(self, at: str = "1") -> list[TurnStarted]:
        return [event for event in self.events(at) if isinstance(event, TurnStarted)]

    def until_text(self, text: str, at: str = "1") -> None:
        until(lambda: text in self.text(at), what=f"{text!r} in conversation {at}")

    # What the house looks like.

    def snapshot(self, at: str = "1") -> SessionSnapshot:
        """How a conversation's session looks; a CLOSED one if it has none."""
        found = [item for item in self.broker.snapshot().sessions if item.conversation == place(at)]
        return found[0] if found else SessionSnapshot(place(at), State.CLOSED)

    def state(self, at: str = "1") -> State:
        return self.snapshot(at).state

    def until_state(self, state: State, at: str = "1") -> None:
        until(lambda: self.state(at) is state, what=f"conversation {at} is {state}")

    def session(self, at: str = "1") -> Session:
        """The session that takes the conversation's messages."""
        return self.pool._rooms.open[place(at).key]


def received(log: Path) -> list[dict[str, Any]]:
    """What the agent's `--log` file holds: every message it got, in order."""
    return [msgspec.json.decode(line) for line in log.read_bytes().splitlines()] if log.exists() else []
