"""The official Python SDK's client: asyncio, a task and a model a message. It collects text and draws nothing."""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import sys
import time
from collections.abc import Awaitable, Sequence
from typing import Any, TypeVar

from acp import PROTOCOL_VERSION, spawn_agent_process, text_block
from acp.client import ClientSideConnection
from acp.schema import AgentMessageChunk, TextContentBlock

from tests.bench.sides.side import PATIENCE

__all__ = ["Sdk"]

T = TypeVar("T")
LIMIT = 64 * 1024 * 1024


class _Client:
    """What the SDK calls. It does as little with the text as ours does."""

    def __init__(self) -> None:
        self.characters = 0
        self.first = math.inf
        self.begun = asyncio.Event()

    def expect(self) -> None:
        self.characters, self.first = 0, math.inf
        self.begun.clear()

    async def session_update(self, session_id: str, update: Any, **more: Any) -> None:
        if isinstance(update, AgentMessageChunk) and isinstance(update.content, TextContentBlock):
            self.characters += len(update.content.text)
            if not self.begun.is_set():
                self.first = time.monotonic()
                self.begun.set()

    async def request_permission(self, *args: Any, **more: Any) -> Any:
        raise NotImplementedError

    def on_connect(self, connection: Any) -> None:
        """The connection is kept by who has made it."""


class _Session:
    def __init__(self) -> None:
        self.client = _Client()
        self.stack = contextlib.AsyncExitStack()
        self.connection: ClientSideConnection
        self.process: asyncio.subprocess.Process
        self.id = ""
        self.turn: asyncio.Task[float] | None = None


class Sdk:
    """Sessions of the SDK on one event loop, which runs whenever something is waited for."""

    process = os.getpid()
    cold: tuple[str, ...] = (sys.executable, "-c", "import acp")

    def __init__(self, command: Sequence[str], live: str, room: int) -> None:
        self._command = command
        self._loop = asyncio.new_event_loop()
        self._sessions: dict[int, _Session] = {}

    def _run(self, what: Awaitable[T], patience: float = PATIENCE) -> T:
        async def bounded() -> T:
            return await asyncio.wait_for(what, patience)

        return self._loop.run_until_complete(bounded())

    def open(self, names: Sequence[int]) -> None:
        async def everyone() -> None:
            await asyncio.gather(*(self._begin(name) for name in names))

        self._run(everyone())

    async def _begin(self, name: int) -> None:
        session = self._sessions[name] = _Session()
        program, *args = self._command
        process = spawn_agent_process(session.client, program, *args, transport_kwargs={"limit": LIMIT})  # type: ignore[arg-type]  # it asks for two of the methods only
        session.connection, session.process = await session.stack.enter_async_context(process)
        await session.connection.initialize(protocol_version=PROTOCOL_VERSION)
        session.id = (await session.connection.new_session(cwd="/", mcp_servers=[])).session_id

    def say(self, name: int, order: str) -> None:
        session = self._sessions[name]
        session.client.expect()

        async def turn() -> float:
            with contextlib.suppress(ConnectionError):  # it is gone
                await session.connection.prompt(session_id=session.id, prompt=[text_block(order)])
            return time.monotonic()

        session.turn = self._loop.create_task(turn())

    def first(self, name: int) -> float:
        client = self._sessions[name].client
        self._run(client.begun.wait())
        return client.first

    def work(self, seconds: float) -> None:
        self._run(asyncio.sleep(seconds))

    def finish(self, names: Sequence[int]) -> int:
        sessions = [self._sessions[name] for name in names]

        async def everyone() -> None:
            await asyncio.gather(*(session.turn for session in sessions if session.turn is not None))

        self._run(everyone())
        return sum(session.client.characters for session in sessions)

    def gone(self, name: int, patience: float) -> float:
        turn = self._sessions[name].turn
        assert turn is not None
        try:
            return self._run(asyncio.shield(turn), patience)
        except TimeoutError:
            return math.inf

    def pid(self, name: int) -> int:
        return self._sessions[name].process.pid

    def retire(self, name: int) -> None:
        session = self._sessions.pop(name)
        self._run(self._end(session))

    async def _end(self, session: _Session) -> None:
        if session.turn is not None and not session.turn.done():
            session.turn.cancel()
            session.process.kill()
            await asyncio.wait([session.turn])
        await session.stack.aclose()
        # Its pipes stay open as long as a grandchild holds them, and would be closed after their loop.
        session.process._transport.close()  # type: ignore[attr-defined]  # there is no public way

    def close(self) -> None:
        async def everyone() -> None:
            await asyncio.gather(*(self._end(session) for session in self._sessions.values()))

        self._run(everyone())
        self._sessions.clear()
        self._loop.close()
