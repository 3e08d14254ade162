"""Stands in for the Rust original where a test needs one: `run -c FILE`, `--help`; as much as `sides.upstream` sees.

It connects to the configured gateway, has an agent for every conversation, and posts an answer when it is complete, or
edits it into a message that it has posted before if it is to stream.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import tomllib
from pathlib import Path
from typing import Any

import aiohttp

__all__: list[str] = []


class Agent:
    """One conversation's agent, and its turns one after the other."""

    def __init__(self, command: list[str]) -> None:
        self._command = command
        self._turns = asyncio.Lock()
        self._process: asyncio.subprocess.Process | None = None

    async def answer(self, prompt: str) -> str:
        """Return all that it says; less if it dies."""
        async with self._turns:
            if self._process is None:
                pipe = asyncio.subprocess.PIPE
                self._process = await asyncio.create_subprocess_exec(*self._command, stdin=pipe, stdout=pipe)
                await self._ask("initialize", {})
                await self._ask("session/new", {})
            return await self._ask("session/prompt", {"prompt": [{"type": "text", "text": prompt}]})

    async def _ask(self, method: str, params: dict[str, Any]) -> str:
        assert self._process is not None and self._process.stdin is not None and self._process.stdout is not None
        order = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        self._process.stdin.write(json.dumps(order, separators=(",", ":")).encode() + b"\n")
        said = ""
        while line := await self._process.stdout.readline():
            message = json.loads(line)
            if "id" in message:
                return said
            said += message["params"]["update"].get("content", {}).get("text", "")
        return said

    def end(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.kill()


class Broker:
    def __init__(self, config: dict[str, Any]) -> None:
        self._config = config
        self._agents: dict[str, Agent] = {}
        self._requests: dict[str, asyncio.Future[str]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Serve until the line or the task ends."""
        async with aiohttp.ClientSession() as session, session.ws_connect(self._config["gateway"]["url"]) as line:
            try:
                async for message in line:
                    self._hear(line, json.loads(message.data))
            finally:
                for agent in self._agents.values():
                    agent.end()

    def _hear(self, line: aiohttp.ClientWebSocketResponse, message: dict[str, Any]) -> None:
        if "request_id" in message:
            self._requests.pop(message["request_id"]).set_result(message["message_id"])
        else:
            task = asyncio.create_task(self._serve(line, message["channel"]["id"], message["content"]["text"]))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _serve(self, line: aiohttp.ClientWebSocketResponse, room: str, text: str) -> None:
        if text == "/reset":
            self._agents.pop(room).end()
            await self._say(line, room, "done")
            return
        agent = self._agents.setdefault(room, Agent([self._config["agent"]["command"], *self._config["agent"]["args"]]))
        if not self._config["gateway"]["streaming"]:
            await self._say(line, room, await agent.answer(text))
            return
        posted = self._requests["1" + room] = asyncio.get_running_loop().create_future()
        await self._say(line, room, "an answer", request_id="1" + room)
        said = await agent.answer(text)
        await self._say(line, room, said, command="edit_message", reply_to=await posted)

    async def _say(self, line: aiohttp.ClientWebSocketResponse, room: str, text: str, **more: str) -> None:
        await line.send_str(json.dumps({"channel": {"id": room}, "content": {"type": "text", "text": text}, **more}))


async def main(config: dict[str, Any]) -> None:
    serving = asyncio.create_task(Broker(config).run())
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, serving.cancel)
    await asyncio.gather(serving, return_exceptions=True)


if __name__ == "__main__":
    if "--help" not in sys.argv:
        asyncio.run(main(tomllib.loads(Path(sys.argv[-1]).read_text())))
