"""Things as JSON, as API v10 writes them. Pure; the lock is held by the caller."""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from tests.fakes.discord.permissions import granted
from tests.fakes.discord.things import (
    CATEGORY,
    DM,
    FORUM,
    VOICE,
    App,
    Attachment,
    Channel,
    Guild,
    Json,
    Member,
    Message,
    Role,
    User,
)
from tests.fakes.discord.world import World

__all__ = [
    "FILE_LIMITS", "LINK_LIFE", "attachment_json", "blank", "channel_json", "emoji_json", "guild_json", "iso",
    "may_read", "member_json", "message_json", "permissions_json", "role_json", "signature", "thread_member_json",
    "user_json",
]  # fmt: skip

LINK_LIFE = 24 * 3600.0  # seconds that a link to an attachment works
SECRET = b"links of the fake are signed with this"
MIB = 1024 * 1024
FILE_LIMITS = (10 * MIB, 10 * MIB, 50 * MIB, 100 * MIB)
"""Bytes a file may have, by the guild's boost level."""


def iso(seconds: float) -> str:
    """A moment as Discord writes it."""
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def user_json(user: User) -> Json:
    return {
        "id": str(user.id), "username": user.name, "discriminator": "0000" if user.bot else "0", "avatar": None,
        "global_name": user.shown_as or None, "bot": user.bot, "system": False, "public_flags": 0, "flags": 0,
        "banner": None, "accent_color": None, "avatar_decoration_data": None,
    }  # fmt: skip


def member_json(member: Member, *, with_user: bool = True) -> Json:
    data: Json = {
        "roles": [str(role) for role in member.roles], "joined_at": iso(member.joined), "nick": member.nick,
        "avatar": None, "deaf": False, "mute": False, "flags": 0, "pending": False, "premium_since": None,
        "communication_disabled_until": None,
    }  # fmt: skip
    return {**data, "user": user_json(member.user)} if with_user else data


def role_json(role: Role) -> Json:
    data: Json = {
        "id": str(role.id), "name": role.name, "color": 0, "hoist": False, "position": role.position,
        "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
        "permissions": str(role.permissions), "managed": bool(role.managed_by), "mentionable": role.mentionable,
        "flags": 0, "icon": None, "unicode_emoji": None,
    }  # fmt: skip
    return {**data, "tags": {"bot_id": str(role.managed_by)}} if role.managed_by else data


def channel_json(channel: Channel, app: App | None = None) -> Json:
    """A channel, a DM or a thread; a thread has `member` if the bot of `app` has joined it."""
    messages = channel.history
    data: Json = {
        "id": str(channel.id), "type": channel.kind, "flags": 0,
        "last_message_id": str(messages[-1].id) if messages else None,
    }  # fmt: skip
    if channel.kind == DM:
        others = [user for user in channel.recipients if app is None or user is not app.user]
        return {**data, "recipients": [user_json(user) for user in others]}
    assert channel.guild is not None
    data |= {
        "guild_id": str(channel.guild.id), "name": channel.name, "rate_limit_per_user": channel.slowmode,
        "parent_id": str(channel.parent.id) if channel.parent else None,
    }  # fmt: skip
    if channel.is_thread:
        return data | _thread_json(channel, app)
    data |= {
        "position": channel.position, "nsfw": False, "topic": channel.topic or None,
        "permission_overwrites": [
            {"id": str(one.id), "type": one.kind, "allow": str(one.allow), "deny": str(one.deny)}
            for one in channel.overwrites.values()
        ],
    }  # fmt: skip
    if channel.kind == VOICE:
        data |= {"bitrate": 64000, "user_limit": 0, "rtc_region": None}
    if channel.kind == FORUM:
        data |= {"available_tags": channel.tags, "default_reaction_emoji": None, "default_sort_order": None}
    if channel.kind == CATEGORY:
        del data["last_message_id"]
    return data


