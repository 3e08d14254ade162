"""A visit to Discord: log in, look around, leave. For `check` and `setup`; nothing is written, nobody is answered.

**Threads**: the coroutines are the loop's; `visit` starts a loop of its own, waits for it with a time-out, and ends it.
"""

from __future__ import annotations

import asyncio
import email.utils
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

import aiohttp
import discord
import msgspec

from ...config.schema import DiscordConfig
from ...errors import ChatError
from ..loop import EventLoopThread
from .api import Redirect, survey
from .client import IDENTIFY_PAUSE, Client, make_client
from .errors import explain, outage, unusable
from .hearing import PERMISSIONS, Hearing, invitation

__all__ = ["PATIENCE", "Channel", "Guild", "Visit", "look_around", "visit"]

T = TypeVar("T")

_next_at = 0.0  # when the next session may be begun, monotonic seconds; the main thread visits, one at a time

PATIENCE = 60.0  # seconds for a visit in which nobody has to do anything
SERVERS = 2.0  # seconds without news of another server after which all are known; discord.py's own figure


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel that the bot sees, or is told to listen in; `missing` are permissions that it needs and has not."""

    id: str
    name: str
    kind: str
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Guild:
    """A server that the bot is on."""

    id: str
    name: str
    missing: tuple[str, ...]
    channels: tuple[Channel, ...]


@dataclass(frozen=True, slots=True)
class Visit:
    """What was seen."""

    bot: str
    bot_id: str
    invitation: str
    guilds: tuple[Guild, ...]
    starts_left: int
    clock_off: float | None  # seconds that our clock is ahead of Discord's; None if it did not tell


def visit(config: DiscordConfig, act: Callable[[Client, Hearing], Coroutine[Any, Any, T]], patience: float) -> T:
    """Log in, have `act` done, leave; return what it returned. Blocks for `patience` seconds at most.

    Raise ConfigError for what only the operator can mend (token, intents), ChatError for a Discord that is away.
    """
    redirect, loop = Redirect(config.api_url), EventLoopThread("chat-discord-visit")
    redirect.on()
    loop.start()
    try:
        return loop.submit(_visit(config, act), patience).result()
    finally:
        loop.stop(5.0)
        redirect.off()


async def _visit(config: DiscordConfig, act: Callable[[Client, Hearing], Coroutine[Any, Any, T]]) -> T:
    hearing = Hearing()
    # One connection, whatever the shards: permissions are looked up in what it is told of its servers.
    alone = msgspec.structs.replace(config, shard_ids=(), shard_count=None)
    client = make_client(alone, hearing, guild_ready_timeout=SERVERS)
    connecting: asyncio.Task[None] | None = None
    try:
        await client.login(config.bot_token.strip())
        await survey(client)
        await _pause()
        connecting = asyncio.create_task(client.connect(reconnect=False))
        ready = asyncio.create_task(client.wait_until_ready())
        await asyncio.wait({connecting, ready}, return_when=asyncio.FIRST_COMPLETED)
        if not ready.done():
            ready.cancel()
            await connecting  # raises why
        return await act(client, hearing)
    except (discord.DiscordException, aiohttp.ClientError, OSError) as error:
        raise unusable(error, client.application_id) or _away(error) from error
    finally:
        await client.end()
        if connecting is not None:
            await asyncio.wait({connecting})


async def _pause() -> None:
    """Discord takes one new session in five seconds: a second visit of this process waits that long."""
    global _next_at
    now = time.monotonic()
    pause, _next_at = max(0.0, _next_at - now), max(now, _next_at) + IDENTIFY_PAUSE
    await asyncio.sleep(pause)


def _away(error: BaseException) -> ChatError:
    if isinstance(error, discord.HTTPException):
        return explain(error, "look around")
    return ChatError(f"Discord could not be reached: {outage(error)}")


async def look_around(client: Client, _: Hearing) -> Visit:
    """Return what the bot sees of its servers."""
    starts = await survey(client)
    assert client.user is not None
    guilds = tuple(_guild(guild) for guild in client.guilds)
    off = await _clock_off(client)
    return Visit(str(client.user), str(client.user.id), invitation(client), guilds, starts.remaining, off)


def _guild(guild: discord.Guild) -> Guild:
    places = [one for one in guild.channels if isinstance(one, discord.TextChannel | discord.ForumChannel)]
    seen = [one for one in places if one.permissions_for(guild.me).view_channel]
    channels = [Channel(str(one.id), one.name, str(one.type), _missing(one.permissions_for(guild.me))) for one in seen]
    return Guild(str(guild.id), guild.name, _missing(guild.me.guild_permissions), tuple(channels))


def _missing(has: discord.Permissions) -> tuple[str, ...]:
    """The names of permissions that the bot needs and has not, as Discord shows them."""
    return tuple(name.replace("_", " ").title() for name, needed in PERMISSIONS if needed and not getattr(has, name))


async def _clock_off(client: Client) -> float | None:
    """How far our clock is ahead of Discord's, by the date of an answer of its."""
    session = client.http._HTTPClient__session  # type: ignore[attr-defined]  # there is no other way to its headers
    async with session.get(f"{discord.http.Route.BASE}/gateway") as answer:
        date = answer.headers.get("Date", "")
    if not date:
        return None
    return time.time() - email.utils.parsedate_to_datetime(date).timestamp()
