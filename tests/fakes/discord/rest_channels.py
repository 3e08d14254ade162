"""Handlers for channels, threads, guilds and users. They run under the world's lock and return JSON."""

from __future__ import annotations

from tests.fakes.discord import payloads, threads
from tests.fakes.discord.calls import Answer, Call
from tests.fakes.discord.checks import check_message, check_name
from tests.fakes.discord.errors import ApiError, invalid_form
from tests.fakes.discord.interactions import draft_of
from tests.fakes.discord.permissions import Can, need
from tests.fakes.discord.things import ANNOUNCEMENT_THREAD, FORUM, PRIVATE_THREAD, PUBLIC_THREAD, Channel, Json, User

__all__ = [
    "active_threads", "add_thread_member", "archived_threads", "delete_channel", "edit_channel", "get_channel",
    "get_guild", "get_me", "get_member", "get_user", "guild_channels", "guild_roles", "members", "my_guilds", "open_dm",
    "remove_thread_member", "start_thread", "start_thread_from_message", "thread_members",
]  # fmt: skip

ARCHIVE_AFTER = frozenset({60, 1440, 4320, 10080})

# What a request calls a thing → the attribute of the channel.
CHANNEL_FIELDS = {"name": "name", "topic": "topic", "rate_limit_per_user": "slowmode", "position": "position"}
THREAD_FIELDS = {
    "name": "name", "archived": "archived", "locked": "locked", "auto_archive_duration": "auto_archive",
    "rate_limit_per_user": "slowmode", "applied_tags": "applied_tags",
}  # fmt: skip


def get_channel(call: Call) -> Answer:
    return payloads.channel_json(call.channel(), call.app)


def edit_channel(call: Call) -> Answer:
    """Renaming has a limit of its own, far below the bucket's: two in ten minutes."""
    channel = call.channel()
    check_name(call.form, required=False)
    _check_duration(call.form)
    (_may_edit_thread if channel.is_thread else _may_edit_channel)(call, channel)
    if call.form.get("name") not in {None, channel.name}:
        call.limit("rename", channel.id)
    known = THREAD_FIELDS if channel.is_thread else CHANNEL_FIELDS
    changes = {known[key]: value for key, value in call.form.items() if key in known and value is not None}
    threads.update(call.world, channel, changes, call.app.user)
    return payloads.channel_json(channel, call.app)


def _may_edit_channel(call: Call, channel: Channel) -> None:
    need(channel, call.app.user.id, Can.MANAGE_CHANNELS)


def _may_edit_thread(call: Call, thread: Channel) -> None:
    """Managing threads allows everything; who opened it may rename and archive; who can write may wake it up."""
    if thread.archived and call.form.get("archived") is not False:
        raise ApiError(50083)
    wakes_up = set(call.form) == {"archived"} and not call.form["archived"] and not thread.locked
    owns = thread.owner_id == call.app.user.id and "locked" not in call.form and not thread.locked
    if wakes_up:
        need(thread, call.app.user.id, Can.SEND_MESSAGES_IN_THREADS)
    elif not owns:
        need(thread, call.app.user.id, Can.MANAGE_THREADS)


def delete_channel(call: Call) -> Answer:
    channel = call.channel()
    need(channel, call.app.user.id, Can.MANAGE_THREADS if channel.is_thread else Can.MANAGE_CHANNELS)
    answer = payloads.channel_json(channel, call.app)
    threads.delete(call.world, channel)
    return answer


def _check_duration(form: Json) -> None:
    if form.get("auto_archive_duration") not in ARCHIVE_AFTER | {None}:
        raise invalid_form("auto_archive_duration", f"Must be one of {sorted(ARCHIVE_AFTER)}.", "BASE_TYPE_CHOICES")


def start_thread_from_message(call: Call) -> Answer:
    message = call.message(Can.CREATE_PUBLIC_THREADS)
    check_name(call.form, required=True)
    _check_duration(call.form)
    duration = call.form.get("auto_archive_duration") or 1440
    thread = threads.start_from(call.world, message, call.form["name"], call.app.user, duration)
    return payloads.channel_json(thread, call.app)


