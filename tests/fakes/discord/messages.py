"""What can be done with messages, by bots and people alike: post, edit, delete, react, type.

Checks of forms and permissions are the callers'; here are the rules that hold for everybody. The lock is taken here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.fakes.discord import payloads
from tests.fakes.discord.errors import ApiError
from tests.fakes.discord.mentions import ring
from tests.fakes.discord.things import (
    CATEGORY,
    FORUM,
    App,
    Attachment,
    Channel,
    Json,
    Message,
    User,
)
from tests.fakes.discord.world import Event, World

__all__ = ["Draft", "delete", "edit", "post", "react", "same_nonce", "typing", "unreact"]

NONCE_LIFE = 300.0  # seconds in which a nonce is remembered
MOST_EMOJI = 20
HAS_THREAD = 1 << 5


@dataclass
class Draft:
    """A message that is not posted yet."""

    author: User
    content: str = ""
    kind: int = 0
    flags: int = 0
    nonce: str | None = None
    allowed: Json | None = None
    attachments: list[Attachment] = field(default_factory=list)
    embeds: list[Json] = field(default_factory=list)
    components: list[Json] = field(default_factory=list)
    reply_to: Message | None = None
    forward_of: Message | None = None
    webhook_id: int | None = None
    interaction: Json | None = None
    seen_by: int | None = None


def post(world: World, channel: Channel, draft: Draft, message_id: int | None = None) -> Message:
    """Put a message into a channel. Raise ApiError 50008 where nobody can write.

    What a person or bot writes into a thread goes through `threads.write`.
    """
    with world.changed:
        if channel.kind in {CATEGORY, FORUM}:
            raise ApiError(50008)
        answered = draft.reply_to.author if draft.reply_to else None
        content = draft.content.strip()
        message = Message(
            message_id or world.next_id(), channel, draft.author, content, world.clock.time(),
            kind=19 if draft.reply_to and draft.kind == 0 else draft.kind, flags=draft.flags, nonce=draft.nonce,
            mentions=ring(content, draft.author, channel, draft.allowed, answered), allowed_mentions=draft.allowed,
            attachments=draft.attachments, embeds=draft.embeds, components=draft.components,
            reply_to=draft.reply_to, forward_of=draft.forward_of, webhook_id=draft.webhook_id,
            interaction=draft.interaction, seen_by=draft.seen_by,
        )  # fmt: skip
        channel.messages[message.id] = message
        if message.nonce is not None:
            world.nonces[message.author.id, message.nonce] = message
        channel.participants.add(draft.author.id)
        _tell(world, "MESSAGE_CREATE", message)
        return message


def same_nonce(world: World, author: User, nonce: str) -> Message | None:
    """The message that this author posted with this nonce in the last minutes."""
    message = world.nonces.get((author.id, nonce))
    return message if message and message.at >= world.clock.time() - NONCE_LIFE else None


def edit(world: World, message: Message, changes: Json, *, quietly: bool = False) -> None:
    """Change attributes of a message. `quietly` is the service's own doing (an embed found): it is no edit.

    Raise ApiError 50083 in an archived thread.
    """
    with world.changed:
        if message.channel.archived:
            raise ApiError(50083)
        if "content" in changes:
            message.was.append(message.content)
            allowed = changes.pop("allowed", message.allowed_mentions)
            answered = message.reply_to.author if message.reply_to else None
            text = changes["content"] = (changes["content"] or "").strip()
            message.mentions = ring(text, message.author, message.channel, allowed, answered)
        for name, value in changes.items():
            setattr(message, name, value)
        if not quietly:
            message.edited = world.clock.time()
        _tell(world, "MESSAGE_UPDATE", message)


def delete(world: World, message: Message, by: User) -> None:
    """Take a message away. A thread that began with it stays."""
    with world.changed:
        message.deleted, message.deleted_by = True, by.id
        if message.is_ephemeral:
            world.touch()
            return
        data = _place(message)
        _emit(world, "MESSAGE_DELETE", message.channel, data | {"id": str(message.id)})


def react(world: World, message: Message, user: User, emoji: str) -> None:
    """Raise ApiError 30010 for the twenty-first kind of reaction, 10014 for no emoji, 50083 in an archived thread."""
    with world.changed:
        if message.channel.archived:
            raise ApiError(50083)
        if not _is_emoji(emoji):
            raise ApiError(10014)
        if emoji not in message.reactions and len(message.reactions) >= MOST_EMOJI:
            raise ApiError(30010)
        users = message.reactions.setdefault(emoji, [])
        if user.id in users:
            return
        users.append(user.id)
        message.channel.participants.add(user.id)
        data = _reaction(message, user, emoji)
        guild = message.channel.guild
        if guild is not None and user.id in guild.members:
            data["member"] = payloads.member_json(guild.members[user.id])
        _emit(world, "MESSAGE_REACTION_ADD", message.channel, data)


def unreact(world: World, message: Message, emoji: str | None = None, user: User | None = None) -> None:
    """Take away one person's reaction, all with an emoji (no user), or all."""
    with world.changed:
        if emoji is None:
            message.reactions.clear()
            _emit(world, "MESSAGE_REACTION_REMOVE_ALL", message.channel, _place(message, "message_id"))
        elif user is None:
            message.reactions.pop(emoji, None)
            data = _place(message, "message_id") | {"emoji": payloads.emoji_json(emoji)}
            _emit(world, "MESSAGE_REACTION_REMOVE_EMOJI", message.channel, data)
        elif user.id in message.reactions.get(emoji, []):
            message.reactions[emoji].remove(user.id)
            if not message.reactions[emoji]:
                del message.reactions[emoji]
            _emit(world, "MESSAGE_REACTION_REMOVE", message.channel, _reaction(message, user, emoji))


def typing(world: World, channel: Channel, user: User) -> None:
    """Somebody begins to type; it shows for ten seconds."""
    with world.changed:
        world.typing.append((channel, user))
        data: Json = {
            "channel_id": str(channel.id), "user_id": str(user.id), "timestamp": int(world.clock.time()),
        }  # fmt: skip
        if channel.guild is not None:
            data["guild_id"] = str(channel.guild.id)
            if user.id in channel.guild.members:
                data["member"] = payloads.member_json(channel.guild.members[user.id])
        _emit(world, "TYPING_START", channel, data)


def _is_emoji(emoji: str) -> bool:
    name, colon, emoji_id = emoji.rpartition(":")
    if colon:
        return bool(name) and emoji_id.isdigit()
    return 0 < len(emoji) <= 16 and (any(ord(char) > 0x7F for char in emoji)) and not any(map(str.isalpha, emoji))


def _place(message: Message, key: str = "id") -> Json:
    data: Json = {key: str(message.id), "channel_id": str(message.channel.id)}
    if message.channel.guild is not None:
        data["guild_id"] = str(message.channel.guild.id)
    return data


def _reaction(message: Message, user: User, emoji: str) -> Json:
    return _place(message, "message_id") | {
        "user_id": str(user.id), "emoji": payloads.emoji_json(emoji), "message_author_id": str(message.author.id),
        "burst": False, "type": 0,
    }  # fmt: skip


def _tell(world: World, name: str, message: Message) -> None:
    """A message was made or changed. Ephemeral ones nobody is told of but who waits for them here."""
    if message.is_ephemeral:
        world.touch()
        return

    def data(app: App) -> Any:
        return payloads.message_json(world, message, app, on_gateway=True)

    world.emit(Event(name, data, message.channel.guild, message.channel, message=message))


def _emit(world: World, name: str, channel: Channel, data: Json) -> None:
    world.emit(Event(name, lambda _app: data, channel.guild, channel))
