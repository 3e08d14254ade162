"""The client: discord.py's, with what we need of it switched on and the rest off. It hears, and hands over.

What it is told goes to an `Ears`, nothing is decided here. It closes only when it is told to: discord.py would close it
for every odd end of a connection, and with it the REST session that replies in progress still use.

**Threads**: the loop's only.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Protocol

import aiohttp
import discord
import discord.gateway

if TYPE_CHECKING:
    from ...config.schema import DiscordConfig

__all__ = ["Client", "Ears", "SessionsSpent", "ShardedClient", "make_client"]

log = logging.getLogger(__name__)

CONNECTING = 30.0  # seconds for a connection to be made, and as many until the gateway says hello (FIELD K2)
IDENTIFY_PAUSE = 5.0  # seconds before another session is begun: Discord takes one in five
LONGEST_LIMIT = 60.0  # seconds; a rate limit that lasts longer is an error and not a sleep


class Ears(Protocol):
    """Who is told what the gateway tells. On the loop, each call in a task of its own, begun in the order of events."""

    async def message(self, message: discord.Message) -> None:
        """Somebody wrote."""

    async def edited(self, payload: discord.RawMessageUpdateEvent) -> None:
        """A message was changed, or got its embeds."""

    async def deleted(self, payload: discord.RawMessageDeleteEvent | discord.RawBulkMessageDeleteEvent) -> None:
        """Messages are gone."""

    async def thread_created(self, thread: discord.Thread) -> None:
        """There is a new thread, or the bot was added to one."""

    async def thread_changed(self, payload: discord.RawThreadUpdateEvent) -> None:
        """A thread was renamed, archived, locked, or the reverse."""

    async def thread_deleted(self, payload: discord.RawThreadDeleteEvent) -> None:
        """A thread is gone."""

    async def channel_deleted(self, channel: discord.abc.GuildChannel) -> None:
        """A channel is gone, with all its threads."""

    async def permissions_changed(self) -> None:
        """What the bot may do somewhere may be another thing now."""

    async def guild_joined(self, guild: discord.Guild) -> None:
        """The bot was let in."""

    async def guild_there(self, guild: discord.Guild) -> None:
        """A guild is there again after an outage."""

    async def guild_left(self, guild: discord.Guild) -> None:
        """The bot was put out, or the guild is gone."""

    async def interaction(self, interaction: discord.Interaction) -> None:
        """Somebody used a button, a menu or a form; commands come by the tree."""

    async def connected(self, shard: int) -> None:
        """A session of the gateway begins: what happened before is not told, what happens now may be told at once."""

    async def guilds_there(self, shard: int) -> None:
        """All guilds of a session that has begun are there."""

    async def ready(self) -> None:
        """All connections are there for people."""

    async def resumed(self) -> None:
        """The session goes on: what was missed is being told."""

    async def lost(self) -> None:
        """The connection is gone; it is being made again."""


class SessionsSpent(discord.DiscordException):
    """Discord allows no more new sessions today."""

    def __str__(self) -> str:
        return "too many connections were begun today"


class Client(discord.Client):
    """One connection to the gateway, and REST."""

    def __init__(self, *, ears: Ears, **options: Any) -> None:
        super().__init__(**options)
        self.ears = ears
        self.identify_pause = IDENTIFY_PAUSE
        self.patience = CONNECTING
        self.may_begin: Callable[[], Awaitable[bool]] | None = None  # asked before another session is begun
        self._may_close = False
        self._socket: aiohttp.ClientWebSocketResponse | None = None  # the newest connection to the gateway
        self._closing: asyncio.Future[bool] | None = None  # of one that was given up; kept so that it is not collected
        self._ws_connect, self.http.ws_connect = self.http.ws_connect, self._connect  # type: ignore[method-assign]

    # What discord.py calls.

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        if initial:
            return
        await asyncio.sleep(self.identify_pause)
        if self.may_begin is not None and not await self.may_begin():
            await self._hang_up()
            raise SessionsSpent

    async def _connect(self, url: str, *, compress: int = 0) -> aiohttp.ClientWebSocketResponse:
        async with asyncio.timeout(self.patience):
            self._socket = await self._ws_connect(url, compress=compress)
        asyncio.get_running_loop().call_later(self.patience, self._look_after, self._socket)
        return self._socket

    def _look_after(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        """Give up a connection on which the gateway has not said hello: only then discord.py keeps it alive."""
        if not socket.closed and not _kept_alive(socket):
            log.debug("the gateway has not said hello within %.0f s", self.patience)
            self._closing = asyncio.ensure_future(socket.close())

    async def _hang_up(self) -> None:
        """Give up the newest connection, as discord.py does not where a session is not begun after all."""
        if self._socket is None:
            return
        for thread in _kept_alive(self._socket):
            thread.stop()
        await self._socket.close()

    async def close(self) -> None:
        """Close, if `end` was called; else only the connections to the gateway are given up, and REST goes on."""
        if self._may_close:
            await super().close()

    async def end(self) -> None:
        """Close for good."""
        self._may_close = True
        await self.close()

    async def on_error(self, event_method: str, /, *args: Any, **kwargs: Any) -> None:
        log.exception("what came with %s could not be handled", event_method)  # noqa: LOG004  # it is called from one

    # What it tells.

    async def on_message(self, message: discord.Message) -> None:
        await self.ears.message(message)

    async def on_raw_message_edit(self, payload: discord.RawMessageUpdateEvent) -> None:
        await self.ears.edited(payload)

    async def on_raw_message_delete(self, payload: discord.RawMessageDeleteEvent) -> None:
        await self.ears.deleted(payload)

    async def on_raw_bulk_message_delete(self, payload: discord.RawBulkMessageDeleteEvent) -> None:
        await self.ears.deleted(payload)

    async def on_thread_create(self, thread: discord.Thread) -> None:
        await self.ears.thread_created(thread)

    async def on_raw_thread_update(self, payload: discord.RawThreadUpdateEvent) -> None:
        await self.ears.thread_changed(payload)

    async def on_raw_thread_delete(self, payload: discord.RawThreadDeleteEvent) -> None:
        await self.ears.thread_deleted(payload)

    async def on_guild_channel_delete(self, channel: discord.abc.GuildChannel) -> None:
        await self.ears.channel_deleted(channel)

    async def on_guild_channel_update(self, *_: object) -> None:
        await self.ears.permissions_changed()

    async def on_guild_role_update(self, *_: object) -> None:
        await self.ears.permissions_changed()

    async def on_guild_join(self, guild: discord.Guild) -> None:
        await self.ears.guild_joined(guild)

    async def on_guild_available(self, guild: discord.Guild) -> None:
        await self.ears.guild_there(guild)

    async def on_guild_remove(self, guild: discord.Guild) -> None:
        await self.ears.guild_left(guild)

    async def on_interaction(self, interaction: discord.Interaction) -> None:
        if interaction.type in (discord.InteractionType.component, discord.InteractionType.modal_submit):
            await self.ears.interaction(interaction)

    async def on_connect(self) -> None:
        await self.ears.connected(0)

    async def on_ready(self) -> None:
        await self.ears.guilds_there(0)
        await self.ears.ready()

    async def on_resumed(self) -> None:
        await self.ears.resumed()

    async def on_disconnect(self) -> None:
        await self.ears.lost()


def _kept_alive(socket: aiohttp.ClientWebSocketResponse) -> list[discord.gateway.KeepAliveHandler]:
    """The threads of discord.py that send heartbeats on a connection."""
    handlers = [one for one in threading.enumerate() if isinstance(one, discord.gateway.KeepAliveHandler)]
    return [one for one in handlers if one.ws.socket is socket]


class ShardedClient(Client, discord.AutoShardedClient):
    """Several connections to the gateway: for bots in very many guilds, or several brokers that share one bot."""

    async def close(self) -> None:
        if not self._may_close:
            for shard in self.shards.values():
                await shard.disconnect()
        await super().close()

    # A single connection that begins anew is never ready by itself: each is told of alone.

    async def on_connect(self) -> None:
        """Told by `on_shard_connect`."""

    async def on_ready(self) -> None:
        await self.ears.ready()

    async def on_shard_connect(self, shard: int) -> None:
        await self.ears.connected(shard)

    async def on_shard_ready(self, shard: int) -> None:
        await self.ears.guilds_there(shard)


def make_client(config: DiscordConfig, ears: Ears, **more: Any) -> Client:
    """Return a client as configured, which connects to nothing yet; `more` are further options of discord.py's."""
    intents = discord.Intents.none()
    intents.guilds = intents.guild_messages = intents.dm_messages = True
    intents.guild_reactions = intents.message_content = True
    discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False  # nobody here speaks
    options: dict[str, Any] = {
        "intents": intents,
        "allowed_mentions": discord.AllowedMentions.none(),
        "max_messages": None,  # edits and deletions come by id
        "chunk_guilds_at_startup": False,
        "max_ratelimit_timeout": LONGEST_LIMIT,
        "proxy": config.proxy or None,  # with what it wants to be logged in with
        **more,
    }
    if config.shard_count is None and not config.shard_ids:
        return Client(ears=ears, **options)
    return ShardedClient(ears=ears, shard_ids=list(config.shard_ids) or None, shard_count=config.shard_count, **options)
