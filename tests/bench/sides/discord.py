"""Ours behind the real Discord platform, discord.py and all: how late are its loop and its heartbeats?

The server is the fake one with Discord's own limits, in a process of its own, as Discord is. What sessions say is
posted and edited there; measured is what they leave of the interpreter to the loop that the connection lives on.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path

from discord.gateway import KeepAliveHandler

from openab_sync import heap
from openab_sync.config.schema import Config, DiscordConfig
from openab_sync.core.message import Conversation, MessageRef
from openab_sync.core.port import ChatPort, Controls
from openab_sync.platforms.discord.platform import Discord
from openab_sync.store import Store, open_books
from tests.bench.sides.chat import Chat
from tests.bench.sides.ours import END, Ours, Talk
from tests.bench.sides.side import PATIENCE
from tests.waiting import until

__all__ = ["OnDiscord"]

TICK = 0.01  # seconds between two looks at how late the loop is


class _Watched:
    """A port that notes what is posted and edited; everything else it passes on as it is."""

    def __init__(self, port: ChatPort) -> None:
        self._port = port
        self.talks: dict[str, Talk] = {}
        self.limits, self.event, self.react, self.typing = port.limits, port.event, port.react, port.typing
        self.ours, self.sign = port.ours, port.sign
        self.ask, self.settle, self.upload, self.rename = port.ask, port.settle, port.upload, port.rename

    def post(
        self,
        conversation: Conversation,
        text: str,
        *,
        reply_to: MessageRef | None = None,
        nonce: str = "",
        controls: Controls | None = None,
    ) -> Future[MessageRef]:
        self._note(conversation, text)
        return self._port.post(conversation, text, reply_to=reply_to, nonce=nonce, controls=controls)

    def edit(self, ref: MessageRef, text: str, *, controls: Controls | None = None) -> Future[None]:
        self._note(ref.conversation, text)
        return self._port.edit(ref, text, controls=controls)

    def _note(self, conversation: Conversation, text: str) -> None:
        talk = self.talks[conversation.id]
        talk.begun.set()
        if text.endswith(END):
            talk.ended.set()


class OnDiscord:
    """A whole broker, logged in to the fake Discord."""

    process = Ours.process
    cold: tuple[str, ...] = Ours.cold

    def __init__(self, command: Sequence[str], room: int) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="openab-bench-")
        self._server = Chat("tests.bench.sides.discord_server", str(room))
        where = self._server.where
        discord = DiscordConfig(bot_token=where["token"], api_url=where["origin"], allow_all_users=True)
        self._store = Store.open(Path(self._folder.name))
        self._platform = Discord(Config(discord=discord), open_books(self._store), Path(self._folder.name) / "inbox")
        self._rooms = [Conversation(self._platform.name, number) for number in where["channels"]]
        self._ours = Ours(command, "edit", room, _Watched(self._platform.port), self._rooms.__getitem__)
        self.open, self.say, self.first = self._ours.open, self._ours.say, self._ours.first
        self.finish, self.gone, self.pid = self._ours.finish, self._ours.gone, self._ours.pid
        self.retire, self.work = self._ours.retire, self._ours.work
        self._platform.start(self._ours.broker)
        until(lambda: self._platform.is_ready, PATIENCE)
        heap.settle()  # as `run` does

    def beats(self, seconds: float, answers: int = 0) -> tuple[list[float], list[float]]:
        """For so long, by how many seconds the loop was late, and how many a heartbeat took to be acknowledged.

        Meanwhile so many `answers` grow without any session: what posting and editing them costs the loop alone.
        """

        async def tick() -> list[float]:
            late, end = [], time.monotonic() + seconds
            while time.monotonic() < end:
                due = time.monotonic() + TICK
                await asyncio.sleep(TICK)
                late.append(time.monotonic() - due)
            return late

        async def measured() -> list[float]:
            growing = [asyncio.create_task(self._grow(number)) for number in range(answers)]
            late = await tick()
            for task in growing:
                task.cancel()
            await asyncio.gather(*growing, return_exceptions=True)
            return late

        with _acknowledged() as taken:
            late = self._platform._loop.submit(measured(), PATIENCE).result()
        return late, taken

    async def _grow(self, number: int) -> None:
        """A message that is edited as often as an answer that grows, until it is full."""
        port = self._platform.port
        ref = await asyncio.wrap_future(port.post(self._rooms[number], "word "))
        for count in range(2, 200):
            await asyncio.sleep(port.limits(ref.conversation).edit_interval)
            await asyncio.wrap_future(port.edit(ref, "word " * count))

    def close(self) -> None:
        self._ours.close()
        self._platform.stop()
        self._store.close()
        self._server.close()
        self._folder.cleanup()


@contextmanager
def _acknowledged() -> Iterator[list[float]]:
    """How many seconds each heartbeat takes, from its turn to be sent until its acknowledgement is read.

    discord.py's own figure begins when it has been sent: what it has waited for the loop until then is missing.
    """
    taken: list[float] = []
    due: list[float] = []
    get_payload, ack = KeepAliveHandler.get_payload, KeepAliveHandler.ack

    def noted(self: KeepAliveHandler) -> dict[str, object]:
        due.append(time.monotonic())
        return get_payload(self)

    def acknowledged(self: KeepAliveHandler) -> None:
        ack(self)
        if due:
            taken.append(time.monotonic() - due.pop(0))

    KeepAliveHandler.get_payload, KeepAliveHandler.ack = noted, acknowledged  # type: ignore[method-assign]
    try:
        yield taken
    finally:
        KeepAliveHandler.get_payload, KeepAliveHandler.ack = get_payload, ack  # type: ignore[method-assign]
