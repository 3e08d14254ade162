"""The chat service that the Rust original can be pointed to: the far end of its `[gateway]`, a WebSocket with JSON.

A process of its own, as `sides.discord_server` is. Every conversation is a private channel. A message that is to be
edited later gets its id by an answer to its request.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import threading
import time
from concurrent.futures import Future
from typing import Any

from aiohttp import WSMsgType, web

from tests.bench.sides.ear import Ear, obey

__all__: list[str] = []

PATIENCE = 60.0  # seconds


class Gateway:
    """One program's connection, and what goes over it."""

    def __init__(self) -> None:
        self.ear = Ear()
        self._ids = itertools.count(1)
        self._connected: Future[tuple[int, web.WebSocketResponse]] = Future()
        self._loop = asyncio.new_event_loop()

    # ---- the loop ----

    async def listen(self, started: Future[int]) -> None:
        """Open a port, and serve as long as the loop runs."""
        application = web.Application()
        application.router.add_get("/ws", self._serve)
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        started.set_result(runner.addresses[0][1])

    async def _serve(self, request: web.Request) -> web.WebSocketResponse:
        line = web.WebSocketResponse(max_msg_size=0)
        await line.prepare(request)
        if not self._connected.done():
            self._connected.set_result((time.monotonic_ns(), line))
        async for message in line:
            if message.type is WSMsgType.TEXT:
                await self._hear(line, json.loads(message.data))
        return line

    async def _hear(self, line: web.WebSocketResponse, reply: dict[str, Any]) -> None:
        where, text = reply["channel"]["id"], reply["content"]["text"]
        match reply.get("command"):
            case None:
                number = f"m{next(self._ids)}"
                self.ear.note(where, number, text)
                if reply.get("request_id"):
                    answer = {"success": True, "thread_id": None, "message_id": number, "error": None}
                    head = {"schema": "openab.gateway.response.v1", "request_id": reply["request_id"]}
                    await line.send_str(json.dumps(head | answer))
            case "edit_message":
                self.ear.note(where, reply["reply_to"], text)
            case _:
                """Reactions are of no interest."""

    # ---- the main thread ----

    def start(self) -> int:
        """Serve in a thread; return the port."""
        started: Future[int] = Future()
        threading.Thread(target=self._loop.run_forever, daemon=True, name="gateway").start()
        asyncio.run_coroutine_threadsafe(self.listen(started), self._loop)
        return started.result(PATIENCE)

    def ready(self) -> dict[str, Any]:
        return {"at": self._connected.result(PATIENCE)[0]}

    def place(self, room: int) -> str:
        return f"room-{room}"

    def write(self, room: int, text: str) -> dict[str, Any]:
        where, number = self.place(room), f"m{next(self._ids)}"
        self.ear.forget(where)
        event = {
            "schema": "openab.gateway.event.v1", "event_id": number, "timestamp": "2026-01-01T00:00:00Z",
            "platform": "bench", "channel": {"id": where, "type": "private", "thread_id": None},
            "sender": {"id": "1", "name": "ann", "display_name": "Ann", "is_bot": False},
            "content": {"type": "text", "text": text, "attachments": []}, "mentions": [], "message_id": number,
        }  # fmt: skip
        line = self._connected.result(PATIENCE)[1]
        at = time.monotonic_ns()
        asyncio.run_coroutine_threadsafe(line.send_str(json.dumps(event)), self._loop).result(PATIENCE)
        return {"at": at}


if __name__ == "__main__":
    gateway = Gateway()
    print(json.dumps({"url": f"ws://127.0.0.1:{gateway.start()}/ws"}), flush=True)
    obey(gateway)
