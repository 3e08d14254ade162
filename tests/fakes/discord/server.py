"""The server: a thread with an event loop of its own that serves the world over HTTP and WebSocket on loopback.

Threads: `fake-discord` runs the loop; it waits for sockets and for `stop`, and ends with it. Everything else here is
called from the test's threads.
Locks: only the world's.
Never: no waiting for the loop while the lock is held.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from types import TracebackType
from typing import Any, Self, TypeVar

from aiohttp import web

from tests.fakes.discord.actors import Actor
from tests.fakes.discord.buckets import Buckets
from tests.fakes.discord.calls import Backend, Request
from tests.fakes.discord.cdn import Cdn
from tests.fakes.discord.clock import Clock, ShiftedClock
from tests.fakes.discord.faults import Fault
from tests.fakes.discord.gateway import Gateway
from tests.fakes.discord.interactions import Interactions
from tests.fakes.discord.payloads import channel_json, guild_json
from tests.fakes.discord.permissions import BOT
from tests.fakes.discord.rest import Rest
from tests.fakes.discord.things import TEXT, App, Channel, Json, Message, Overwrite, Role, User
from tests.fakes.discord.world import Event, World

__all__ = ["Server"]

T = TypeVar("T")

PATIENCE = 5.0  # seconds of real time that `until` waits
MOST_BODY = 128 * 1024 * 1024


def _wake(loop: asyncio.AbstractEventLoop, event: asyncio.Event) -> None:
    loop.call_soon_threadsafe(event.set)


class Server:
    """Discord on loopback, with one guild ("house"), one text channel ("general") and one bot in it.

    Use it as a context manager. `clock` drives limits and deadlines; `limits` overrides `buckets.LIMITS`.
    """

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        limits: Mapping[str, tuple[int, float]] | None = None,
        port: int = 0,
        token: str = "",
    ) -> None:
        self.clock = clock or ShiftedClock()
        self.world = World(self.clock)
        self.backend = Backend(self.world, Buckets(self.clock, limits), Interactions(self.world))
        self.gateway = Gateway(self.backend)
        self._port = port
        self._thread: threading.Thread | None = None
        self._stop: Callable[[], None] = lambda: None
        self._people: dict[str, Actor] = {}
        self.owner = self.world.add_user("owner")
        self.guild = self.world.add_guild("house", self.owner)
        self.app = self.add_app("bridge", token=token)
        self.general = self.world.add_channel(self.guild, "general")

    # ---- its life ----

    def start(self) -> Self:
        """Begin to serve; return when the port is open. Raise OSError if it cannot be."""
        started: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, args=(started,), name="fake-discord", daemon=True)
        self._thread.start()
        started.result(10)
        return self

    def stop(self) -> None:
        """Cut what is open and end the thread. Nothing is left behind."""
        self.backend.faults.clear()
        self.gateway.up()
        self._stop()
        if self._thread is not None:
            self._thread.join(10)
            assert not self._thread.is_alive(), "the fake's loop does not end"

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def _run(self, started: Future[None]) -> None:
        try:
            asyncio.run(self._serve(started))
        except BaseException as error:
            if started.done():
                raise
            started.set_exception(error)

    async def _serve(self, started: Future[None]) -> None:
        stopping = asyncio.Event()
        loop = asyncio.get_running_loop()
        runner = web.AppRunner(self._application(), access_log=None, handle_signals=False, shutdown_timeout=0.5)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", self._port)
            await site.start()
            self._port = runner.addresses[0][1]
            self.world.origin = f"http://127.0.0.1:{self._port}"
            self.backend.gateway_url = f"ws://127.0.0.1:{self._port}/gateway"
            self._stop = lambda: _wake(loop, stopping)
            started.set_result(None)
            await stopping.wait()
        finally:
            self._stop = lambda: None
            self.gateway.drop()
            await asyncio.sleep(0)  # the cuts
            await runner.cleanup()

    def _application(self) -> web.Application:
        application = web.Application(client_max_size=MOST_BODY)
        application.router.add_get("/gateway", self.gateway.serve)
        application.router.add_get("/gateway/", self.gateway.serve)
        application.router.add_get("/attachments/{channel}/{id}/{name}", Cdn(self.backend).serve)
        application.router.add_route("*", "/api/{rest:.*}", Rest(self.backend).serve)
        self.extend(application)
        return application

    def extend(self, application: web.Application) -> None:
        """Add more to what is served; the program's page does."""

    # ---- where it is ----

    @property
    def origin(self) -> str:
        """http://127.0.0.1:port: what a client is configured with."""
        return self.world.origin

    @property
    def rest_root(self) -> str:
        return f"{self.world.origin}/api/v10"

    @property
    def gateway_url(self) -> str:
        return self.backend.gateway_url

    @property
    def token(self) -> str:
        """The bot's token."""
        return self.app.token

    # ---- the world ----

    @property
    def apps(self) -> list[App]:
        return list(self.world.apps.values())

    def add_app(self, name: str, permissions: int = int(BOT), *, token: str = "") -> App:
        """Another bot that can log in: an app of its own, a member of the guild with a role of its own."""
        with self.world.changed:
            app = self.world.add_app(name, token)
            role = self.world.add_role(self.guild, name, permissions)
            role.managed_by = app.id
            self.world.add_member(self.guild, app.user, role)
            return app

    def app_of(self, user: User) -> App:
        """The app whose bot this is. Raise LookupError for anybody else."""
        for app in self.apps:
            if app.user is user:
                return app
        raise LookupError(f"{user!r} is not the bot of an app")

    def user(self, name: str, *roles: Role) -> Actor:
        """The person of this name; made, and a member of the guild, when first named."""
        return self._actor(name, roles, bot=False)

    def bot(self, name: str, *roles: Role) -> Actor:
        """A bot that a test plays; it does not log in."""
        return self._actor(name, roles, bot=True)

    def webhook(self, name: str) -> Actor:
        """A webhook of the guild: its messages have `webhook_id`, and it is nobody's member."""
        with self.world.changed:
            if name not in self._people:
                user = self.world.add_user(name, bot=True)
                self._people[name] = Actor(self, user, webhook_id=user.id)
            return self._people[name]

    def admit(self, app: App | None = None) -> None:
        """Make the bot a member of the guild again."""
        with self.world.changed:
            app = app or self.app
            roles = [role for role in self.guild.roles.values() if role.managed_by == app.id]
            self.world.add_member(self.guild, app.user, *roles)
            new = guild_json(self.world, self.guild, app)
            del new["unavailable"]  # that is how a client tells a new guild from one that has come back
            self._emit("GUILD_CREATE", lambda told: new if told is app else None)

    def expel(self, app: App | None = None) -> None:
        """Take the bot out of the guild: then it sees nothing of it."""
        with self.world.changed:
            app = app or self.app
            gone = {"id": str(self.guild.id)}
            self._emit("GUILD_DELETE", lambda told: gone if told is app else None)
            self.guild.members.pop(app.id, None)

    def _actor(self, name: str, roles: tuple[Role, ...], *, bot: bool) -> Actor:
        with self.world.changed:
            if name not in self._people:
                user = self.world.add_user(name, bot=bot)
                self._people[name] = Actor(self, user)
            self.world.add_member(self.guild, self._people[name].user, *roles)
            return self._people[name]

    def channel(self, which: Channel | str = "") -> Channel:
        """A channel by its name ("": general). Raise LookupError if there is none."""
        if isinstance(which, Channel):
            return which
        with self.world.changed:
            for channel in self.world.channels.values():
                if channel.name == (which or "general") and not channel.deleted:
                    return channel
        raise LookupError(f"there is no channel {which!r}")

    def add_channel(self, name: str, kind: int = TEXT, parent: Channel | None = None) -> Channel:
        """A channel in the guild, made before the bot logs in or told to it when it has."""
        channel = self.world.add_channel(self.guild, name, kind, parent)
        self._tell("CHANNEL_CREATE", channel)
        return channel

    def allow(self, channel: Channel, who: Role | User | App, *, allow: int = 0, deny: int = 0) -> None:
        """Put an overwrite on a channel."""
        kind = 0 if isinstance(who, Role) else 1
        with self.world.changed:
            channel.overwrites[who.id] = Overwrite(who.id, kind, int(allow), int(deny))
        self._tell("CHANNEL_UPDATE", channel)

    def _tell(self, name: str, channel: Channel) -> None:
        self._emit(name, lambda app: channel_json(channel, app), channel)

    def _emit(self, name: str, data: Callable[[App], Json | None], channel: Channel | None = None) -> None:
        with self.world.changed:
            self.world.emit(Event(name, data, self.guild, channel))

    @property
    def everyone(self) -> Role:
        return self.guild.roles[self.guild.id]

    # ---- looking and waiting ----

    def until(self, predicate: Callable[[], T], timeout: float = PATIENCE, what: str = "") -> T:
        """Wait until `predicate` returns something true; return that. Raise AssertionError after `timeout` seconds.

        It is asked under the world's lock at each change: it may look at everything, and must not wait for the client.
        """
        return self.world.until(predicate, timeout, what)

    def advance(self, seconds: float) -> None:
        """Let time pass for limits, deadlines and links, and nobody wait."""
        self.clock.advance(seconds)
        self.world.touch()

    def until_said(self, text: str, channel: Channel | str = "", timeout: float = PATIENCE) -> Message:
        """Wait until the bot has a message with this text in it (edited into it counts); return the message."""

        def said() -> list[Message]:
            history = self.channel(channel).history
            return [one for one in history if one.author is self.app.user and text in one.content]

        return self.until(said, timeout, f"the bot says {text!r}")[-1]

    def until_ready(self, timeout: float = 10.0) -> None:
        """Wait until the bot has a session with a connection."""
        self.until(lambda: any(session.line for session in self.gateway.sessions.values()), timeout, "the bot logs in")

    @property
    def requests(self) -> list[Request]:
        """Every REST request that was answered or cut, in that order."""
        with self.world.changed:
            return list(self.backend.requests)

    def asked(self, method: str, route_end: str) -> list[Request]:
        """The requests of a method whose route ends so ("/messages", "/threads" …)."""
        return [one for one in self.requests if one.method == method and one.route.endswith(route_end)]

    @property
    def violations(self) -> list[str]:
        """The rules that the client broke, a sentence each; empty after every good test."""
        with self.world.changed:
            for it in self.backend.interactions.forgotten():
                name = it.data.get("name") or it.data.get("custom_id")
                self.world.violation(f"{it.user.name} got no answer to {name!r} within 3 s")
            return list(self.world.violations)

    def forgive(self, text: str) -> list[str]:
        """Take the violations with this text off the list, because a test meant them; return them.

        Raise AssertionError if there are none.
        """
        found = [one for one in self.violations if text in one]
        assert found, f"no violation has {text!r}: {self.world.violations}"
        with self.world.changed:
            self.world.violations = [one for one in self.world.violations if text not in one]
        return found

    # ---- what goes wrong ----

    def fail(self, method: str = "*", path: str = "*", **what: Any) -> Fault:
        """Order a fault: the fields of `Fault`."""
        with self.world.changed:
            return self.backend.faults.add(Fault(method, path, **what))

    def __repr__(self) -> str:
        return f"<Server {self.origin or 'not started'} requests={len(self.backend.requests)}>"
