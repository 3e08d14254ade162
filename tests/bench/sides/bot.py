"""What one would otherwise write: a bot of discord.py and the official SDK, in a hundred lines. A program of its own.

A thread for each conversation, an agent for each thread, one turn at a time; text is shown as it comes, an edit in 1.2
seconds, in pages of 2,000 characters. No journal, no limits, no questions.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
import warnings
from typing import Any

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", "'audioop' is deprecated", DeprecationWarning)
    import discord
import yarl
from acp import PROTOCOL_VERSION, spawn_agent_process, text_block
from acp.schema import AgentMessageChunk, TextContentBlock

__all__: list[str] = []

PAGE = 2000
PACE = 1.2  # seconds between two edits
LIMIT = 64 * 1024 * 1024
INTENTS = discord.Intents(guilds=True, guild_messages=True, message_content=True)


class Talk:
    """One thread and its agent; the SDK calls `session_update`."""

    def __init__(self, thread: discord.abc.Messageable, command: list[str]) -> None:
        self._thread = thread
        self._command = command
        self._turns = asyncio.Lock()
        self._stack = contextlib.AsyncExitStack()
        self._connection: Any = None
        self._session = ""
        self._text = ""
        self._pages: list[discord.Message] = []
        self._news = asyncio.Event()
        self._pen = asyncio.Lock()

    async def session_update(self, session_id: str, update: Any, **more: Any) -> None:
        if isinstance(update, AgentMessageChunk) and isinstance(update.content, TextContentBlock):
            self._text += update.content.text
            self._news.set()

    async def request_permission(self, *args: Any, **more: Any) -> Any:
        raise NotImplementedError

    def on_connect(self, connection: Any) -> None:
        """The connection is kept by who has made it."""

    async def answer(self, prompt: str) -> None:
        """One turn, after those that have come before."""
        async with self._turns:
            if self._connection is None:
                await self._begin()
            self._text, self._pages = "", []
            drawing = asyncio.create_task(self._draw_on())
            try:
                await self._connection.prompt(session_id=self._session, prompt=[text_block(prompt)])
            except ConnectionError:
                self._text += "\n\nThe agent ended before its answer did."
                self._connection = None
            finally:
                drawing.cancel()
                await asyncio.gather(drawing, return_exceptions=True)
            await self._draw()

    async def _begin(self) -> None:
        program, *args = self._command
        process = spawn_agent_process(self, program, *args, transport_kwargs={"limit": LIMIT})  # type: ignore[arg-type]  # it asks for two of the methods only
        self._connection, _ = await self._stack.enter_async_context(process)
        await self._connection.initialize(protocol_version=PROTOCOL_VERSION)
        self._session = (await self._connection.new_session(cwd="/", mcp_servers=[])).session_id

    async def _draw_on(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            await asyncio.shield(self._draw())
            await asyncio.sleep(PACE)

    async def _draw(self) -> None:
        async with self._pen:
            first = max(0, len(self._pages) - 1)  # those before it are full
            pages = [self._text[at : at + PAGE] for at in range(first * PAGE, len(self._text), PAGE)]
            for number, page in enumerate(pages, first):
                if number == len(self._pages):
                    self._pages.append(await self._thread.send(page))
                elif self._pages[number].content != page.strip():
                    self._pages[number] = await self._pages[number].edit(content=page)

    async def end(self) -> None:
        await self._stack.aclose()


class Bot(discord.Client):
    def __init__(self, command: list[str]) -> None:
        super().__init__(intents=INTENTS, allowed_mentions=discord.AllowedMentions.none())
        self._command = command
        self._talks: dict[int, Talk] = {}

    async def on_message(self, message: discord.Message) -> None:
        if message.author.bot or self.user is None:
            return
        place: Any = message.channel
        if not isinstance(place, discord.Thread):
            if self.user not in message.mentions:
                return
            place = await message.create_thread(name="a conversation")
        talk = self._talks.get(place.id) or self._talks.setdefault(place.id, Talk(place, self._command))
        await talk.answer(message.content.replace(self.user.mention, "").strip())

    async def close(self) -> None:
        await asyncio.gather(*(talk.end() for talk in self._talks.values()), return_exceptions=True)
        await super().close()


async def main(origin: str, token: str, command: list[str]) -> None:
    """Serve until SIGTERM."""
    discord.http.Route.BASE = f"{origin}/api/v10"
    discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(f"ws{origin.removeprefix('http')}/gateway")
    bot = Bot(command)
    serving = asyncio.create_task(bot.start(token))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, lambda: asyncio.create_task(bot.close()))
    await serving


if __name__ == "__main__":
    order = json.loads(sys.argv[1])
    asyncio.run(main(order["origin"], order["token"], order["command"]))