def _thread_json(thread: Channel, app: App | None) -> Json:
    written = [message for message in thread.messages.values() if message.kind != 21]
    data: Json = {
        "owner_id": str(thread.owner_id), "member_count": min(50, len(thread.members)),
        "message_count": len([message for message in written if not message.deleted]),
        "total_message_sent": len(written),
        "applied_tags": [str(tag) for tag in thread.applied_tags],
        "thread_metadata": {
            "archived": thread.archived, "locked": thread.locked, "auto_archive_duration": thread.auto_archive,
            "archive_timestamp": iso(thread.archive_at), "create_timestamp": iso(thread.archive_at), "invitable": True,
        },
    }  # fmt: skip
    if app is not None and app.user.id in thread.members:
        data["member"] = thread_member_json(thread, app.user.id)
    return data


def thread_member_json(thread: Channel, user_id: int) -> Json:
    return {
        "id": str(thread.id), "user_id": str(user_id), "flags": 0,
        "join_timestamp": iso(thread.members[user_id]),
    }  # fmt: skip


def guild_json(world: World, guild: Guild, app: App) -> Json:
    """What GUILD_CREATE tells the bot: what it may see, and of the members itself (and all, as long as it is small)."""
    channels = [channel for channel in world.channels_of(guild) if world.sees(app, channel)]
    threads = [thread for thread in world.threads(guild) if world.sees(app, thread)]
    return {
        "id": str(guild.id), "name": guild.name, "owner_id": str(guild.owner_id), "icon": None, "splash": None,
        "discovery_splash": None, "description": None, "banner": None, "features": [], "emojis": [], "stickers": [],
        "afk_channel_id": None, "afk_timeout": 300, "region": "local", "verification_level": 0,
        "default_message_notifications": 0, "explicit_content_filter": 0, "mfa_level": 0, "nsfw_level": 0,
        "application_id": None, "system_channel_id": None, "system_channel_flags": 0, "rules_channel_id": None,
        "vanity_url_code": None, "premium_tier": guild.premium_tier, "premium_subscription_count": 0,
        "preferred_locale": "en-US", "public_updates_channel_id": None, "incidents_data": None,
        "roles": [role_json(role) for role in guild.roles.values()],
        "joined_at": iso(guild.members[app.user.id].joined), "large": False, "unavailable": False,
        "member_count": len(guild.members), "members": [member_json(member) for member in guild.members.values()],
        "channels": [channel_json(channel) for channel in channels],
        "threads": [channel_json(thread, app) for thread in threads],
        "presences": [], "voice_states": [], "stage_instances": [], "guild_scheduled_events": [],
        "soundboard_sounds": [], "max_members": 500000, "nsfw": False,
    }  # fmt: skip


def emoji_json(emoji: str) -> Json:
    """An emoji from how requests name it: the character itself, or name:id."""
    name, colon, emoji_id = emoji.rpartition(":")
    return {"id": emoji_id, "name": name} if colon else {"id": None, "name": emoji}


def signature(path: str, expires: str) -> str:
    """What makes a link to an attachment valid."""
    return hmac.new(SECRET, f"{path}?{expires}".encode(), hashlib.sha256).hexdigest()


def attachment_json(world: World, channel: Channel, attachment: Attachment) -> Json:
    path = f"/attachments/{channel.id}/{attachment.id}/{quote(attachment.filename, safe='')}"
    expires = f"{int(world.clock.time() + LINK_LIFE):x}"
    url = f"{world.origin}{path}?ex={expires}&is={int(world.clock.time()):x}&hm={signature(path, expires)}&"
    return {
        "id": str(attachment.id), "filename": attachment.filename, "size": len(attachment.content),
        "url": url, "proxy_url": url, "content_type": attachment.content_type, **attachment.extra,
    }  # fmt: skip


