"""Ours: the real house (`App`, broker, pool, sessions) behind a platform that takes everything at once."""

from __future__ import annotations

import math
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Protocol, TypeVar

from openab_sync.acp import events as acp
from openab_sync.app import App
from openab_sync.config.limits import LimitsConfig
from openab_sync.config.schema import AgentConfig, Config, PoolConfig, ReactionsConfig
from openab_sync.core.house import Open, Reset
from openab_sync.core.message import Conversation, Inbound, MessageRef, Person
from openab_sync.core.port import ChatPort, Controls, Decision, File, Limits, Question, Seen, TurnEnded, TurnEvent
from tests.bench.sides.side import PATIENCE
from tests.bench.task import Live
from tests.waiting import until

__all__ = ["END", "Keeper", "Ours", "Platform", "Talk"]

T = TypeVar("T")
ANN = Person("ann", "Ann")
END = "END"


def _at_once(value: T) -> Future[T]:
    future: Future[T] = Future()
    future.set_result(value)
    return future


class Flag:
    """An Event in a tenth of the memory: they all share one condition, for what is measured is not this platform."""

    __slots__ = ("_is_set",)
    _news = threading.Condition()

    def __init__(self) -> None:
        self._is_set = False

    def set(self) -> None:
        with self._news:
            self._is_set = True
            self._news.notify_all()

    def clear(self) -> None:
        self._is_set = False

    def wait(self, seconds: float) -> bool:
        with self._news:
            return self._news.wait_for(lambda: self._is_set, seconds)


class Talk:
    """One conversation as the platform sees it: written by its session's thread, read by the main thread."""

    def __init__(self) -> None:
        self.begun = Flag()
        self.ended = Flag()
        self.expect()

    def expect(self) -> None:
        self.begun.clear()
        self.ended.clear()
        self.first = self.end = math.inf
        self.characters = 0
        self.pages: dict[str, str] = {}


class Platform:
    """A chat service without any latency. Pages are kept as the last edit has left them."""

    def __init__(self, live: Live) -> None:
        page = 10_000_000 if live == "once" else 2_000
        self._limits = Limits(page=page, live=live, can_ask=False, reactions=False, typing_interval=None)
        self.talks: dict[str, Talk] = {}

    def limits(self, conversation: Conversation) -> Limits:
        return self._limits

    def event(self, conversation: Conversation, event: TurnEvent) -> None:
        talk = self.talks[conversation.id]
        if type(event) is acp.Said:
            talk.characters += len(event.text)
            if talk.first == math.inf:
                talk.first = time.monotonic()
                talk.begun.set()
        elif isinstance(event, TurnEnded):
            talk.end = time.monotonic()
            talk.ended.set()

    def post(
        self,
        conversation: Conversation,
        text: str,
        *,
        reply_to: MessageRef | None = None,
        nonce: str = "",
        controls: Controls | None = None,
    ) -> Future[MessageRef]:
        talk = self.talks[conversation.id]
        ref = MessageRef(conversation, str(len(talk.pages)))
        self._show(talk, ref, text)
        return _at_once(ref)

    def edit(self, ref: MessageRef, text: str, *, controls: Controls | None = None) -> Future[None]:
        self._show(self.talks[ref.conversation.id], ref, text)
        return _at_once(None)

    def _show(self, talk: Talk, ref: MessageRef, text: str) -> None:
        talk.pages[ref.id] = text
        talk.begun.set()
        if text.endswith(END):  # the last page, as the agent's last word says
            talk.ended.set()

    def react(self, ref: MessageRef, emoji: str, on: bool) -> Future[None]:
        return _at_once(None)

    def typing(self, conversation: Conversation) -> Future[None]:
        return _at_once(None)

    def ask(self, question: Question) -> Future[Decision]:
        return Future()

    def settle(self, question: Question, text: str) -> Future[None]:
        return _at_once(None)

    def upload(self, conversation: Conversation, file: File, *, nonce: str = "") -> Future[MessageRef]:
        return _at_once(MessageRef(conversation, "file"))

    def rename(self, conversation: Conversation, title: str) -> Future[None]:
        return _at_once(None)

    def ours(self, conversation: Conversation, since: float) -> Future[Sequence[Seen]]:
        return _at_once(())

    def sign(self, ref: MessageRef, emoji: str) -> Future[None]:
        return _at_once(None)


