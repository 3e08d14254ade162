"""A house with one kind of agent in it, and people who talk to it: the real core between a fake platform and a process.

A `Run` is one message and all that came of it, as the platform was told it (`live = "events"`). Nothing here sleeps:
what is waited for is waited for on the platform's condition.
"""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import Self

from openab_sync.acp.events import Said, ToolChanged
from openab_sync.app import App
from openab_sync.clock import SystemClock
from openab_sync.config.schema import AgentConfig, Config, PermissionsConfig, PoolConfig
from openab_sync.core.house import SessionSnapshot
from openab_sync.core.message import Conversation, Inbound, MessageRef, Person
from openab_sync.core.port import Decision, Limits, Notice, Question, TurnEnded, TurnEvent, TurnStarted
from tests.fakes.platform import FakePlatform
from tests.waiting import MS, until

__all__ = ["ANN", "Room", "Run", "agent", "option"]

ANN = Person("ann", "Ann")
EVENTS = Limits(live="events")
PATIENCE = 10_000 * MS  # seconds; the examples think for a second at every step


def agent(*command: str, folder: Path, env: dict[str, str] | None = None) -> AgentConfig:
    """The section `[agent]` for a command that works in `folder`."""
    return AgentConfig(command=command[0], args=command[1:], working_dir=str(folder), env=env or {})


def option(question: Question, kind: str) -> str:
    """The id of the first option of this kind; there must be one."""
    return next(option.option_id for option in question.options if option.kind == kind)


class Run:
    """One message and what came of it."""

    def __init__(self, room: Room, ref: MessageRef) -> None:
        self.ref = ref
        self._room = room

    @property
    def events(self) -> list[TurnEvent]:
        """From the turn's start up to the next one's, late words included; empty before it has begun."""
        events = self._all()
        starts = [(place, event.refs) for place, event in enumerate(events) if isinstance(event, TurnStarted)]
        mine = next((place for place, refs in starts if self.ref in refs), None)
        if mine is None:
            return []
        return events[mine : next((place for place, _ in starts if place > mine), None)]

    @property
    def text(self) -> str:
        """All that the agent said."""
        return "".join(event.text for event in self.events if isinstance(event, Said))

    @property
    def notices(self) -> str:
        """All that the house said."""
        return "\n".join(event.text for event in self.events if isinstance(event, Notice))

    @property
    def ended(self) -> TurnEnded | None:
        """How it ended; a turn that could not be begun has an end all the same."""
        return next((event for event in self._all() if isinstance(event, TurnEnded) and self.ref in event.refs), None)

    def tools(self) -> dict[str, ToolChanged]:
        """The tool calls by id, each as it was in the end: title, kind and status."""
        tools: dict[str, ToolChanged] = {}
        for event in self.events:
            if isinstance(event, ToolChanged):
                last = tools.get(event.call_id, event)
                tools[event.call_id] = ToolChanged(
                    event.call_id, event.title or last.title, event.kind or last.kind, event.status or last.status
                )
        return tools

    def _all(self) -> list[TurnEvent]:
        return [event for where, event in list(self._room.platform.events) if where == self.ref.conversation]

    def until_text(self, words: str) -> None:
        """Wait until the agent has said this."""
        self._room.wait(lambda: words in self.text)

    def until_end(self) -> TurnEnded:
        """Wait until the turn is over."""
        self._room.wait(lambda: self.ended is not None)
        assert self.ended is not None
        return self.ended


class Room:
    """The house from start to stop; leaving it stops it, and everything must have ended by itself."""

    def __init__(
        self,
        config: AgentConfig,
        *,
        permissions: PermissionsConfig | None = None,
        limits: Limits = EVENTS,
        pool: PoolConfig | None = None,
        patience: float = PATIENCE,
    ) -> None:
        self.platform = FakePlatform(SystemClock(), limits)
        house = Config(agent=config, permissions=permissions or PermissionsConfig(), pool=pool or PoolConfig())
        self._app = App(house, {"test": self.platform}, environ=os.environ)
        self._patience = patience
        self._ids = itertools.count(1)

    def __enter__(self) -> Self:
        self._app.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        ended = self._app.stop()
        if error is None:
            assert ended, "the house did not stop in time"
            assert not self.platform.violations

    def wait(self, fact: Callable[[], bool]) -> None:
        """Wait until something holds that the platform is told of."""
        self.platform.until(fact, self._patience)

    # What people do.

    def begin(self, text: str, conversation: str = "one") -> Run:
        """Leave a message for the agent."""
        where = Conversation("test", conversation)
        ref = MessageRef(where, f"in-{next(self._ids)}")
        receipt = self._app.broker.receive(Inbound(ref, ANN, text))
        assert receipt.state in {"accepted", "queued", "waiting"}, receipt
        return Run(self, ref)

    def say(self, text: str, conversation: str = "one") -> Run:
        """Leave a message and wait until its turn is over."""
        run = self.begin(text, conversation)
        run.until_end()
        return run

    def question(self, conversation: str = "one") -> Question:
        """Wait until a question is open in this conversation, and return it."""

        def open_ones() -> list[Question]:
            asked = list(self.platform.questions.values())
            return [
                one for one, answer in asked if one.conversation.id == conversation and not self._is_over(one, answer)
            ]

        self.wait(lambda: bool(open_ones()))
        return open_ones()[0]

    def choose(self, question: Question, kind: str) -> None:
        """Let a person choose the first option of this kind."""
        self.platform.answer(question, option(question, kind), ANN)

    def cancel(self, conversation: str = "one") -> str:
        """Order a cancel and return what was answered."""
        answer = self._app.broker.command(Conversation("test", conversation), "cancel", "", ANN)
        return answer.result(self._patience).text

    def _is_over(self, question: Question, answer: Future[Decision]) -> bool:
        return answer.done() or any(one == question for one, _ in self.platform.settled)

    # What they see.

    def session(self, conversation: str = "one") -> SessionSnapshot:
        """How the conversation's session looks."""
        sessions = self._app.broker.snapshot().sessions
        return next(one for one in sessions if one.conversation.id == conversation)

    def pid(self, conversation: str = "one") -> int:
        """The process id of the conversation's agent."""
        return until(lambda: self.session(conversation).pid, what="the agent has a process") or 0

    def kill(self, conversation: str = "one") -> int:
        """End the conversation's agent as the system would; return its process id."""
        pid = self.pid(conversation)
        os.kill(pid, signal.SIGKILL)
        return pid
