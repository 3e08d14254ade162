"""The gateway: sockets, their handshake and heartbeat, and what can go wrong with them.

Threads: connections live on the server's loop; `post` and the faults may be called from any thread.
Locks: the world's, around sessions; never across an await.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from aiohttp import WSMsgType, web

from tests.fakes.discord.calls import Backend
from tests.fakes.discord.payloads import member_json
from tests.fakes.discord.rest import cut
from tests.fakes.discord.sessions import PRIVILEGED, Session
from tests.fakes.discord.things import Json
from tests.fakes.discord.wire import compressor
from tests.fakes.discord.world import Event

__all__ = ["Connection", "Gateway"]

MOST_BYTES = 4096
MOST_EVENTS, WINDOW = 120, 60.0
KNOWN_INTENTS = (1 << 26) - 1
Close = tuple[int, str]


class Connection:
    """One socket of a client."""

    def __init__(self, gateway: Gateway, request: web.Request, ws: web.WebSocketResponse) -> None:
        self.gateway = gateway
        self.ws = ws
        self.session: Session | None = None
        self.heartbeats: list[float] = []  # when they came, the clock's monotonic seconds
        self.is_deaf = False  # takes everything, answers nothing
        self._request = request
        self._loop = asyncio.get_running_loop()
        self._out: asyncio.Queue[str | Close] = asyncio.Queue()
        self._came: deque[float] = deque()
        self._compress = compressor(request.query.get("compress", ""))

    # ---- any thread; never blocks ----

    def post(self, payload: str) -> None:
        self._call(self._out.put_nowait, payload)

    def close(self, code: int, reason: str = "") -> None:
        """Close the socket after what is already posted."""
        self._call(self._out.put_nowait, (code, reason))

    def drop(self) -> None:
        """Cut the connection, without a word."""
        self._call(self._abort)

    def deafen(self) -> None:
        """From now on nothing is answered or sent, while the socket stays open."""
        self.is_deaf = True

    def _call(self, act: Callable[..., object], *arguments: Any) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(act, *arguments)

    # ---- the loop ----

    def _abort(self) -> None:
        if self._request.transport is not None:
            self._request.transport.abort()

    def say(self, op: int, data: object = None) -> None:
        self.post(json.dumps({"op": op, "d": data, "s": None, "t": None}))

    async def run(self) -> None:
        """HELLO, then read until the socket ends; a task of its own writes."""
        writer = asyncio.create_task(self._write())
        try:
            self.say(10, {"heartbeat_interval": round(self.gateway.heartbeat_interval * 1000), "_trace": []})
            async for message in self.ws:
                if message.type in {WSMsgType.TEXT, WSMsgType.BINARY} and not self.is_deaf:
                    raw = message.data if isinstance(message.data, bytes) else message.data.encode()
                    self._take(raw)
        finally:
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)
            self.gateway.ended(self, self.ws.close_code)

    async def _write(self) -> None:
        while True:
            payload = await self._out.get()
            if self.is_deaf:
                continue
            try:
                if isinstance(payload, tuple):
                    await self.ws.close(code=payload[0], message=payload[1].encode())
                elif self._compress is None:
                    await self.ws.send_str(payload)
                else:
                    await self.ws.send_bytes(self._compress(payload.encode()))
            except ConnectionError:  # the other side has gone; the reader notices
                return

    def _take(self, raw: bytes) -> None:
        now = self.gateway.backend.world.clock.monotonic()
        self._came.append(now)
        while self._came[0] < now - WINDOW:
            self._came.popleft()
        op, data = _read(raw)
        if op < 0:
            self._refuse(4002, "Error while decoding payload.")
        elif len(raw) > MOST_BYTES:
            self._refuse(4002, f"a payload of {len(raw)} bytes")
        elif len(self._came) > MOST_EVENTS:
            self._refuse(4008, "You are being rate limited.")
        else:
            with self.gateway.backend.world.changed:
                self._serve(op, data, now)

    def _refuse(self, code: int, reason: str) -> None:
        """Close for something that the client should not have done."""
        self.gateway.backend.world.violation(f"the gateway closed with {code}: {reason}")
        self.close(code, reason)

    def _serve(self, op: int, data: Any, now: float) -> None:
        if op == 1:
            self.heartbeats.append(now)
            self.say(11)
            self.gateway.backend.world.touch()
        elif op == 2:
            self.gateway.identify(self, data)
        elif op == 6:
            self.gateway.resume(self, data)
        elif self.session is None:
            self._refuse(4003, "Not authenticated.")
        elif op == 8:
            self._send_members(data)
        elif op == 3:
            self.gateway.presences.append(data)
        elif op not in {4, 31}:
            self._refuse(4001, f"Unknown opcode {op}.")

    def _send_members(self, data: Json) -> None:
        assert self.session is not None
        guild = self.gateway.backend.world.guilds[int(data["guild_id"])]
        found = [
            member_json(member)
            for member in guild.members.values()
            if str(member.user.id) in {str(one) for one in data.get("user_ids") or []}
            or ("query" in data and member.user.name.startswith(data["query"]))
        ]
        chunk = {
            "guild_id": str(guild.id), "members": found, "chunk_index": 0, "chunk_count": 1, "not_found": [],
            "presences": [], "nonce": data.get("nonce"),
        }  # fmt: skip
        self.session.push("GUILD_MEMBERS_CHUNK", chunk)


def _read(raw: bytes) -> tuple[int, Any]:
    """The opcode and data of what came; −1 for what is no payload."""
    try:
        payload = json.loads(raw)
        return int(payload["op"]), payload.get("d")
    except (ValueError, KeyError, TypeError):
        return -1, None


class Gateway:
    """All sessions and connections. Faults may be ordered from any thread."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.heartbeat_interval = 41.25  # seconds
        self.must_join_threads = True
        self.connections: list[Connection] = []  # open ones
        self.sessions: dict[str, Session] = {}
        self.presences: list[Json] = []
        self.identifies = 0
        self.resumes = 0  # that succeeded
        self.accepted = 0  # sockets, ever
        self._deaf = 0
        self._refused = 0
        self._down: asyncio.Event | None = None  # what new connections wait for
        self._loop: asyncio.AbstractEventLoop | None = None
        self._starts: dict[tuple[str, int], float] = {}
        backend.world.listeners.append(self._hear)

    # ---- faults; any thread ----

    def reconnect(self) -> None:
        """Ask every client to reconnect and resume (op 7)."""
        self._each(lambda connection: connection.say(7))

    def invalidate(self, *, resumable: bool = False) -> None:
        """Tell every client that its session is over (op 9), unless `resumable` for good."""
        with self.backend.world.changed:
            if not resumable:
                self.sessions.clear()
            self._each(lambda connection: connection.say(9, resumable))

    def drop(self) -> None:
        """Cut every connection; the sessions can be resumed."""
        with self.backend.world.changed:
            for connection in self.connections:
                if connection.session is not None:
                    connection.session.line = None  # at once: what happens from now on is missed
            self._each(Connection.drop)

    @contextmanager
    def down(self) -> Iterator[None]:
        """Cut every connection, and let new ones wait for as long as this lasts."""
        with self.backend.world.changed:
            self._down = asyncio.Event()
            self.drop()
        try:
            yield
        finally:
            self.up()

    def up(self) -> None:
        """The end of `down`."""
        with self.backend.world.changed:
            down, self._down = self._down, None
        if down is not None and self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(down.set)

    def close(self, code: int, reason: str = "") -> None:
        """Close every connection with this code."""
        self._each(lambda connection: connection.close(code, reason))

    def deafen(self, *, next_ones: int = 0) -> None:
        """Make every connection deaf, and so many of the next ones: they take everything and answer nothing."""
        with self.backend.world.changed:
            self._deaf = next_ones
            self._each(Connection.deafen)

    def forget(self) -> None:
        """Lose all sessions: the next resume is refused with op 9."""
        with self.backend.world.changed:
            self.sessions.clear()

    def refuse(self, times: int) -> None:
        """Cut the next so many sockets before they are any."""
        with self.backend.world.changed:
            self._refused = times

    def _each(self, act: Callable[[Connection], None]) -> None:
        with self.backend.world.changed:
            for connection in list(self.connections):
                act(connection)

    # ---- the loop ----

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Take a socket."""
        with self.backend.world.changed:
            is_refused, self._refused = self._refused > 0, max(0, self._refused - 1)
            self._loop, down = asyncio.get_running_loop(), self._down
        if down is not None:
            await down.wait()
        if is_refused:
            return cut(request)
        ws = web.WebSocketResponse(timeout=1.0, compress=False, max_msg_size=1 << 20)
        await ws.prepare(request)
        connection = Connection(self, request, ws)
        with self.backend.world.changed:
            connection.is_deaf, self._deaf = self._deaf > 0, max(0, self._deaf - 1)
            self.connections.append(connection)
            self.accepted += 1
            self.backend.world.touch()
        if (request.query.get("v"), request.query.get("encoding")) != ("10", "json"):
            connection.close(4012, "Invalid API version.")
        await connection.run()
        return ws

    def ended(self, connection: Connection, code: int | None) -> None:
        """A socket is gone. A client that closed with 1000 or 1001 has given its session up."""
        with self.backend.world.changed:
            self.connections.remove(connection)
            session = connection.session
            if session is not None and session.line is connection:
                session.line = None
                if code in {1000, 1001}:
                    self.sessions.pop(session.id, None)
            self.backend.world.touch()

    def identify(self, connection: Connection, data: Json) -> None:
        """Begin a session, or close with the code that says why not."""
        app = self.backend.world.apps.get(str(data.get("token", "")).removeprefix("Bot "))
        intents, shard = int(data.get("intents") or 0), data.get("shard") or [0, 1]
        if connection.session is not None:
            return self._wrong(connection, 4005, "Already authenticated.")
        if app is None:
            return connection.close(4004, "Authentication failed.")
        if not 0 <= shard[0] < shard[1]:
            return self._wrong(connection, 4010, "Invalid shard.")
        if shard[1] < self.backend.shards:
            return connection.close(4011, "Sharding required.")
        if intents & ~KNOWN_INTENTS:
            return self._wrong(connection, 4013, "Invalid intent(s).")
        if intents & PRIVILEGED & ~app.privileged:
            return connection.close(4014, "Disallowed intent(s).")
        if app.starts_left <= 0:
            return self._wrong(connection, 4004, "The daily limit of identifies is used up; the token was reset.")
        self._begin(connection, Session(self.backend.world, secrets.token_hex(16), app, intents, (shard[0], shard[1])))
        return None

    def _begin(self, connection: Connection, session: Session) -> None:
        now, key = (
            self.backend.world.clock.monotonic(),
            (session.app.token, session.shard[0] % self.backend.max_concurrency),
        )
        if now - self._starts.get(key, -10.0) < 4.9:
            self.backend.world.violation("identifies twice within 5 s")
        self._starts[key] = now
        session.app.starts_left -= 1
        self.identifies += 1
        session.must_join_threads = self.must_join_threads
        self.sessions[session.id] = session
        connection.session, session.line = session, connection
        session.ready(self.backend.gateway_url)
        self.backend.world.touch()

    def resume(self, connection: Connection, data: Json) -> None:
        """Go on with a session: what was missed, then RESUMED; op 9 if it is not known any more."""
        session = self.sessions.get(str(data.get("session_id")))
        if data.get("token") not in self.backend.world.apps:
            return connection.close(4004, "Authentication failed.")
        if session is None or session.app.token != data["token"] or not session.can_replay(int(data.get("seq") or 0)):
            return connection.say(9, data=False)
        connection.session, session.line = session, connection
        session.replay(int(data.get("seq") or 0))
        session.push("RESUMED", {"_trace": ["fake"]})
        self.resumes += 1
        self.backend.world.touch()
        return None

    def _wrong(self, connection: Connection, code: int, reason: str) -> None:
        self.backend.world.violation(f"the gateway closed with {code}: {reason}")
        connection.close(code, reason)

    def _hear(self, event: Event) -> None:
        for session in self.sessions.values():
            session.hear(event)