class Keeper(ChatPort, Protocol):
    """A platform that keeps what was said."""

    @property
    def talks(self) -> dict[str, Talk]:
        """By conversation."""


class Ours:
    """A whole broker.

    `live`: "events" collects the text; "edit" draws it into pages as a chat service has them; "once" collects it as for
    a chat service, and posts it as one page at the end.
    """

    process = os.getpid()
    cold: tuple[str, ...] = (sys.executable, "-m", "openab_sync", "--help")

    def __init__(
        self,
        command: Sequence[str],
        live: Live,
        room: int,
        platform: Keeper | None = None,
        where: Callable[[int], Conversation] = lambda name: Conversation("bench", str(name)),
    ) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="openab-bench-")
        config = Config(
            agent=AgentConfig(command=command[0], args=tuple(command[1:]), working_dir=self._folder.name),
            pool=PoolConfig(max_sessions=room, shutdown_grace_secs=0, cancel_grace_secs=1),
            reactions=ReactionsConfig(enabled=False),
            limits=LimitsConfig(turn_mb=0),  # some of what is measured brings more than anybody wants
        )
        self._platform = platform or Platform(live)
        self._where = where
        self._app = App(config, {where(0).platform: self._platform}, environ=os.environ)
        self._app.start()
        self.broker = self._app.broker
        self._count = 0

    def _talk(self, name: int) -> Talk:
        return self._platform.talks[self._where(name).id]

    def open(self, names: Sequence[int]) -> None:
        orders = []
        for name in names:
            self._platform.talks[self._where(name).id] = Talk()
            orders.append(self.broker.order(self._where(name), Open()))
        for order in orders:
            order.result(PATIENCE)

    def say(self, name: int, order: str) -> None:
        self._talk(name).expect()
        self._count += 1
        ref = MessageRef(self._where(name), str(self._count))
        receipt = self.broker.receive(Inbound(ref, ANN, order))
        assert receipt.state in {"accepted", "queued"}, receipt

    def first(self, name: int) -> float:
        talk = self._talk(name)
        assert talk.begun.wait(PATIENCE), "no text came"
        return talk.first

    def work(self, seconds: float) -> None:
        time.sleep(seconds)

    def finish(self, names: Sequence[int]) -> int:
        total = 0
        for name in names:
            talk = self._talk(name)
            assert talk.ended.wait(PATIENCE), "the turn did not end"
            total += talk.characters
        return total

    def shown(self, name: int) -> int:
        """How many characters, spaces not counted, are on the pages: drawing may drop none."""
        return sum(len(page) - page.count(" ") for page in self._talk(name).pages.values())

    def gone(self, name: int, patience: float) -> float:
        talk = self._talk(name)
        talk.ended.wait(patience)
        return talk.end

    def pid(self, name: int) -> int:
        for session in self.broker.snapshot().sessions:
            if session.conversation == self._where(name) and session.pid is not None:
                return session.pid
        raise LookupError(name)

    def retire(self, name: int) -> None:
        self.broker.order(self._where(name), Reset(ANN)).result(PATIENCE)
        until(lambda: not self._has(name), PATIENCE)  # else its end would be measured with the next one's beginning
        del self._platform.talks[self._where(name).id]

    def _has(self, name: int) -> bool:
        return any(session.conversation == self._where(name) for session in self.broker.snapshot().sessions)

    def close(self) -> None:
        self._app.stop()
        self._folder.cleanup()