def message_json(world: World, message: Message, app: App | None = None, *, on_gateway: bool = False) -> Json:
    """A message as `app` sees it: on the gateway with its guild and the author's membership."""
    guild, me = message.channel.guild, app.user.id if app else 0
    data: Json = {
        "id": str(message.id), "channel_id": str(message.channel.id), "type": message.kind, "flags": message.flags,
        "author": user_json(message.author), "timestamp": iso(message.at), "tts": False, "pinned": False,
        "edited_timestamp": iso(message.edited) if message.edited else None,
        "mention_everyone": message.mentions.everyone,
        "mentions": [_mentioned(world, guild, user, on_gateway=on_gateway) for user in message.mentions.users],
        "mention_roles": [str(role) for role in message.mentions.roles],
        **_content(world, message),
    }  # fmt: skip
    if message.reactions:
        data["reactions"] = [_reaction(emoji, users, me) for emoji, users in message.reactions.items()]
    if message.nonce is not None:
        data["nonce"] = message.nonce
    if message.thread is not None and not message.thread.deleted:
        data["thread"] = channel_json(message.thread, app)
    if message.webhook_id is not None:
        data["webhook_id"] = str(message.webhook_id)
        if message.interaction:
            data |= {"application_id": str(message.webhook_id), "interaction_metadata": message.interaction}
    if on_gateway and guild is not None:
        data["guild_id"] = str(guild.id)
        if (member := guild.members.get(message.author.id)) is not None:
            data["member"] = member_json(member, with_user=False)
    return data | _references(world, message, app)


def _content(world: World, message: Message) -> Json:
    return {
        "content": message.content, "embeds": message.embeds, "components": message.components,
        "attachments": [attachment_json(world, message.channel, one) for one in message.attachments],
    }  # fmt: skip


def _mentioned(world: World, guild: Guild | None, user_id: int, *, on_gateway: bool) -> Json:
    data = user_json(world.users[user_id])
    if on_gateway and guild is not None and user_id in guild.members:
        data["member"] = member_json(guild.members[user_id], with_user=False)
    return data


def _reaction(emoji: str, users: list[int], me: int) -> Json:
    return {
        "emoji": emoji_json(emoji), "count": len(users), "me": me in users, "me_burst": False, "burst_colors": [],
        "count_details": {"burst": 0, "normal": len(users)},
    }  # fmt: skip


def _references(world: World, message: Message, app: App | None) -> Json:
    """The message that it answers, or the snapshot of what it forwards."""
    source = message.forward_of or message.reply_to
    if source is None:
        return {}
    reference: Json = {
        "type": 1 if message.forward_of else 0, "message_id": str(source.id), "channel_id": str(source.channel.id),
    }  # fmt: skip
    if source.channel.guild is not None:
        reference["guild_id"] = str(source.channel.guild.id)
    if message.forward_of is not None:
        snapshot: Json = {
            "type": source.kind, "timestamp": iso(source.at), "flags": source.flags,
            "edited_timestamp": iso(source.edited) if source.edited else None, "mentions": [], "mention_roles": [],
            **_content(world, source),
        }  # fmt: skip
        return {"message_reference": reference, "message_snapshots": [{"message": snapshot}]}
    shown: Any = (
        None
        if source.deleted
        else message_json(world, source, app)
        if source.reply_to is None
        else _shallow(world, source, app)
    )
    return {"message_reference": reference, "referenced_message": shown}


def _shallow(world: World, message: Message, app: App | None) -> Json:
    """A referenced message without what it references itself."""
    kept, message.reply_to = message.reply_to, None
    try:
        return message_json(world, message, app)
    finally:
        message.reply_to = kept


def may_read(app: App, message: Message, *, has_intent: bool) -> bool:
    """Whether a bot gets what a message says: with the privileged intent, in DMs, and when it is meant or its own."""
    is_its_own = message.author is app.user or app.user.id in message.mentions.users
    return has_intent or message.channel.guild is None or is_its_own


def blank(data: Json) -> Json:
    """A message without what it says, for a bot that may not read it."""
    return {**data, "content": "", "embeds": [], "attachments": [], "components": []}


def permissions_json(guild: Guild | None, user_id: int, channel: Channel) -> str:
    """The computed permissions of a member in a channel, as a string of digits."""
    return str(int(granted(guild, user_id, channel)))
