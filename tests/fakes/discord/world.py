"""The world: everything there is on this server, its lock, and the news of what changes in it.

Threads: test threads (through actors) and the server's loop thread.
Locks: `changed` (a Condition over an RLock) guards everything in `things`; it is held for a few lines at a time.
Never: no I/O and no waiting under the lock, except for `changed` itself in `until`.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from tests.fakes.discord.clock import Clock
from tests.fakes.discord.errors import ApiError
from tests.fakes.discord.permissions import EVERYONE, Can, granted
from tests.fakes.discord.things import (
    CATEGORY,
    DM,
    PRIVATE_THREAD,
    TEXT,
    App,
    Channel,
    Guild,
    Json,
    Member,
    Message,
    Overwrite,
    Role,
    User,
)

__all__ = ["Event", "World"]

T = TypeVar("T")

EPOCH = 1_420_070_400.0  # the first second of 2015, where Discord's ids begin


@dataclass(frozen=True)
class Event:
    """Something that happened. `data` may depend on which application is told; None tells it nothing."""

    name: str
    data: Callable[[App], Json | None]
    guild: Guild | None = None
    channel: Channel | None = None
    app: App | None = None  # only for this one
    message: Message | None = None  # whose content not every bot may read


class World:
    """All things by id. Any thread; methods take the lock themselves."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.changed = threading.Condition(threading.RLock())
        self.users: dict[int, User] = {}
        self.apps: dict[str, App] = {}  # by token
        self.guilds: dict[int, Guild] = {}
        self.channels: dict[int, Channel] = {}
        self.nonces: dict[tuple[int, str], Message] = {}  # author and nonce → the last message with them
        self.typing: list[tuple[Channel, User]] = []  # every time somebody began to type
        self.violations: list[str] = []
        self.listeners: list[Callable[[Event], None]] = []
        self.origin = ""  # where attachments are served; known when the server listens
        self.version = 0  # counts changes
        self._last_id = 0

    # ---- news ----

    def emit(self, event: Event) -> None:
        """Tell every listener. The lock is held: events have one order."""
        with self.changed:
            for listener in self.listeners:
                listener(event)
            self.touch()

    def touch(self) -> None:
        """Wake those who wait for something to change."""
        with self.changed:
            self.version += 1
            self.changed.notify_all()

    def until(self, predicate: Callable[[], T], timeout: float, what: str = "") -> T:
        """Wait until `predicate` returns something true, and return that. It is asked under the lock at each change.

        Raise AssertionError after `timeout` seconds of real time.
        """
        deadline = time.monotonic() + timeout
        with self.changed:
            while not (last := predicate()):
                left = deadline - time.monotonic()
                if left <= 0:
                    raise AssertionError(f"not within {timeout:g} s: {what or predicate!r} (it is still {last!r})")
                self.changed.wait(min(left, 0.05))  # what hangs on the clock alone changes without news
            return last

    def violation(self, sentence: str) -> None:
        """Write down that the client broke a rule."""
        with self.changed:
            self.violations.append(sentence)
            self.touch()

    # ---- finding ----

    def channel(self, channel_id: int | str) -> Channel:
        """Raise ApiError 10003 if there is no such channel, or no longer."""
        channel = self.channels.get(int(channel_id))
        if channel is None or channel.deleted:
            raise ApiError(10003)
        return channel

    def message(self, channel: Channel, message_id: int | str) -> Message:
        """Raise ApiError 10008 if the channel has no such message, or no longer; ephemeral ones are not in it."""
        message = channel.messages.get(int(message_id))
        if message is None or message.deleted or message.is_ephemeral:
            raise ApiError(10008)
        return message

    def guild(self, guild_id: int | str) -> Guild:
        """Raise ApiError 10004 if there is no such guild."""
        guild = self.guilds.get(int(guild_id))
        if guild is None:
            raise ApiError(10004)
        return guild

    def threads(self, guild: Guild) -> list[Channel]:
        """The guild's threads that are neither archived nor deleted."""
        return [
            channel
            for channel in self.channels.values()
            if channel.guild is guild and channel.is_thread and not channel.archived and not channel.deleted
        ]

    def channels_of(self, guild: Guild) -> list[Channel]:
        """The guild's channels, threads not counted."""
        return [
            channel
            for channel in self.channels.values()
            if channel.guild is guild and not channel.is_thread and not channel.deleted
        ]

    def sees(self, app: App, channel: Channel) -> bool:
        """Whether the bot may see the channel at all."""
        if channel.guild is None:
            return app.user in channel.recipients
        may = granted(channel.guild, app.user.id, channel)
        if channel.kind == PRIVATE_THREAD and app.user.id not in channel.members:
            return bool(may & Can.MANAGE_THREADS)
        return bool(may & Can.VIEW_CHANNEL)

    # ---- making ----

    def next_id(self) -> int:
        """A new snowflake: the clock's milliseconds, and always greater than the last one."""
        with self.changed:
            self._last_id = max(int((self.clock.time() - EPOCH) * 1000) << 22, self._last_id + 1)
            return self._last_id

    def add_user(self, name: str, *, bot: bool = False) -> User:
        with self.changed:
            user = User(self.next_id(), name, bot)
            self.users[user.id] = user
            return user

    def add_app(self, name: str, token: str = "") -> App:
        """A bot with a token of its own; without one it gets a likely looking one."""
        with self.changed:
            user = self.add_user(name, bot=True)
            app = App(user.id, user, token or f"{secrets.token_hex(12)}.{secrets.token_hex(3)}.{secrets.token_hex(19)}")
            app.privileged = 1 << 15
            self.apps[app.token] = app
            return app

    def add_guild(self, name: str, owner: User) -> Guild:
        """A guild with its role for everyone, and its owner in it."""
        with self.changed:
            guild = Guild(self.next_id(), name, owner.id)
            guild.roles[guild.id] = Role(guild.id, "@everyone", int(EVERYONE), 0)
            guild.members[owner.id] = Member(owner, self.clock.time())
            self.guilds[guild.id] = guild
            return guild

    def add_member(self, guild: Guild, user: User, *roles: Role) -> Member:
        with self.changed:
            member = guild.members.setdefault(user.id, Member(user, self.clock.time()))
            member.roles += [role.id for role in roles if role.id not in member.roles]
            return member

    def add_role(self, guild: Guild, name: str, permissions: int = 0, *, mentionable: bool = False) -> Role:
        with self.changed:
            role = Role(self.next_id(), name, int(permissions), len(guild.roles), mentionable)
            guild.roles[role.id] = role
            return role

    def add_channel(self, guild: Guild, name: str, kind: int = TEXT, parent: Channel | None = None) -> Channel:
        """A channel of the guild; `parent` is its category."""
        with self.changed:
            if parent is not None and parent.kind != CATEGORY:
                raise ValueError(f"{parent!r} is no category")
            position = sum(channel.guild is guild for channel in self.channels.values())
            channel = Channel(self.next_id(), kind, name, guild, parent, position=position)
            if parent is not None:
                channel.overwrites = {target: Overwrite(**vars(one)) for target, one in parent.overwrites.items()}
            self.channels[channel.id] = channel
            return channel

    def dm(self, one: User, other: User) -> Channel:
        """The DM of these two, made if it is not there."""
        with self.changed:
            for channel in self.channels.values():
                if channel.kind == DM and {one, other} == set(channel.recipients):
                    return channel
            channel = Channel(self.next_id(), DM, "", recipients=[one, other], participants={one.id, other.id})
            self.channels[channel.id] = channel
            return channel
