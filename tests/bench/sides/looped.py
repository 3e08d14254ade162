"""Ours behind a platform that lives on an event loop, as chat libraries do: how late is that loop's own work?

The loop and its thread are the real ones (`platforms.loop`), and so is every crossing; what a chat service would answer
comes after `LATENCY`. Nothing is sent anywhere: what is measured is what sessions leave of the interpreter to the loop.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import TypeVar

from openab_sync.core.message import Conversation, MessageRef
from openab_sync.core.port import Controls, Decision, File, Limits, Question, TurnEvent
from openab_sync.platforms.loop import EventLoopThread
from tests.bench.sides.ours import Ours, Platform, Talk
from tests.bench.sides.side import PATIENCE

__all__ = ["Looped"]

T = TypeVar("T")
LATENCY = 0.1  # seconds, about what a chat service takes
BEAT = 0.01  # seconds between two beats


class _OnLoop:
    """A platform whose every operation crosses to the loop and comes back from there."""

    def __init__(self, loop: EventLoopThread) -> None:
        self._loop = loop
        self.latency = LATENCY
        self._inner = Platform("edit")
        self._limits = Limits(live="edit", can_ask=False, typing_interval=None, max_pages=10)

    @property
    def talks(self) -> dict[str, Talk]:
        return self._inner.talks

    def _do(self, act: Callable[[], Future[T]]) -> Future[T]:
        async def answer() -> T:
            await asyncio.sleep(self.latency)
            return act().result()  # it is done already

        return self._loop.submit(answer(), PATIENCE)

    def limits(self, conversation: Conversation) -> Limits:
        return self._limits

    def event(self, conversation: Conversation, event: TurnEvent) -> None:
        self._inner.event(conversation, event)

    def post(
        self,
        conversation: Conversation,
        text: str,
        *,
        reply_to: MessageRef | None = None,
        nonce: str = "",
        controls: Controls | None = None,
    ) -> Future[MessageRef]:
        return self._do(lambda: self._inner.post(conversation, text))

    def edit(self, ref: MessageRef, text: str, *, controls: Controls | None = None) -> Future[None]:
        return self._do(lambda: self._inner.edit(ref, text))

    def react(self, ref: MessageRef, emoji: str, on: bool) -> Future[None]:
        return self._do(lambda: self._inner.react(ref, emoji, on))

    def typing(self, conversation: Conversation) -> Future[None]:
        return self._do(lambda: self._inner.typing(conversation))

    def ask(self, question: Question) -> Future[Decision]:
        return self._inner.ask(question)

    def settle(self, question: Question, text: str) -> Future[None]:
        return self._do(lambda: self._inner.settle(question, text))

    def upload(self, conversation: Conversation, file: File, *, nonce: str = "") -> Future[MessageRef]:
        return self._do(lambda: self._inner.upload(conversation, file))

    def rename(self, conversation: Conversation, title: str) -> Future[None]:
        return self._do(lambda: self._inner.rename(conversation, title))


class Looped:
    """A whole broker behind a platform on a loop."""

    cold: tuple[str, ...] = Ours.cold

    def __init__(self, command: Sequence[str], room: int) -> None:
        self._loop = EventLoopThread("chat-bench")
        self._loop.start()
        self._platform = _OnLoop(self._loop)
        self._ours = Ours(command, "edit", room, self._platform)
        self.open, self.say, self.first = self._ours.open, self._ours.say, self._ours.first
        self.finish, self.gone, self.pid = self._ours.finish, self._ours.gone, self._ours.pid
        self.retire, self.work = self._ours.retire, self._ours.work

    def beats(self, seconds: float) -> list[float]:
        """Return by how many seconds each beat of the loop was late, for so long."""

        async def beat() -> list[float]:
            late, end = [], time.monotonic() + seconds
            while time.monotonic() < end:
                due = time.monotonic() + BEAT
                await asyncio.sleep(BEAT)
                late.append(time.monotonic() - due)
            return late

        return self._loop.submit(beat(), PATIENCE).result()

    def close(self) -> None:
        self._platform.latency = 0.0  # what is still to be delivered is nobody's figure
        self._ours.close()
        self._loop.stop(PATIENCE)
