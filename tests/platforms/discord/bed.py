"""A whole house on the fake Discord: the real app, sessions and agent processes, the real platform, logged in.

``with house(server) as bed:`` gives one; leaving it stops everything and checks that the fake saw no rule broken.
Further arguments are sections of the configuration: ``house(server, pool={"max_sessions": 1})``; those of `discord` are
added to what is needed to log in, with everybody let in.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from openab_sync.app import App
from openab_sync.clock import SystemClock
from openab_sync.config.live import Live
from openab_sync.config.schema import Config
from openab_sync.core.ledger import Journaled
from openab_sync.core.retention import Retention
from openab_sync.platforms.discord.platform import Discord
from openab_sync.store import Books, Keeping, Store, open_books
from tests.fakes import fake_agent
from tests.fakes.discord import Server
from tests.fakes.discord.actors import Actor
from tests.fakes.discord.things import Channel, Message
from tests.waiting import MS, until

__all__ = ["Bed", "admin", "house", "settings"]


@dataclass(frozen=True)
class Bed:
    """What there is, and what people do most."""

    server: Server
    live: Live
    platform: Discord
    app: App
    books: Books
    store: Store
    folder: Path  # the store's; files that came with messages are in inbox/

    @property
    def config(self) -> Config:
        return self.live.config

    def renew(self, **keys: Any) -> None:
        """Have other keys of `[discord]` apply from now on."""
        assert self.config.discord is not None
        section = msgspec.structs.replace(self.config.discord, **keys)
        self.live.renew(msgspec.structs.replace(self.config, discord=section))

    @property
    def ann(self) -> Actor:
        return self.server.user("ann")

    def mention(self, text: str, channel: Channel | str = "general", by: Actor | None = None, **more: Any) -> Message:
        """Somebody, Ann if nobody else, mentions the bot and says something."""
        app = self.server.app
        return (by or self.ann).write(channel, f"<@{app.id}> {text}", mentions=[app], **more)

    def thread(self, text: str, channel: Channel | str = "general", by: Actor | None = None) -> Channel:
        """Somebody mentions the bot; return the thread that opens."""
        message = self.mention(text, channel, by)
        self.server.until(lambda: message.thread, what=f"a thread opens for {text!r}")
        assert message.thread is not None
        return message.thread

    def until_said(self, text: str, channel: Channel | str = "") -> Message:
        """Wait until the bot has a message with this text in it; return it."""
        return self.server.until_said(text, channel, 10000 * MS)


def admin(server: Server) -> dict[str, list[str]]:
    """What makes Ann an admin, for a bed's `discord`."""
    return {"admin_users": [str(server.user("ann").id)]}


def settings(server: Server, *flags: str, command: Sequence[str] | None = None, **sections: Any) -> Config:
    """The configuration of a bed: the fault agent with `flags`, or `command`."""
    program, *args = command or fake_agent(*flags)
    ours: dict[str, dict[str, Any]] = {
        "agent": {"command": program, "args": args},
        "pool": {"shutdown_grace_secs": 0, "cancel_grace_secs": 5},
        "reactions": {"timing": {"debounce_ms": 0}},
        "limits": {"person": {"messages_per_minute": 0}},  # tests write faster than people
        "discord": {"bot_token": server.token, "api_url": server.origin, "allow_all_users": True},
    }
    both = {name: {**ours.get(name, {}), **sections.get(name, {})} for name in {*ours, *sections}}
    return msgspec.convert(both, Config)


@contextmanager
def house(
    server: Server,
    *flags: str,
    command: Sequence[str] | None = None,
    folder: Path | None = None,
    login: Sequence[str] = (),
    **sections: Any,
) -> Iterator[Bed]:
    """A bed; with a `folder`, that of an earlier one, it remembers what that one knew."""
    config = settings(server, *flags, command=command, **sections)
    if server.gateway.identifies:
        server.advance(6.0)  # Discord takes a new session every five seconds
    with tempfile.TemporaryDirectory() as name:
        at = folder or Path(name)
        store = Store.open(at)
        try:
            with _running(server, config, store, login) as bed:
                yield bed
        finally:
            assert store.close()
    assert server.violations == []


@contextmanager
def _running(server: Server, config: Config, store: Store, login: Sequence[str]) -> Iterator[Bed]:
    live, books = Live(config), open_books(store)
    platform = Discord(live, books, store.folder / "inbox", login=login, options={"guild_ready_timeout": 0.01})
    platform.client.identify_pause = 0.0
    ledger = Journaled(books.deliveries, books.replies)
    retention = Retention(Keeping(store), {"discord": platform}, SystemClock(), live.keep_days)
    more: dict[str, Any] = {"shelf": books.memories, "ledger": ledger, "retention": retention}
    app = App(live, {"discord": platform.port}, environ=os.environ, outbox=store.folder / "outbox", **more)
    app.start()
    platform.start(app.broker)
    try:
        until(lambda: platform.is_ready or platform.failure.done(), 10000 * MS, "the bot is there")
        yield Bed(server, live, platform, app, books, store, store.folder)
    finally:
        stopped = app.stop(), platform.stop()
    assert stopped == (True, True)