def start_thread(call: Call) -> Answer:
    """A thread from nothing, or a post in a forum, which brings its first message along."""
    channel, kind = call.channel(), int(call.form.get("type") or PRIVATE_THREAD)
    check_name(call.form, required=True)
    _check_duration(call.form)
    if channel.kind == FORUM:
        return _start_post(call, channel)
    if kind not in {ANNOUNCEMENT_THREAD, PUBLIC_THREAD, PRIVATE_THREAD}:
        raise invalid_form("type", "Value is no kind of thread.", "BASE_TYPE_CHOICES")
    is_private = kind == PRIVATE_THREAD
    need(channel, call.app.user.id, Can.CREATE_PRIVATE_THREADS if is_private else Can.CREATE_PUBLIC_THREADS)
    thread = threads.start(call.world, channel, call.form["name"], call.app.user, kind)
    thread.auto_archive = call.form.get("auto_archive_duration") or 1440
    return payloads.channel_json(thread, call.app)


def _start_post(call: Call, forum: Channel) -> Json:
    need(forum, call.app.user.id, Can.SEND_MESSAGES)
    form = call.form.get("message") or {}
    check_message(form, len(call.uploads))
    draft = draft_of(call.app.user, form, call.files(forum))
    tags = [int(tag) for tag in call.form.get("applied_tags") or []]
    thread = threads.start_post(call.world, forum, call.form["name"], draft, tags)
    return payloads.channel_json(thread, call.app) | {"message": call.shown(thread.messages[thread.id])}


def _thread(call: Call) -> Channel:
    channel = call.channel()
    if not channel.is_thread:
        raise ApiError(50024)
    return channel


def add_thread_member(call: Call) -> Answer:
    thread = _thread(call)
    if thread.archived:
        raise ApiError(50083)
    threads.join(call.world, thread, _user(call))
    return None


def remove_thread_member(call: Call) -> Answer:
    thread, user = _thread(call), _user(call)
    if user is not call.app.user:
        need(thread, call.app.user.id, Can.MANAGE_THREADS)
    threads.leave(call.world, thread, user)
    return None


def thread_members(call: Call) -> Answer:
    thread = _thread(call)
    return [payloads.thread_member_json(thread, user) for user in thread.members]


def archived_threads(call: Call) -> Answer:
    parent = call.channel(Can.READ_MESSAGE_HISTORY)
    found = [one for one in call.world.channels.values() if one.parent is parent and one.archived and not one.deleted]
    return _listing(call, found) | {"has_more": False}


def active_threads(call: Call) -> Answer:
    return _listing(call, [thread for thread in call.world.threads(call.guild()) if call.world.sees(call.app, thread)])


def _listing(call: Call, found: list[Channel]) -> Json:
    me = call.app.user.id
    return {
        "threads": [payloads.channel_json(thread, call.app) for thread in found],
        "members": [payloads.thread_member_json(thread, me) for thread in found if me in thread.members],
    }


def get_guild(call: Call) -> Answer:
    data = payloads.guild_json(call.world, call.guild(), call.app)
    return {key: value for key, value in data.items() if key not in {"channels", "members", "threads", "presences"}}


def guild_channels(call: Call) -> Answer:
    return [payloads.channel_json(channel) for channel in call.world.channels_of(call.guild())]


def guild_roles(call: Call) -> Answer:
    return [payloads.role_json(role) for role in call.guild().roles.values()]


def get_member(call: Call) -> Answer:
    member = call.guild().members.get(_user(call).id)
    if member is None:
        raise ApiError(10007)
    return payloads.member_json(member)


def members(call: Call) -> Answer:
    if not call.app.privileged & 1 << 1:
        raise ApiError(50001)
    return [payloads.member_json(member) for member in call.guild().members.values()]


def my_guilds(call: Call) -> Answer:
    mine = [guild for guild in call.world.guilds.values() if call.app.user.id in guild.members]
    return [{"id": str(guild.id), "name": guild.name, "icon": None, "owner": False, "features": []} for guild in mine]


def get_me(call: Call) -> Answer:
    return payloads.user_json(call.app.user) | {"verified": True, "mfa_enabled": False, "locale": "en-US"}


def get_user(call: Call) -> Answer:
    return payloads.user_json(_user(call))


def _user(call: Call) -> User:
    wanted = call.params.get("user_id", "@me")
    user = call.app.user if wanted == "@me" else call.world.users.get(int(wanted))
    if user is None:
        raise ApiError(10013)
    return user


def open_dm(call: Call) -> Answer:
    user = call.world.users.get(int(call.form.get("recipient_id") or 0))
    if user is None or user is call.app.user:
        raise ApiError(10013, status=400)
    return payloads.channel_json(call.world.dm(call.app.user, user), call.app)
