"""The things of the world: people, guilds, channels, threads, messages. Data, no rules.

Read them from any thread while holding the world's lock, or inside `Server.until`; only the server changes them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

__all__ = [
    "ANNOUNCEMENT", "CATEGORY", "DM", "FORUM", "PRIVATE_THREAD", "PUBLIC_THREAD", "TEXT", "VOICE",
    "App", "Attachment", "Channel", "Guild", "Json", "Member", "Mentions", "Message", "Overwrite", "Role", "User",
]  # fmt: skip

Json = dict[str, Any]

TEXT, DM, VOICE, CATEGORY, ANNOUNCEMENT = 0, 1, 2, 4, 5
ANNOUNCEMENT_THREAD, PUBLIC_THREAD, PRIVATE_THREAD, FORUM = 10, 11, 12, 15
THREADS = frozenset({ANNOUNCEMENT_THREAD, PUBLIC_THREAD, PRIVATE_THREAD})


@dataclass(eq=False)
class User:
    """A person or a bot."""

    id: int
    name: str
    bot: bool = False
    shown_as: str = ""
    accepts_dms: bool = True

    @property
    def mention(self) -> str:
        return f"<@{self.id}>"

    def __repr__(self) -> str:
        return f"<User {self.name} {self.id}>"


@dataclass(eq=False)
class App:
    """An application and its bot: what the developer portal knows."""

    id: int
    user: User
    token: str
    privileged: int = 0  # the privileged intents that are switched on in the portal
    commands: dict[int | None, dict[int, Json]] = field(default_factory=dict)  # guild (None: global) → id → command
    starts_left: int = 1000  # identifies left today

    def find_command(self, guild_id: int | None, name: str, kind: int = 1) -> Json | None:
        """The command as a person in that guild finds it: the guild's own before the global one."""
        for scope in ([guild_id] if guild_id else []) + [None]:
            for command in self.commands.get(scope, {}).values():
                if command["name"] == name and command["type"] == kind:
                    return command
        return None


@dataclass(eq=False)
class Role:
    id: int
    name: str
    permissions: int = 0
    position: int = 1
    mentionable: bool = False
    managed_by: int = 0

    @property
    def mention(self) -> str:
        return f"<@&{self.id}>"


@dataclass
class Member:
    user: User
    joined: float
    roles: list[int] = field(default_factory=list)
    nick: str | None = None


@dataclass
class Overwrite:
    """What a channel allows and denies to a role (kind 0) or a member (kind 1)."""

    id: int
    kind: int
    allow: int = 0
    deny: int = 0


@dataclass(eq=False)
class Guild:
    id: int
    name: str
    owner_id: int
    roles: dict[int, Role] = field(default_factory=dict)
    members: dict[int, Member] = field(default_factory=dict)
    premium_tier: int = 0

    def __repr__(self) -> str:
        return f"<Guild {self.name} {self.id}>"


@dataclass(eq=False)
class Channel:
    """A channel, a thread or a DM. `messages` holds what was ever written there, deleted ones marked."""

    id: int
    kind: int
    name: str
    guild: Guild | None = None
    parent: Channel | None = None
    overwrites: dict[int, Overwrite] = field(default_factory=dict)
    recipients: list[User] = field(default_factory=list)
    topic: str = ""
    position: int = 0
    slowmode: int = 0
    tags: list[Json] = field(default_factory=list)
    messages: dict[int, Message] = field(default_factory=dict)
    participants: set[int] = field(default_factory=set)  # who wrote, reacted, clicked or was added here
    deleted: bool = False
    # Threads only.
    owner_id: int = 0
    archived: bool = False
    locked: bool = False
    auto_archive: int = 1440
    archive_at: float = 0.0
    members: dict[int, float] = field(default_factory=dict)  # user → when they joined
    applied_tags: list[int] = field(default_factory=list)

    @property
    def is_thread(self) -> bool:
        return self.kind in THREADS

    @property
    def history(self) -> list[Message]:
        """What a person sees when scrolling: no deleted and no ephemeral messages, oldest first."""
        return [message for message in self.messages.values() if not message.deleted and not message.is_ephemeral]

    @property
    def texts(self) -> list[str]:
        """The texts of `history`, without the service's own messages."""
        return [message.content for message in self.history if message.kind in {0, 19, 20, 23}]

    @property
    def mention(self) -> str:
        return f"<#{self.id}>"

    def __repr__(self) -> str:
        return f"<Channel {self.name} {self.kind} {self.id}>"


@dataclass(eq=False)
class Attachment:
    id: int
    filename: str
    content: bytes = field(repr=False)
    content_type: str = "application/octet-stream"
    extra: Json = field(default_factory=dict)  # description, duration_secs, waveform, width, height


@dataclass
class Mentions:
    """Whom a message really rings: what it says, and its author may, and `allowed_mentions` lets through."""

    users: list[int] = field(default_factory=list)
    roles: list[int] = field(default_factory=list)
    everyone: bool = False


@dataclass(eq=False)
class Message:
    id: int
    channel: Channel
    author: User
    content: str
    at: float
    kind: int = 0
    flags: int = 0
    nonce: str | None = None
    mentions: Mentions = field(default_factory=Mentions)
    allowed_mentions: Json | None = None  # as the client sent it
    attachments: list[Attachment] = field(default_factory=list)
    embeds: list[Json] = field(default_factory=list)
    components: list[Json] = field(default_factory=list)
    reply_to: Message | None = None
    forward_of: Message | None = None
    reactions: dict[str, list[int]] = field(default_factory=dict)  # emoji → users
    edited: float | None = None
    was: list[str] = field(default_factory=list)  # its texts before each edit
    deleted: bool = False
    deleted_by: int = 0
    thread: Channel | None = None
    webhook_id: int | None = None
    interaction: Json | None = None
    seen_by: int | None = None  # ephemeral: the only person who sees it

    @property
    def is_ephemeral(self) -> bool:
        return bool(self.flags & 64)

    @property
    def is_loading(self) -> bool:
        """Whether it says "thinking…": a deferred answer."""
        return bool(self.flags & 128)

    @property
    def buttons(self) -> list[str]:
        """The labels of its buttons, or their custom ids."""
        return [part.get("label") or part.get("custom_id", "") for part in self.parts() if part["type"] == 2]

    def parts(self) -> list[Json]:
        """Every component of the message, whatever it is nested in."""
        found: list[Json] = []
        waiting = list(self.components)
        while waiting:
            part = waiting.pop(0)
            found.append(part)
            inner = [*part.get("components", []), *(part[key] for key in ("accessory", "component") if key in part)]
            waiting = inner + waiting
        return found

    def __repr__(self) -> str:
        return f"<Message {self.id} in {self.channel.name} by {self.author.name}: {self.content[:40]!r}>"
