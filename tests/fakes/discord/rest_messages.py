"""Handlers for messages, reactions and typing. They run under the world's lock and return the JSON of the answer."""

from __future__ import annotations

from urllib.parse import unquote

from tests.fakes.discord import messages, payloads, threads
from tests.fakes.discord.calls import Answer, Call
from tests.fakes.discord.checks import check_message
from tests.fakes.discord.errors import ApiError, invalid_form
from tests.fakes.discord.interactions import draft_of, edit_with
from tests.fakes.discord.permissions import Can, granted, need
from tests.fakes.discord.things import Channel, Json, Message

__all__ = [
    "add_reaction", "bulk_delete", "clear_reactions", "create_message", "delete_message", "edit_message", "get_message",
    "history", "reaction_users", "remove_reaction", "start_typing", "write_as",
]  # fmt: skip

EPHEMERAL = 64


def create_message(call: Call) -> Answer:
    channel = call.channel()
    return call.shown(write_as(call, channel, call.form))


def write_as(call: Call, channel: Channel, form: Json) -> Message:
    """A new message of the bot, checked; the one with the same nonce if that is enforced and there is one."""
    app, world = call.app, call.world
    need(channel, app.user.id, Can.SEND_MESSAGES_IN_THREADS if channel.is_thread else Can.SEND_MESSAGES)
    check_message(form, len(call.uploads))
    if int(form.get("flags") or 0) & EPHEMERAL:
        raise invalid_form("flags", "Only answers to interactions are ephemeral.")
    if form.get("enforce_nonce") and form.get("nonce") is not None:
        first = messages.same_nonce(world, app.user, str(form["nonce"]))
        if first is not None and first.channel is not channel:
            world.violation(f"the nonce {first.nonce} was used in another channel a moment ago")
        if first is not None:
            return first
    _reachable(call, channel)
    files = call.files(channel)
    if files:
        need(channel, app.user.id, Can.ATTACH_FILES)
    draft = draft_of(app.user, form, files)
    _refer(call, channel, form.get("message_reference"), draft)
    message = threads.write(world, channel, draft)
    call.backend.interactions.complain_if_loud(message)
    return message


def _reachable(call: Call, channel: Channel) -> None:
    if channel.guild is None and not all(user.accepts_dms for user in channel.recipients):
        raise ApiError(50007)


def _refer(call: Call, channel: Channel, reference: Json | None, draft: messages.Draft) -> None:
    if not reference:
        return
    if reference.get("type") == 1:
        source = call.world.channel(reference["channel_id"])
        need(source, call.app.user.id, Can.READ_MESSAGE_HISTORY)
        draft.forward_of = call.world.message(source, reference["message_id"])
        return
    if not granted(channel.guild, call.app.user.id, channel) & Can.READ_MESSAGE_HISTORY:
        raise ApiError(160002)
    try:
        draft.reply_to = call.world.message(channel, reference["message_id"])
    except ApiError:
        if reference.get("fail_if_not_exists", True):
            raise invalid_form("message_reference", "Unknown message", "REPLIES_UNKNOWN_MESSAGE") from None


def get_message(call: Call) -> Answer:
    return call.shown(call.message(Can.READ_MESSAGE_HISTORY))


def edit_message(call: Call) -> Answer:
    channel = call.channel()
    gone = channel.messages.get(int(call.params["message_id"]))
    if gone is not None and gone.deleted and gone.deleted_by == call.app.user.id:
        call.world.violation(f"edits the message {gone.id}, which it deleted itself")
    message = call.message()
    if message.author is not call.app.user and set(call.form) - {"flags"}:
        raise ApiError(50005)
    if message.author is not call.app.user:
        need(channel, call.app.user.id, Can.MANAGE_MESSAGES)
    check_message(call.form, len(call.uploads), old=message)
    edit_with(call.world, message, call.form, call.files(channel))
    return call.shown(message)


def delete_message(call: Call) -> Answer:
    message = call.message()
    if message.author is not call.app.user:
        need(message.channel, call.app.user.id, Can.MANAGE_MESSAGES)
    messages.delete(call.world, message, call.app.user)
    return None


def bulk_delete(call: Call) -> Answer:
    channel = call.channel(Can.MANAGE_MESSAGES)
    wanted = call.form.get("messages") or []
    if not 2 <= len(wanted) <= 100:
        raise ApiError(50016)
    for message in [channel.messages.get(int(one)) for one in wanted]:
        if message is not None and not message.deleted:
            messages.delete(call.world, message, call.app.user)
    return None


def history(call: Call) -> Answer:
    """Newest first; without the permission to read history there is nothing to see."""
    channel = call.channel()
    limit = int(call.query.get("limit", 50))
    if not 1 <= limit <= 100:
        raise invalid_form("limit", "int value should be between 1 and 100.", "NUMBER_TYPE_MAX")
    if not granted(channel.guild, call.app.user.id, channel) & Can.READ_MESSAGE_HISTORY:
        return []
    return [call.shown(message) for message in reversed(_page(channel.history, call.query, limit))]


def _page(found: list[Message], query: object, limit: int) -> list[Message]:
    assert hasattr(query, "get")
    if (after := query.get("after")) is not None:
        return [message for message in found if message.id > int(after)][:limit]
    if (around := query.get("around")) is not None:
        before = [message for message in found if message.id < int(around)]
        rest = [message for message in found if message.id >= int(around)]
        return before[-(limit // 2) :] + rest[: limit - limit // 2]
    if (before_id := query.get("before")) is not None:
        found = [message for message in found if message.id < int(before_id)]
    return found[-limit:]


def add_reaction(call: Call) -> Answer:
    message, emoji = call.message(Can.READ_MESSAGE_HISTORY), unquote(call.params["emoji"])
    if emoji not in message.reactions:
        need(message.channel, call.app.user.id, Can.ADD_REACTIONS)
    messages.react(call.world, message, call.app.user, emoji)
    return None


def remove_reaction(call: Call) -> Answer:
    message, emoji, whose = call.message(), unquote(call.params["emoji"]), call.params["user_id"]
    user = call.app.user if whose == "@me" else call.world.users.get(int(whose))
    if user is None:
        raise ApiError(10013)
    if user is not call.app.user:
        need(message.channel, call.app.user.id, Can.MANAGE_MESSAGES)
    messages.unreact(call.world, message, emoji, user)
    return None


def clear_reactions(call: Call) -> Answer:
    emoji = call.params.get("emoji")
    messages.unreact(call.world, call.message(Can.MANAGE_MESSAGES), unquote(emoji) if emoji else None)
    return None


def reaction_users(call: Call) -> Answer:
    users = call.message().reactions.get(unquote(call.params["emoji"]), [])
    return [payloads.user_json(call.world.users[user]) for user in users]


def start_typing(call: Call) -> Answer:
    channel = call.channel()
    need(channel, call.app.user.id, Can.SEND_MESSAGES_IN_THREADS if channel.is_thread else Can.SEND_MESSAGES)
    messages.typing(call.world, channel, call.app.user)
    return None
