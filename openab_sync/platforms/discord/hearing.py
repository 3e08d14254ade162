"""Hearing: what the gateway tells, brought to the part that it is for.

**Threads**: the loop's only. Until `parts` are there, and after they are gone, nothing is heard.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import discord
from discord import app_commands

if TYPE_CHECKING:
    from .calls import Calls
    from .catching import Catching
    from .changes import Changes
    from .incoming import Incoming
    from .orders import Orders
    from .recovering import Recovering
    from .startup import Startup
    from .supervise import Supervisor

__all__ = ["PERMISSIONS", "Hearing", "Parts", "invitation"]

log = logging.getLogger(__name__)

PERMISSIONS = discord.Permissions(
    view_channel=True,
    send_messages=True,
    send_messages_in_threads=True,
    create_public_threads=True,
    manage_threads=True,
    read_message_history=True,
    add_reactions=True,
    attach_files=True,
    embed_links=True,
    use_external_emojis=True,
)
"""What the bot needs on a server."""


@dataclass(frozen=True, slots=True)
class Parts:
    """Who listens."""

    incoming: Incoming
    catching: Catching
    changes: Changes
    orders: Orders
    tree: app_commands.CommandTree
    supervisor: Supervisor
    calls: Calls
    recovering: Recovering
    startup: Startup


class Hearing:
    """An `Ears` (see `client.Ears`) for all parts of the platform. `is_ready` is set when it is there for people.

    `trouble` is a sentence, read by any thread: why nobody can write to the bot though it may be connected.
    """

    def __init__(self) -> None:
        self.parts: Parts | None = None
        self.is_ready = threading.Event()
        self.trouble = "logging in"

    # What people do.

    async def message(self, message: discord.Message) -> None:
        if self.parts is not None:
            await self.parts.catching.message(message)

    async def edited(self, payload: discord.RawMessageUpdateEvent) -> None:
        if self.parts is not None:
            await self.parts.catching.edited(payload)

    async def deleted(self, payload: discord.RawMessageDeleteEvent | discord.RawBulkMessageDeleteEvent) -> None:
        if self.parts is not None:
            await self.parts.catching.deleted(payload)

    async def interaction(self, interaction: discord.Interaction) -> None:
        if self.parts is not None:
            await self.parts.orders.component(interaction)

    # What becomes of places.

    async def thread_created(self, thread: discord.Thread) -> None:
        if self.parts is not None:
            await self.parts.changes.thread_created(thread)

    async def thread_changed(self, payload: discord.RawThreadUpdateEvent) -> None:
        if self.parts is not None:
            self.parts.calls.forgive()  # it may be open again
            await self.parts.changes.thread_changed(payload)

    async def thread_deleted(self, payload: discord.RawThreadDeleteEvent) -> None:
        if self.parts is not None:
            await self.parts.changes.thread_deleted(payload)

    async def channel_deleted(self, channel: discord.abc.GuildChannel) -> None:
        if self.parts is not None:
            await self.parts.changes.channel_deleted(channel)

    async def permissions_changed(self) -> None:
        if self.parts is not None:
            self.parts.calls.forgive()

    async def guild_joined(self, guild: discord.Guild) -> None:
        log.info("Discord: the bot is on the server %s now", guild.name)
        self._look_around()
        await self.guild_there(guild)

    async def guild_there(self, guild: discord.Guild) -> None:
        if self.parts is not None:
            self.parts.calls.forgive()  # we may be let in again
            await self.parts.catching.guild_there(guild)

    async def guild_left(self, guild: discord.Guild) -> None:
        self._look_around()
        if self.parts is not None:
            await self.parts.changes.guild_left(guild)

    # What becomes of the connection.

    async def connected(self, shard: int) -> None:
        if self.parts is not None:
            await self.parts.catching.connected(shard)

    async def guilds_there(self, shard: int) -> None:
        if self.parts is not None:
            await self.parts.catching.guilds_there(shard)

    async def ready(self) -> None:
        if self.parts is None:
            return
        self.parts.supervisor.connected()
        client = self.parts.tree.client
        servers = len(client.guilds)
        log.info("Discord: here as %s, on %d server%s", client.user, servers, "" if servers == 1 else "s")
        self._look_around()
        if self.trouble:
            log.warning("Discord: %s", self.trouble)
        self.parts.recovering.reachable()
        is_first = not self.is_ready.is_set()
        await self.parts.orders.sync(self.parts.tree)
        self.is_ready.set()
        if is_first and self.parts is not None:
            startup = self.parts.startup
            await self.parts.orders.close_stale()
            await startup.run()

    def _look_around(self) -> None:
        """Note whether the bot is on any server."""
        if self.parts is None:
            return
        client = self.parts.tree.client
        is_alone = not client.guilds and not getattr(client, "shard_ids", None)
        self.trouble = f"the bot is on no server yet: open {invitation(client)} to let it in" if is_alone else ""

    async def resumed(self) -> None:
        if self.parts is not None:
            self.parts.supervisor.connected()

    async def lost(self) -> None:
        if self.parts is not None:
            self.parts.supervisor.lost()


def invitation(client: discord.Client) -> str:
    """Return the link with which an administrator lets the bot onto a server, with the permissions that it needs."""
    assert client.application_id is not None  # it has logged in
    return discord.utils.oauth_url(
        client.application_id, permissions=PERMISSIONS, scopes=("bot", "applications.commands")
    )
