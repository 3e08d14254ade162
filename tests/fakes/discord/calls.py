"""One REST request on its way: the call that a handler gets, the route that leads to it, the record that is kept."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.discord import payloads, uploads
from tests.fakes.discord.buckets import Buckets
from tests.fakes.discord.errors import ApiError, Limited
from tests.fakes.discord.faults import Faults
from tests.fakes.discord.interactions import Interactions
from tests.fakes.discord.permissions import Can, need
from tests.fakes.discord.things import App, Attachment, Channel, Guild, Json, Message
from tests.fakes.discord.world import World

__all__ = ["Answer", "Backend", "Call", "Request", "Route"]

Answer = Json | list[Json] | None
PARAMETER = re.compile(r"\{(\w+)\}")
NOTHING = Can(0)
MAJOR = ("channel_id", "guild_id", "webhook_id", "interaction_id", "token")


@dataclass(frozen=True)
class Request:
    """What a client asked and got, as tests look at it."""

    method: str
    path: str  # without query and /api/v10
    route: str  # the path with its parameters' names; "" for none
    form: Any
    query: Mapping[str, str]
    at: float  # the clock's monotonic seconds
    status: int  # 0 if the connection was cut
    code: int = 0

    def __str__(self) -> str:
        return f"{self.method} {self.path} → {self.status}{f'/{self.code}' if self.code else ''}"


@dataclass
class Backend:
    """Everything that handlers work on."""

    world: World
    buckets: Buckets
    interactions: Interactions
    faults: Faults = field(default_factory=Faults)
    requests: list[Request] = field(default_factory=list)
    gateway_url: str = ""
    shards: int = 1
    max_concurrency: int = 1


@dataclass
class Call:
    """A request whose client is known, within its limits, with a readable body."""

    backend: Backend
    app: App
    params: dict[str, str]
    query: Mapping[str, str]
    form: Any
    uploads: dict[int, uploads.Upload]

    @property
    def world(self) -> World:
        return self.backend.world

    def channel(self, wanted: Can = NOTHING) -> Channel:
        """The channel of the path, in which the bot has these permissions; otherwise the ApiError that says so."""
        channel = self.world.channel(self.params["channel_id"])
        need(channel, self.app.user.id, wanted)
        return channel

    def message(self, wanted: Can = NOTHING) -> Message:
        """The message of the path."""
        return self.world.message(self.channel(wanted), self.params["message_id"])

    def guild(self) -> Guild:
        """The guild of the path, if the bot is in it."""
        guild = self.world.guild(self.params["guild_id"])
        if self.app.user.id not in guild.members:
            raise ApiError(50001)
        return guild

    def files(self, channel: Channel) -> list[Attachment]:
        """The files of the body. Raise ApiError 40005 for one that is too large here."""
        tier = channel.guild.premium_tier if channel.guild else 0
        form = self.form.get("data", self.form) if "interaction_id" in self.params else self.form
        return uploads.attach(self.world, form or {}, self.uploads, payloads.FILE_LIMITS[tier])

    def shown(self, message: Message) -> Json:
        """A message as this bot may read it."""
        data = payloads.message_json(self.world, message, self.app)
        readable = payloads.may_read(self.app, message, has_intent=bool(self.app.privileged & 1 << 15))
        return data if readable else payloads.blank(data)

    def limit(self, bucket: str, major: object) -> None:
        """Count in a limit inside the bucket. Raise Limited if it is hit."""
        verdict = self.backend.buckets.take(bucket, str(major))
        if verdict.is_over:
            raise Limited(verdict.reset_after)


@dataclass(frozen=True)
class Route:
    """A line of the table. `fields` are those that its JSON may have; without `auth` the path has a token."""

    method: str
    path: str
    handler: Callable[[Call], Answer]
    bucket: str = "other"
    fields: frozenset[str] = frozenset()
    auth: bool = True
    is_list: bool = False  # its body is a list

    def match(self, method: str, path: str) -> dict[str, str] | None:
        """The parameters of a path that is this route's; None for another."""
        if method != self.method:
            return None
        found = re.fullmatch(PARAMETER.sub(r"(?P<\1>[^/]+)", self.path), path)
        return found.groupdict() if found else None

    def major(self, params: dict[str, str]) -> str:
        """What tells two buckets of the same name apart."""
        return "+".join(params[name] for name in MAJOR if name in params)
