"""What the page shows, as JSON, and what can be done on it."""

from __future__ import annotations

from collections.abc import Callable

from tests.fakes.discord.actors import Actor
from tests.fakes.discord.errors import ApiError
from tests.fakes.discord.interactions import EPHEMERAL
from tests.fakes.discord.server import Server
from tests.fakes.discord.things import CATEGORY, FORUM, Channel, Json, Message

__all__ = ["act", "state"]

YOU = "you"
SHOWN = 200  # messages of a channel
TYPING = 10.0  # seconds that it shows


def state(server: Server) -> Json:
    """Channels with their messages, commands, and what the bot did wrong. The lock is held."""
    you = server.user(YOU)
    channels = [one for one in server.world.channels.values() if not one.deleted and one.kind not in {CATEGORY, FORUM}]
    return {
        "version": server.world.version,
        "is_online": any(session.line for session in server.gateway.sessions.values()),
        "bot": {"name": server.app.user.name, "mention": server.app.user.mention},
        "names": {str(user.id): user.name for user in server.world.users.values()},
        "channels": [_channel(server, you, channel) for channel in channels],
        "commands": [
            {"name": one["name"], "options": [option["name"] for option in one.get("options") or []]}
            for scope in server.app.commands.values()
            for one in scope.values()
            if one["type"] == 1
        ],
        "modals": [
            {"id": str(it.id), "modal": it.modal}
            for it in server.backend.interactions.by_id.values()
            if it.modal and not any(other.cause is it for other in server.backend.interactions.by_id.values())
        ],
        "violations": server.violations,
    }


def _channel(server: Server, you: Actor, channel: Channel) -> Json:
    seen = [
        message
        for message in channel.messages.values()
        if not message.deleted and (not message.is_ephemeral or message.seen_by == you.id) and message.kind != 21
    ]
    return {
        "id": str(channel.id),
        "name": channel.name or "direct",
        "parent": channel.parent.name if channel.parent else "",
        "archived": channel.archived,
        "locked": channel.locked,
        "messages": [_message(message) for message in seen[-SHOWN:]],
    }


def _message(message: Message) -> Json:
    return {
        "id": str(message.id),
        "author": message.author.name,
        "is_bot": message.author.bot,
        "text": message.content,
        "is_ephemeral": message.is_ephemeral,
        "is_loading": message.is_loading,
        "is_edited": message.edited is not None,
        "is_system": message.kind in {4, 18},
        "reply_to": message.reply_to.content[:80] if message.reply_to else "",
        "embeds": message.embeds,
        "files": [{"name": one.filename, "size": len(one.content)} for one in message.attachments],
        "reactions": {emoji: len(users) for emoji, users in message.reactions.items()},
        "thread": str(message.thread.id) if message.thread and not message.thread.deleted else "",
        "parts": [part for part in message.parts() if part["type"] in {2, 3, 10}],
    }


def act(server: Server, deed: Json) -> None:
    """Do what was done on the page. Raise LookupError or ValueError saying what cannot be done."""
    what = str(deed.get("do"))
    if what not in DEEDS:
        raise LookupError(f"{what!r} cannot be done here, only {sorted(DEEDS)}")
    try:
        DEEDS[what](server, server.user(YOU), deed)
    except ApiError as error:
        raise LookupError(error.message) from error


def _where(server: Server, deed: Json) -> Channel:
    try:
        return server.world.channel(str(deed["channel"]))
    except ApiError as error:
        raise LookupError(error.message) from error


def _which(server: Server, deed: Json) -> Message:
    message = _where(server, deed).messages.get(int(deed["message"]))
    if message is None or message.deleted:
        raise LookupError("there is no such message")
    return message


def _write(server: Server, you: Actor, deed: Json) -> None:
    text = str(deed["text"])
    if not 0 < len(text.strip()) <= 2000:
        raise ValueError("a message has 1 to 2000 characters")
    you.write(_where(server, deed), text.replace(f"@{server.app.user.name}", server.app.user.mention))


def _slash(server: Server, you: Actor, deed: Json) -> None:
    command = server.app.find_command(server.guild.id, str(deed["command"])) or {}
    kinds = {one["name"]: one["type"] for one in command.get("options") or []}
    options = {name: _typed(value, kinds.get(name, 3)) for name, value in deed.get("options", {}).items()}
    you.slash(str(deed["command"]), where=_where(server, deed), **options)


def _typed(value: str, kind: int) -> object:
    """What was typed, as the option wants it. Raise ValueError for what is no number where one is wanted."""
    if kind == 5:
        return value in {"true", "yes", "1"}
    return int(value) if kind == 4 else float(value) if kind == 10 else value


def _submit(server: Server, you: Actor, deed: Json) -> None:
    you.submit(server.backend.interactions.by_id[int(deed["interaction"])], **deed["values"])


def _dismiss(server: Server, you: Actor, deed: Json) -> None:
    message = _which(server, deed)
    if not message.flags & EPHEMERAL and message.author is not you.user:
        raise LookupError("that is not yours")
    you.delete(message)


DEEDS: dict[str, Callable[[Server, Actor, Json], object]] = {
    "write": _write,
    "edit": lambda server, you, deed: you.edit(_which(server, deed), str(deed["text"])),
    "delete": _dismiss,
    "react": lambda server, you, deed: you.react(_which(server, deed), str(deed["emoji"])),
    "click": lambda server, you, deed: you.click(_which(server, deed), str(deed["part"])),
    "choose": lambda server, you, deed: you.choose(_which(server, deed), *deed["values"], select=str(deed["part"])),
    "slash": _slash,
    "submit": _submit,
}
