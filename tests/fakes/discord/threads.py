"""What can be done with channels and threads: start, join, leave, rename, archive, lock, delete.

Permissions are the callers' business. The lock is taken here.
"""

from __future__ import annotations

from typing import Any

from tests.fakes.discord import messages, payloads
from tests.fakes.discord.errors import ApiError
from tests.fakes.discord.mentions import ring
from tests.fakes.discord.messages import Draft
from tests.fakes.discord.permissions import Can, granted
from tests.fakes.discord.things import (
    ANNOUNCEMENT,
    ANNOUNCEMENT_THREAD,
    FORUM,
    PUBLIC_THREAD,
    TEXT,
    App,
    Channel,
    Json,
    Message,
    User,
)
from tests.fakes.discord.world import Event, World

__all__ = ["delete", "join", "leave", "start", "start_from", "start_post", "update", "write"]


def start_from(world: World, message: Message, name: str, owner: User, auto_archive: int = 1440) -> Channel:
    """Open a thread from a message; it has the message's id.

    Raise ApiError 160004 if there is one already, 50024 where no thread can be, 50021 from a system message.
    """
    with world.changed:
        parent = message.channel
        if parent.kind not in {TEXT, ANNOUNCEMENT}:
            raise ApiError(50024)
        if message.thread is not None or message.id in world.channels:
            raise ApiError(160004)
        if message.kind not in {0, 19, 20, 23}:
            raise ApiError(50021, status=400)
        kind = PUBLIC_THREAD if parent.kind == TEXT else ANNOUNCEMENT_THREAD
        thread = _made(world, message.id, kind, name, parent, owner)
        thread.auto_archive = auto_archive
        thread.participants |= {message.author.id, owner.id}
        message.thread = thread
        message.flags |= messages.HAS_THREAD
        _tell_created(world, thread)
        messages.edit(world, message, {}, quietly=True)
        messages.post(world, thread, Draft(owner, kind=21, reply_to=message, allowed={"parse": []}))
        return thread


def start(world: World, parent: Channel, name: str, owner: User, kind: int = PUBLIC_THREAD) -> Channel:
    """Open a thread from nothing; the channel says so with a system message. Raise ApiError 50024 where none can be."""
    with world.changed:
        if parent.kind not in {TEXT, ANNOUNCEMENT}:
            raise ApiError(50024)
        thread = _made(world, world.next_id(), kind, name, parent, owner)
        _tell_created(world, thread)
        if kind == PUBLIC_THREAD:
            messages.post(world, parent, Draft(owner, name, kind=18, allowed={"parse": []}))
        return thread


def start_post(world: World, forum: Channel, name: str, draft: Draft, tags: list[int] | None = None) -> Channel:
    """A new post in a forum: a thread and its first message, with one id. Raise ApiError 50024 elsewhere."""
    with world.changed:
        if forum.kind != FORUM:
            raise ApiError(50024)
        thread = _made(world, world.next_id(), PUBLIC_THREAD, name, forum, draft.author)
        thread.applied_tags = tags or []
        _tell_created(world, thread)
        _bring_in(world, thread, draft)
        messages.post(world, thread, draft, message_id=thread.id)
        return thread


def join(world: World, thread: Channel, user: User) -> None:
    """Make somebody a member of a thread; nothing happens if they are."""
    with world.changed:
        if user.id in thread.members:
            return
        thread.members[user.id] = world.clock.time()
        thread.participants.add(user.id)
        _tell_members(world, thread, {"added_members": [payloads.thread_member_json(thread, user.id)]})


def write(world: World, channel: Channel, draft: Draft) -> Message:
    """Post a message as somebody. In a thread its writer is a member from then on; an archived one wakes up.

    Raise ApiError 50083 or 160005 in a locked thread, unless they manage threads.
    """
    with world.changed:
        if channel.is_thread and not draft.flags & 64:
            user = draft.author
            may = granted(channel.guild, user.id, channel) & Can.MANAGE_THREADS
            if channel.locked and not may:
                raise ApiError(50083 if channel.archived else 160005)
            if channel.archived:
                update(world, channel, {"archived": False}, user)
            if channel.guild is not None and user.id in channel.guild.members:
                join(world, channel, user)
            _bring_in(world, channel, draft)
        return messages.post(world, channel, draft)


def _bring_in(world: World, thread: Channel, draft: Draft) -> None:
    """Whom a person names in a thread becomes a member of it, bots included; whom a bot names does not."""
    if draft.author.bot or thread.guild is None:
        return
    for user in ring(draft.content, draft.author, thread, draft.allowed, None).users:
        join(world, thread, thread.guild.members[user].user)


def leave(world: World, thread: Channel, user: User) -> None:
    with world.changed:
        if thread.members.pop(user.id, None) is not None:
            _tell_members(world, thread, {"removed_member_ids": [str(user.id)]})


def update(world: World, channel: Channel, changes: Json, by: User) -> None:
    """Change attributes of a channel or thread. A thread's new name is written into it as a system message."""
    with world.changed:
        renamed = "name" in changes and changes["name"] != channel.name
        if changes.get("archived", channel.archived) != channel.archived:
            channel.archive_at = world.clock.time()
        for name, value in changes.items():
            setattr(channel, name, value)
        _tell(world, "THREAD_UPDATE" if channel.is_thread else "CHANNEL_UPDATE", channel)
        if renamed and channel.is_thread:
            messages.post(world, channel, Draft(by, channel.name, kind=4, allowed={"parse": []}))


def delete(world: World, channel: Channel) -> None:
    """Delete a channel and its threads, or a thread."""
    with world.changed:
        for thread in [one for one in world.channels.values() if one.parent is channel and one.is_thread]:
            thread.deleted = True
        channel.deleted = True
        if not channel.is_thread:
            _tell(world, "CHANNEL_DELETE", channel)
            return
        assert channel.guild is not None and channel.parent is not None
        data = {
            "id": str(channel.id), "guild_id": str(channel.guild.id), "parent_id": str(channel.parent.id),
            "type": channel.kind,
        }  # fmt: skip
        world.emit(Event("THREAD_DELETE", lambda _app: data, channel.guild, channel))


def _made(world: World, thread_id: int, kind: int, name: str, parent: Channel, owner: User) -> Channel:
    thread = Channel(thread_id, kind, name.strip(), parent.guild, parent, owner_id=owner.id)
    thread.archive_at = world.clock.time()
    thread.members[owner.id] = world.clock.time()
    thread.participants.add(owner.id)
    world.channels[thread.id] = thread
    return thread


def _tell_created(world: World, thread: Channel) -> None:
    def data(app: App) -> Any:
        return payloads.channel_json(thread, app) | {"newly_created": True}

    world.emit(Event("THREAD_CREATE", data, thread.guild, thread))


def _tell_members(world: World, thread: Channel, change: Json) -> None:
    assert thread.guild is not None
    data = {
        "id": str(thread.id), "guild_id": str(thread.guild.id), "member_count": min(50, len(thread.members)), **change,
    }  # fmt: skip
    world.emit(Event("THREAD_MEMBERS_UPDATE", lambda _app: data, thread.guild, thread))


def _tell(world: World, name: str, channel: Channel) -> None:
    world.emit(Event(name, lambda app: payloads.channel_json(channel, app), channel.guild, channel))
