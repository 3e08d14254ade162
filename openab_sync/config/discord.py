"""The bot on Discord: what `[discord]` may hold and how its keys go together.

Names and meaning are OpenAB's where it has them, but for one: nobody may talk to the bot who is not let in here. What
the keys do is done elsewhere; this room only says what is valid, and imports nothing of Discord.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

import msgspec

from ..errors import ConfigError
from .kinds import Count, CountOrNone, HoursOrNone, Id, Processing, check_address

if TYPE_CHECKING:
    from .schema import Config, PoolConfig

__all__ = ["DiscordConfig", "sharded"]


class DiscordConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The bot on Discord: `[discord]`. Who may talk is denied by default; where, and what else, is as OpenAB has it."""

    bot_token: str
    """From the developer portal. Secret."""
    allow_all_channels: bool | None = None
    """Whether it listens in every channel; none: if allowed_channels is empty."""
    allowed_channels: tuple[Id, ...] = ()
    """Channels (their threads included) and categories where it listens."""
    allow_all_users: bool = False
    """Whether everybody may talk to it."""
    allowed_users: tuple[Id, ...] = ()
    """People who may."""
    allowed_roles: tuple[Id, ...] = ()
    """Roles whose members may."""
    allowed_guilds: tuple[Id, ...] = ()
    """Servers where it listens, whatever else is allowed; none: every server that it is on."""
    admin_users: tuple[Id, ...] = ()
    """People who may talk to it and do everything; none and no admin_roles: the only one of allowed_users, if it is."""
    admin_roles: tuple[Id, ...] = ()
    """Roles whose members may."""
    allowed_role_ids: tuple[Id, ...] = ()
    """Roles whose mention wakes it as its own does; they let nobody in."""
    approver_users: tuple[Id, ...] = ()
    """People who may answer the agent's questions in everybody's turns, besides those whose turn it is."""
    approver_roles: tuple[Id, ...] = ()
    """Roles whose members may."""
    allow_dm: bool = False
    """Whether it answers direct messages (of those who may talk to it)."""
    allow_user_messages: Literal["involved", "mentions", "multibot-mentions"] = "multibot-mentions"
    """Messages in a thread without a mention: taken where it takes part, never, or where no other bot takes part."""
    allow_bot_messages: Literal["off", "mentions", "all"] = "off"
    """Messages of other bots: none, those that mention it, all."""
    trusted_bot_ids: tuple[Id, ...] = ()
    """Bots that are heard whenever they mention it; with allow_bot_messages no others are. None named: all of them."""
    max_bot_turns: Count = 100
    """Messages of bots in a thread, its own included, until a person has to write."""
    message_processing_mode: Processing | None = None
    """Instead of `[pool]`'s."""
    max_buffered_messages: Count | None = None
    """Instead of `[pool]`'s."""
    max_batch_tokens: Count | None = None
    """Instead of `[pool]`'s."""
    on_startup: Literal["resume", "archive", "leave"] = "resume"
    """Threads from before: they go on with their next message; those that cannot are closed; nothing is looked at."""
    catch_up_hours: HoursOrNone = 24.0
    """How far back what was written meanwhile is read, after a start and after a lost connection; 0: not at all."""
    max_pages: Count = 10
    """Messages that one answer may take; a longer one ends as an attached file."""
    api_url: str = ""
    """Root of another server that speaks Discord's REST API; empty: Discord's own."""
    proxy: str = ""
    """HTTP proxy through which Discord is reached; may hold a password. Secret."""
    shard_ids: tuple[CountOrNone, ...] = ()
    """Shards that this process serves; none: all."""
    shard_count: Count | None = None
    """Shards that there are; none: as many as Discord advises."""

    def __post_init__(self) -> None:
        token = self.bot_token.strip()  # secrets in files and variables tend to end in a line break
        if not token:
            raise ValueError("bot_token is empty")
        if len(token.split()) > 1:
            raise ValueError('bot_token is the token alone, without "Bot" in front and without spaces')
        check_address("api_url", self.api_url)
        check_address("proxy", self.proxy)
        if self.shard_ids and self.shard_count is None:
            raise ValueError("shard_ids need shard_count, the number of all shards")
        if self.shard_count is not None and any(shard >= self.shard_count for shard in self.shard_ids):
            raise ValueError(f"shard_ids go from 0 to {self.shard_count - 1} where shard_count is {self.shard_count}")
        if len(set(self.shard_ids)) != len(self.shard_ids):
            raise ValueError("shard_ids names a shard twice")

    def __repr__(self) -> str:
        # The token, and what an address may hold, are secrets: neither is ever shown.
        return f"<DiscordConfig channels={list(self.allowed_channels)} users={list(self.allowed_users)}>"

    @property
    def admits_somebody(self) -> bool:
        """Whether there is anybody who may talk to it: who starts it should not find out by silence."""
        lists = self.allowed_users, self.allowed_roles, self.admin_users, self.admin_roles
        return self.allow_all_users or any(lists)

    @property
    def admins(self) -> tuple[Id, ...]:
        """What admin_users comes to: a bot that serves one person alone is that person's."""
        if self.admin_users or self.admin_roles or self.allow_all_users or self.allowed_roles:
            return self.admin_users
        return self.allowed_users if len(self.allowed_users) == 1 else ()

    @property
    def admits_all_channels(self) -> bool:
        """What allow_all_channels comes to."""
        return not self.allowed_channels if self.allow_all_channels is None else self.allow_all_channels

    def pooled(self, pool: PoolConfig) -> PoolConfig:
        """Return `pool` with what this section says instead."""
        names = ("message_processing_mode", "max_buffered_messages", "max_batch_tokens")
        ours = {name: value for name in names if (value := getattr(self, name)) is not None}
        return msgspec.structs.replace(pool, **ours)


def sharded(config: Config, shard: str) -> Config:
    """Return `config` with the one shard that `shard` names: "N/COUNT". One file serves all brokers of a bot so.

    Raise ConfigError for anything else, and without a section [discord].
    """
    if config.discord is None:
        raise ConfigError("there is no section [discord] whose shards could be served", key="--shard")
    match = re.fullmatch(r"([0-9]{1,6})/([0-9]{1,6})", shard)
    if match is None or int(match[1]) >= int(match[2]):
        raise ConfigError(
            f"expected N/COUNT, N from 0 to COUNT - 1, found {shard!r}", key="--shard", hint='for example "0/2"'
        )
    discord = msgspec.structs.replace(config.discord, shard_ids=(int(match[1]),), shard_count=int(match[2]))
    return msgspec.structs.replace(config, discord=discord)
