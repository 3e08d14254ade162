"""Keeps the bot connected: whatever ends the connection, it is made again, unless only the operator can mend it.

A connection that is lost is resumed by discord.py itself, and a deaf one is noticed by its heartbeat. What comes out
of it is taken care of here: pauses that grow up to a cap, no more new sessions than Discord allows in a day, and one
line in the log for each change instead of one for each attempt.

**Threads**: the loop's only.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

import aiohttp
import discord

from ...errors import ConfigError
from .api import Backoff, Starts, survey
from .client import Client
from .errors import outage, unusable

__all__ = ["Supervisor"]

log = logging.getLogger(__name__)

# New sessions of a day that are not begun: a person who looks for the fault must be able to start the bot by hand.
SPARE = 5

# Seconds for logging in and asking the way, and for one connection to be there (FIELD K2).
PATIENCE = 30.0

# What a network, a server out of order or a close code come as. The last is what discord.py stumbles over when its very
# first connection to the gateway fails.
EXPECTED = (discord.DiscordException, aiohttp.ClientError, OSError, asyncio.TimeoutError, AttributeError)


class Supervisor:
    """The connection of one client."""

    def __init__(
        self,
        client: Client,
        token: str,
        *,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        spare: int = SPARE,
    ) -> None:
        self._client = client
        self._token = token.strip()
        self._sleep = sleep
        self._spare = spare
        self._backoff = Backoff()
        self._is_logged_in = False
        self.trouble = ""  # as it was logged last; "" while all is well; any thread may look
        self.reconnects = -1  # the first connection is none
        client.may_begin = self._may_begin

    async def run(self) -> None:
        """Connect and stay connected until the client is closed. Raise ConfigError for what waiting does not mend."""
        while not self._client.is_closed():
            try:
                await self._once()
            except Exception as error:  # noqa: BLE001  # the top of the connection: whatever ended it, it is made again
                self._judge(error)
            if not self._client.is_closed():
                await self._sleep(self._backoff.delay())

    def connected(self) -> None:
        """All is well: to be called when a session has begun or goes on."""
        if self.trouble:
            log.info("Discord: connected again")
        self.trouble = ""
        self.reconnects += 1
        self._backoff.reset()

    def lost(self) -> None:
        """The connection is gone: to be called when discord.py says so."""
        if not self._client.is_closed():
            self._tell("the connection was lost; it is being made again")

    async def _once(self) -> None:
        """Log in if that is still to be done, and stay connected until something goes wrong."""
        async with asyncio.timeout(PATIENCE):
            if not self._is_logged_in:
                await self._log_in()
            starts = await survey(self._client)
        await self._afford(starts)
        await self._client.connect()

    async def _log_in(self) -> None:
        try:
            await self._client.login(self._token)
        except BaseException:
            # The next attempt makes a session of its own, and a connector, which belongs to it.
            await self._client.http.close()
            self._client.http.connector = discord.utils.MISSING
            raise
        self._is_logged_in = True

    async def _afford(self, starts: Starts) -> None:
        """Wait until a session may be begun: after the last one of a day Discord takes the token away."""
        while starts.remaining < self._spare + self._shards(starts):
            hours = starts.reset_after / 3600
            self._tell(f"too many connections were begun today; the next one is in {hours:.1f} h")
            await self._sleep(starts.reset_after + 1)
            starts = await survey(self._client)

    async def _may_begin(self) -> bool:
        """Whether another session may be begun: discord.py does so by itself where one cannot be resumed."""
        return (await survey(self._client)).remaining >= self._spare

    def _shards(self, starts: Starts) -> int:
        mine = getattr(self._client, "shard_ids", None)
        return len(mine) if mine else self._client.shard_count or starts.shards if mine is not None else 1

    def _judge(self, error: Exception) -> None:
        """Say once what is wrong, or give up."""
        fatal: ConfigError | None = unusable(error, self._client.application_id)
        if fatal is not None:
            raise fatal from error
        if not isinstance(error, EXPECTED):
            log.error("Discord: the connection ended by an error of its own", exc_info=error)
        self._tell(outage(error))

    def _tell(self, trouble: str) -> None:
        if trouble != self.trouble:
            log.warning("Discord: %s", trouble)
        self.trouble = trouble
