"""The unmodified discord.py client in a thread of its own, and the fake Discord that it logs into."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import discord
import pytest
import yarl
from discord import app_commands

from tests.fakes.discord import Server
from tests.waiting import MS

__all__ = ["INTENTS", "Bot", "logged_in", "redirected"]

T = TypeVar("T")

INTENTS = discord.Intents(
    guilds=True, guild_messages=True, dm_messages=True, guild_reactions=True, guild_typing=True, message_content=True
)
OPEN = ("global", "message", "edit", "delete", "reaction", "typing", "thread", "webhook")
QUICK: dict[str, tuple[int, float]] = dict.fromkeys(OPEN, (1000, 1.0))
"""Limits that no test meets unless it means to."""


class Bot(discord.Client):
    """A client that notes what it is told. What it does, its test says."""

    def __init__(self, **options: Any) -> None:
        options = {"intents": INTENTS, "guild_ready_timeout": 0.01, **options}
        super().__init__(allowed_mentions=discord.AllowedMentions.none(), **options)
        self.tree = app_commands.CommandTree(self)
        self.noted: list[tuple[str, Any]] = []
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="discord-py", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._token = ""

    # ---- the test's thread ----

    def begin(self, token: str) -> None:
        self._token = token
        self._thread.start()

    def end(self) -> None:
        if self._loop is not None and self._thread.is_alive() and not self.is_closed():
            self.call(self.close())
        self._thread.join(5000 * MS)
        assert not self._thread.is_alive()

    def call(self, coroutine: Coroutine[Any, Any, T], timeout: float = 5000 * MS) -> T:
        """Run something on the client's loop and wait for it."""
        assert self._loop is not None
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(timeout)

    def place(self, channel_id: int) -> discord.PartialMessageable:
        return self.get_partial_messageable(channel_id)

    def heard(self, event: str) -> list[Any]:
        """What came with the events of this name, in their order."""
        return [what for name, what in list(self.noted) if name == event]

    @property
    def texts(self) -> list[str]:
        return [message.content for message in self.heard("message")]

    # ---- the loop ----

    def _run(self) -> None:
        try:
            asyncio.run(self._live())
        except Exception as error:  # noqa: BLE001  # the top of the thread; its test looks at it
            self.error = error

    async def _live(self) -> None:
        self._loop = asyncio.get_running_loop()
        async with self:
            await self.start(self._token)

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """The real one sleeps for five seconds before a second IDENTIFY."""

    def dispatch(self, event: str, /, *args: Any, **kwargs: Any) -> None:
        self.noted.append((event, args[0] if args else None))
        super().dispatch(event, *args, **kwargs)


@contextmanager
def redirected(server: Server) -> Iterator[None]:
    """discord.py talks to this server."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(discord.http.Route, "BASE", server.rest_root)
        patch.setattr(discord.gateway.DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL(server.gateway_url))
        yield


@contextmanager
def logged_in(server: Server, bot: Bot | None = None, token: str = "") -> Iterator[Bot]:
    """A bot that is ready. Afterwards it is closed, and has broken no rule."""
    bot = bot or Bot()
    with redirected(server):
        bot.begin(token or server.token)
        try:
            server.until(lambda: bot.heard("ready") or bot.error, what="the bot is ready")
            yield bot
        finally:
            bot.end()
    assert server.violations == []
