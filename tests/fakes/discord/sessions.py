"""Gateway sessions: what a bot is told, numbered and kept for a resume. No sockets here.

The caller holds the world's lock.
"""

from __future__ import annotations

import json
from collections import deque
from typing import Protocol

from tests.fakes.discord import payloads
from tests.fakes.discord.things import App, Channel, Json
from tests.fakes.discord.world import Event, World

__all__ = ["CONTENT", "GUILDS", "MEMBERS", "PRESENCES", "PRIVILEGED", "Line", "Session", "wants"]

GUILDS, MEMBERS, PRESENCES, CONTENT = 1 << 0, 1 << 1, 1 << 8, 1 << 15
PRIVILEGED = MEMBERS | PRESENCES | CONTENT
KEPT = 2000  # events for a resume

# Beginning of an event's name → the intent that it needs in a guild, and in a DM.
INTENTS: dict[str, tuple[int, int]] = {
    "MESSAGE_REACTION": (1 << 10, 1 << 13),
    "MESSAGE": (1 << 9, 1 << 12),
    "TYPING": (1 << 11, 1 << 14),
    "GUILD_MEMBER_": (MEMBERS, 0),
    "GUILD": (GUILDS, 0),
    "CHANNEL": (GUILDS, 0),
    "THREAD": (GUILDS, 0),
    "INTERACTION": (0, 0),
}


class Line(Protocol):
    """What a session asks of its connection."""

    def post(self, payload: str) -> None:
        """Send this when it is its turn. Any thread; never blocks."""


def wants(intents: int, name: str, *, in_guild: bool) -> bool:
    """Whether a bot with these intents is told of such an event."""
    for start, (guild, dm) in INTENTS.items():
        if name.startswith(start):
            needed = guild if in_guild else dm
            return not needed or bool(intents & needed)
    return True


class Session:
    """One session of one shard of one bot; it outlives its connections."""

    def __init__(self, world: World, session_id: str, app: App, intents: int, shard: tuple[int, int]) -> None:
        self._world = world
        self.id = session_id
        self.app = app
        self.intents = intents
        self.shard = shard
        self.sequence = 0
        self.sent: deque[tuple[int, str]] = deque(maxlen=KEPT)
        self.line: Line | None = None
        self.must_join_threads = True  # messages of threads come to their members only

    def push(self, name: str, data: object) -> None:
        """Number an event, keep it, and send it if there is a connection."""
        self.sequence += 1
        payload = json.dumps({"op": 0, "s": self.sequence, "t": name, "d": data})
        self.sent.append((self.sequence, payload))
        if self.line is not None:
            self.line.post(payload)

    def can_replay(self, sequence: int) -> bool:
        """Whether everything after `sequence` is still kept."""
        oldest = self.sent[0][0] if self.sent else self.sequence + 1
        return sequence <= self.sequence and sequence + 1 >= oldest

    def replay(self, sequence: int) -> None:
        """Send again what came after `sequence`."""
        assert self.line is not None
        for number, payload in list(self.sent):
            if number > sequence:
                self.line.post(payload)

    def hear(self, event: Event) -> None:
        """Something happened: push it if this session is told of it, as far as it may know."""
        if not self._is_told(event):
            return
        data = event.data(self.app)
        if data is None:
            return
        has_content = bool(self.intents & CONTENT)
        if event.message is not None and not payloads.may_read(self.app, event.message, has_intent=has_content):
            data = payloads.blank(data)
        self.push(event.name, data)

    def _is_told(self, event: Event) -> bool:
        if event.app is not None:
            return event.app is self.app
        if event.guild is not None and not self._is_mine(event):
            return False
        if not wants(self.intents, event.name, in_guild=event.guild is not None):
            return False
        return event.channel is None or self._follows(event.name, event.channel)

    def _is_mine(self, event: Event) -> bool:
        assert event.guild is not None
        is_in = self.app.user.id in event.guild.members
        return is_in and (event.guild.id >> 22) % self.shard[1] == self.shard[0]

    def _follows(self, name: str, channel: Channel) -> bool:
        """What happens in a thread comes to its members; that there is a thread, to everybody who sees the channel."""
        if channel.guild is None and self.shard[0] != 0:
            return False
        if not self._world.sees(self.app, channel):
            return False
        is_news = not channel.is_thread or name.startswith("THREAD") or not self.must_join_threads
        return is_news or self.app.user.id in channel.members

    def ready(self, url: str) -> None:
        """READY, and a GUILD_CREATE for each guild of this shard."""
        user = self.app.user
        mine = [
            guild
            for guild in self._world.guilds.values()
            if user.id in guild.members and (guild.id >> 22) % self.shard[1] == self.shard[0]
        ]
        self.push("READY", self._ready(url, [{"id": str(guild.id), "unavailable": True} for guild in mine]))
        if self.intents & GUILDS:
            for guild in mine:
                self.push("GUILD_CREATE", payloads.guild_json(self._world, guild, self.app))

    def _ready(self, url: str, guilds: list[Json]) -> Json:
        return {
            "v": 10, "user": payloads.user_json(self.app.user) | {"verified": True, "mfa_enabled": False},
            "guilds": guilds, "session_id": self.id, "resume_gateway_url": url, "shard": list(self.shard),
            "application": {"id": str(self.app.id), "flags": 1 << 19}, "session_type": "normal", "private_channels": [],
            "relationships": [], "presences": [], "user_settings": {}, "_trace": ["fake"],
        }  # fmt: skip
