"""Our client, supervised, on a loop of its own, with ears that note what they hear."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import discord
import msgspec

from openab_sync.config.discord import DiscordConfig
from openab_sync.platforms.discord.api import Redirect
from openab_sync.platforms.discord.client import Client, Ears, make_client
from openab_sync.platforms.discord.supervise import Supervisor
from openab_sync.platforms.loop import EventLoopThread
from tests.fakes.discord import Server
from tests.waiting import MS, until

__all__ = ["Connection", "Noting", "connection"]


class Noting:
    """Ears that note every call: its name and what came with it."""

    def __init__(self) -> None:
        self.noted: list[tuple[str, Any]] = []
        self.supervisor: Supervisor | None = None

    def heard(self, name: str) -> list[Any]:
        return [what for heard, what in list(self.noted) if heard == name]

    async def _note(self, name: str, what: object = None) -> None:
        self.noted.append((name, what))

    async def message(self, message: discord.Message) -> None:
        await self._note("message", message)

    async def edited(self, payload: discord.RawMessageUpdateEvent) -> None:
        await self._note("edited", payload)

    async def deleted(self, payload: discord.RawMessageDeleteEvent | discord.RawBulkMessageDeleteEvent) -> None:
        await self._note("deleted", payload)

    async def thread_created(self, thread: discord.Thread) -> None:
        await self._note("thread_created", thread)

    async def thread_changed(self, payload: discord.RawThreadUpdateEvent) -> None:
        await self._note("thread_changed", payload)

    async def thread_deleted(self, payload: discord.RawThreadDeleteEvent) -> None:
        await self._note("thread_deleted", payload)

    async def channel_deleted(self, channel: discord.abc.GuildChannel) -> None:
        await self._note("channel_deleted", channel)

    async def permissions_changed(self) -> None:
        await self._note("permissions_changed")

    async def guild_joined(self, guild: discord.Guild) -> None:
        await self._note("guild_joined", guild)

    async def guild_there(self, guild: discord.Guild) -> None:
        await self._note("guild_there", guild)

    async def guild_left(self, guild: discord.Guild) -> None:
        await self._note("guild_left", guild)

    async def interaction(self, interaction: discord.Interaction) -> None:
        await self._note("interaction", interaction)
        await interaction.response.defer()

    async def connected(self, shard: int) -> None:
        await self._note("connected", shard)

    async def guilds_there(self, shard: int) -> None:
        await self._note("guilds_there", shard)

    async def ready(self) -> None:
        if self.supervisor is not None:
            self.supervisor.connected()
        await self._note("ready")

    async def resumed(self) -> None:
        if self.supervisor is not None:
            self.supervisor.connected()
        await self._note("resumed")

    async def lost(self) -> None:
        if self.supervisor is not None:
            self.supervisor.lost()
        await self._note("lost")


class Connection:
    """A client and its supervisor. `pauses` are the seconds that the supervisor wanted to sleep; none is slept."""

    def __init__(self, server: Server, *, ears: Noting | None = None, **section: Any) -> None:
        self.server = server
        self.ears = ears or Noting()
        given = {"bot_token": server.token, "api_url": server.origin, **section}
        self.config = msgspec.convert(given, DiscordConfig)
        self.loop = EventLoopThread("chat-discord")
        hears: Ears = self.ears
        self.client: Client = make_client(self.config, hears, guild_ready_timeout=0.01)
        self.client.identify_pause = 0.0
        self.pauses: list[float] = []
        self.supervisor = Supervisor(self.client, self.config.bot_token, sleep=self._sleep)
        self.ears.supervisor = self.supervisor
        self.ended = threading.Event()
        self.error: BaseException | None = None
        self._task: asyncio.Task[None] | None = None

    async def _sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        await asyncio.sleep(0.001)

    async def _live(self) -> None:
        try:
            await self.supervisor.run()
        except Exception as error:  # noqa: BLE001  # the test looks at it
            self.error = error
        self.ended.set()

    async def begin(self) -> None:
        self._task = asyncio.create_task(self._live())

    async def end(self) -> None:
        await self.client.end()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    def until_heard(self, name: str, count: int = 1) -> list[Any]:
        until(lambda: len(self.ears.heard(name)) >= count or self.ended.is_set(), 10000 * MS, f"{name} is heard")
        return self.ears.heard(name)


@contextmanager
def connection(server: Server, *, ready: bool = True, **section: Any) -> Iterator[Connection]:
    """A connection; unless told otherwise it is ready. It ends with the `with` block."""
    made = Connection(server, **section)
    redirect = Redirect(made.config.api_url)
    redirect.on()
    made.loop.start()
    try:
        made.loop.submit(made.begin(), 10).result()
        if ready:
            made.until_heard("ready")
        yield made
    finally:
        made.loop.submit(made.end(), 10).result()
        assert made.loop.stop(5000 * MS)
        redirect.off()
