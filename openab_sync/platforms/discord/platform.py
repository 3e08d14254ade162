"""The Discord platform: its parts, put together around a house that somebody else builds, started and stopped in order.

    start:  the loop → the parts → logging in, which goes on by itself until it has worked
    stop:   (the house has stopped: sessions have said their last word) → what still comes in → last requests → the
            connection → the loop

**Threads**: `start` and `stop` are the main thread's; everything of discord.py happens in `chat-discord`.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Any

from discord import app_commands

from ...clock import Clock, Deadline, SystemClock
from ...config.live import Live
from ...config.schema import Config, DiscordConfig
from ...core.broker import Broker
from ...core.figures import Figure, Observe, unobserved
from ...core.message import Conversation
from ...core.presence import Presence
from ...errors import ConfigError, StoreError
from ...media.inbox import folder_of, remove, sweep
from ...media.outbox import beside, sweep_outboxes
from ...text.redact import Redactor
from ...threads import Beat
from ..loop import EventLoopThread
from .api import Redirect
from .approvers import Approvers
from .attachments import Downloads
from .calls import unheard
from .catching import Catching
from .changes import Changes
from .client import make_client
from .gate import Gate
from .hearing import Hearing, Parts
from .incoming import Incoming
from .kit import Kit
from .orders import Orders
from .port import PLATFORM, DiscordPort
from .questions import Questions
from .recovering import Recovering
from .startup import Startup
from .supervise import Supervisor
from .tracing import trace

if TYPE_CHECKING:
    from ...store import Books

__all__ = ["Discord"]

log = logging.getLogger(__name__)

BUILDING = 30.0  # seconds until the parts have to be there
LAST_CALLS = 2.0  # seconds for requests that are under way when the house has stopped
STOPPING = 10.0  # seconds for the end
FORGETTING = 60.0  # seconds to forget a conversation: a disk may be slow


class Discord:
    """One bot on Discord."""

    name = PLATFORM

    def __init__(
        self,
        settings: Config | Live,
        books: Books,
        inbox: Path,
        *,
        redact: Redactor | None = None,
        clock: Clock | None = None,
        login: Sequence[str] = (),
        options: Mapping[str, Any] | None = None,
        observe: Observe = unobserved,
    ) -> None:
        """Build what the house needs of it; start nothing.

        `redact` takes secrets out of exports, `login` is a program that logs the agent in, `options` are further ones
        of discord.py's client.

        Raise ConfigError without a section `[discord]`.
        """
        self._live = Live.of(settings)
        config = self._live.config
        if config.discord is None:
            raise ConfigError("there is no section [discord]", hint='add it, with bot_token = "${DISCORD_BOT_TOKEN}"')
        self._books = books
        self._inbox = inbox
        self._redact = redact or Redactor([config.discord.bot_token.strip(), *config.agent.env.values()])
        self._login = tuple(login)
        self._clock = clock or SystemClock()
        self._redirect = Redirect(config.discord.api_url)
        self._loop = EventLoopThread("chat-discord", lambda lag: observe(Figure.LOOP_LAG, lag, PLATFORM))
        self._hearing = Hearing()
        self.client = make_client(config.discord, self._hearing, http_trace=trace(observe), **(options or {}))
        questions = Questions(self.client, books, self._clock, lambda: Approvers.of(self._section()))
        self.port = DiscordPort(self._loop, self.client, books, self._section, self._clock, questions)
        self.failure: Future[ConfigError] = Future()  # completed when it has given up
        self._connection: asyncio.Task[None] | None = None
        self._downloads: Downloads | None = None

    def _section(self) -> DiscordConfig:
        """The section `[discord]` as it is now. Any thread."""
        assert self._live.config.discord is not None
        return self._live.config.discord

    # ---- the main thread ----

    @property
    def is_ready(self) -> bool:
        """Whether the bot has been there for people once. Any thread."""
        return self._hearing.is_ready.is_set()

    @property
    def beat(self) -> Beat:
        """What shows that the loop turns."""
        return self._loop.beat

    @property
    def presence(self) -> Presence:
        """How it stands with Discord. Any thread; never blocks."""
        parts = self._hearing.parts
        supervisor = parts.supervisor if parts is not None else None
        trouble = self._hearing.trouble if supervisor is None else supervisor.trouble or self._hearing.trouble
        if self.failure.done():
            trouble = str(self.failure.result())
        return Presence(PLATFORM, trouble, self._latency(), supervisor.reconnects if supervisor else 0)

    def _latency(self) -> float | None:
        try:
            latency = self.client.latency
        except (RuntimeError, ZeroDivisionError):  # its shards are just coming or going, on the loop
            return None
        return latency if math.isfinite(latency) else None

    def start(self, broker: Broker) -> None:
        """Begin; return when the loop runs and all parts are there. Logging in takes what it takes, by itself."""
        self._redirect.on()
        self._loop.start()
        self._loop.submit(self._build(broker), BUILDING).result()

    def stop(self) -> bool:
        """Leave Discord, bounded; return whether all of it ended by itself. Blocks; nothing happens without a start."""
        deadline = Deadline(self._clock, STOPPING)
        if self._loop.is_running:
            self._loop.settle(LAST_CALLS)
            self._loop.submit(self._leave(), max(1.0, deadline.left - LAST_CALLS)).exception()
        ended = self._loop.stop(deadline.left)
        self._redirect.off()
        return ended

    # ---- what is kept, and forgotten (core.retention.Forgetter) ----

    def forget(self, conversation: Conversation) -> Future[None]:
        """Forget who took part there, what its buttons belong to, and its files. Any thread; returns at once."""
        return self._loop.submit(self._forget(conversation), FORGETTING)

    def tidy(self, age: float) -> None:
        """Delete files of messages that are older than `age` seconds. Not on the loop; blocks as a disk does."""
        sweep(self._inbox, age, self._clock.time())
        sweep_outboxes(beside(self._inbox), age, self._clock.time())

    # ---- the loop ----

    async def _forget(self, conversation: Conversation) -> None:
        self._books.conversations.forget(conversation.key)
        self._books.buttons.forget(conversation.key)
        folders = [folder_of(root, conversation.key) for root in (self._inbox, beside(self._inbox))]
        gone = [await asyncio.to_thread(remove, folder) for folder in folders]
        if not all(gone):
            raise StoreError("files could not be deleted")

    async def _build(self, broker: Broker) -> None:
        asyncio.get_running_loop().set_exception_handler(unheard)
        more = self._clock, self._inbox, self._redact, self._login
        kit = Kit(self._live, self.client, broker, self.port, self._books, *more)
        self._downloads = Downloads(self._inbox, api_url=kit.discord.api_url, proxy=kit.discord.proxy)
        gate = Gate(kit)
        incoming = Incoming(kit, gate, self._downloads)
        catching = Catching(kit, gate, incoming)
        orders = Orders(kit, gate, incoming)
        tree = app_commands.CommandTree(self.client)
        orders.register(tree)
        supervisor = Supervisor(self.client, kit.discord.bot_token)
        recovering, changes = Recovering(kit, incoming), Changes(kit, gate, incoming, catching)
        recovering.begin()
        startup = Startup(kit, gate, incoming, catching)
        self._hearing.parts = Parts(
            incoming, catching, changes, orders, tree, supervisor, self.port.calls, recovering, startup
        )
        self._connection = asyncio.create_task(self._connect(supervisor), name="discord connection")

    async def _connect(self, supervisor: Supervisor) -> None:
        try:
            await supervisor.run()
        except ConfigError as error:
            log.error("Discord: %s", error)
            self.failure.set_result(error)

    async def _leave(self) -> None:
        parts, self._hearing.parts = self._hearing.parts, None
        try:
            if parts is not None:
                parts.recovering.close()
                await parts.catching.close()
                await parts.incoming.close()
                await parts.orders.close()
            if self._downloads is not None:
                await self._downloads.close()
        finally:  # also if the time is over: the gateway is to know that we leave
            await self.client.end()
            if self._connection is not None:
                self._connection.cancel()
                await asyncio.wait({self._connection})
