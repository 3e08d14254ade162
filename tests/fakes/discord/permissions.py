"""Who may do what where: Discord's documented algorithm over roles and overwrites. Pure."""

from __future__ import annotations

from enum import IntFlag

from tests.fakes.discord.errors import ApiError
from tests.fakes.discord.things import Channel, Guild

__all__ = ["ALL", "BOT", "EVERYONE", "Can", "granted", "need"]


class Can(IntFlag):
    """The permissions that the server looks at."""

    ADMINISTRATOR = 1 << 3
    MANAGE_CHANNELS = 1 << 4
    MANAGE_GUILD = 1 << 5
    ADD_REACTIONS = 1 << 6
    VIEW_CHANNEL = 1 << 10
    SEND_MESSAGES = 1 << 11
    SEND_TTS_MESSAGES = 1 << 12
    MANAGE_MESSAGES = 1 << 13
    EMBED_LINKS = 1 << 14
    ATTACH_FILES = 1 << 15
    READ_MESSAGE_HISTORY = 1 << 16
    MENTION_EVERYONE = 1 << 17
    USE_EXTERNAL_EMOJIS = 1 << 18
    CONNECT = 1 << 20
    SPEAK = 1 << 21
    MANAGE_ROLES = 1 << 28
    MANAGE_WEBHOOKS = 1 << 29
    USE_APPLICATION_COMMANDS = 1 << 31
    MANAGE_THREADS = 1 << 34
    CREATE_PUBLIC_THREADS = 1 << 35
    CREATE_PRIVATE_THREADS = 1 << 36
    SEND_MESSAGES_IN_THREADS = 1 << 38
    SEND_VOICE_MESSAGES = 1 << 46
    PIN_MESSAGES = 1 << 51


ALL = Can((1 << 53) - 1)

EVERYONE = (
    Can.VIEW_CHANNEL | Can.SEND_MESSAGES | Can.SEND_MESSAGES_IN_THREADS | Can.CREATE_PUBLIC_THREADS
    | Can.READ_MESSAGE_HISTORY | Can.ADD_REACTIONS | Can.ATTACH_FILES | Can.EMBED_LINKS | Can.USE_APPLICATION_COMMANDS
    | Can.CONNECT | Can.SPEAK | Can.USE_EXTERNAL_EMOJIS
)  # fmt: skip
"""What a new guild lets everybody do."""

BOT = EVERYONE | Can.MANAGE_THREADS
"""What the bot's own role adds: enough for a bridge, and no more."""


def granted(guild: Guild | None, user_id: int, channel: Channel | None = None) -> Can:
    """The permissions of a member, in the guild or in one of its channels; in a DM everything."""
    if guild is None:
        return ALL
    member = guild.members.get(user_id)
    if member is None:
        return Can(0)
    roles = [guild.id, *member.roles]
    base = 0
    for role in roles:
        base |= guild.roles[role].permissions
    if user_id == guild.owner_id or base & Can.ADMINISTRATOR:
        return ALL
    return Can(base) if channel is None else _overwritten(base, roles, user_id, channel)


def _overwritten(base: int, roles: list[int], user_id: int, channel: Channel) -> Can:
    """The overwrites of the channel (a thread has its parent's): everyone, then roles together, then the member."""
    overwrites = (channel.parent if channel.is_thread and channel.parent else channel).overwrites
    for group in ([roles[0]], roles[1:], [user_id]):
        found = [overwrites[target] for target in group if target in overwrites]
        for overwrite in found:
            base &= ~overwrite.deny
        for overwrite in found:
            base |= overwrite.allow
    if not base & Can.VIEW_CHANNEL:
        return Can(0)
    if not base & Can.SEND_MESSAGES:
        base &= ~(Can.MENTION_EVERYONE | Can.SEND_TTS_MESSAGES | Can.ATTACH_FILES | Can.EMBED_LINKS)
    return Can(base)


def need(channel: Channel, user_id: int, wanted: Can) -> None:
    """Raise ApiError 50001 if the channel cannot be seen, 50013 if something of `wanted` is missing."""
    if channel.guild is None:
        if all(user.id != user_id for user in channel.recipients):
            raise ApiError(50001)
        return
    has = granted(channel.guild, user_id, channel)
    if not has & Can.VIEW_CHANNEL:
        raise ApiError(50001)
    if wanted & ~has:
        raise ApiError(50013)
