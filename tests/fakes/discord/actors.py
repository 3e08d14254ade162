"""People (and other bots): what they do in the chat, as a test tells them to. Any thread; never blocks for long."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tests.fakes.discord import commands, messages, threads
from tests.fakes.discord.interactions import AUTOCOMPLETE, COMMAND, COMPONENT, MODAL, Interaction
from tests.fakes.discord.messages import Draft
from tests.fakes.discord.things import FORUM, App, Attachment, Channel, Json, Message, Role, User

if TYPE_CHECKING:
    from tests.fakes.discord.server import Server

__all__ = ["Actor", "File"]

File = tuple[str, bytes] | tuple[str, bytes, str]
"""Name, content and, if it is to lie, content type."""


class Actor:
    """Somebody in the chat. What they do happens at once, and the bot is told of it over its gateway."""

    def __init__(self, server: Server, user: User, *, webhook_id: int | None = None) -> None:
        self._server = server
        self._world = server.world
        self.user = user
        self._webhook_id = webhook_id

    @property
    def id(self) -> int:
        return self.user.id

    @property
    def mention(self) -> str:
        return self.user.mention

    # ---- talking ----

    def write(
        self,
        channel: Channel | str,
        text: str = "",
        *,
        mentions: Sequence[User | Role | Actor | App] = (),
        reply_to: Message | None = None,
        files: Sequence[File] = (),
        **more: Any,
    ) -> Message:
        """Write a message; `mentions` are put before the text. `more`: any other field of a `Draft`."""
        where = self._server.channel(channel)
        draft = self._draft(text, mentions, files, reply_to=reply_to, **more)
        return threads.write(self._world, where, draft)

    def post(self, forum: Channel | str, title: str, text: str, **more: Any) -> Channel:
        """Open a post in a forum; return its thread. The rest as for `write`."""
        where = self._server.channel(forum)
        if where.kind != FORUM:
            raise LookupError(f"{where!r} is no forum")
        draft = self._draft(text, more.pop("mentions", ()), more.pop("files", ()), **more)
        return threads.start_post(self._world, where, title, draft)

    def _draft(
        self, text: str, mentions: Sequence[User | Role | Actor | App], files: Sequence[File], **more: Any
    ) -> Draft:
        called = [one.user.mention if isinstance(one, App) else one.mention for one in mentions]
        attachments = [self._attachment(file) for file in files]
        return Draft(self.user, " ".join([*called, text]), attachments=attachments, webhook_id=self._webhook_id, **more)

    def _attachment(self, file: File) -> Attachment:
        kind = file[2] if len(file) == 3 else "application/octet-stream"
        return Attachment(self._world.next_id(), file[0], file[1], kind)

    def voice(self, channel: Channel | str, content: bytes = b"OggS", seconds: float = 2.5) -> Message:
        """Send a voice message."""
        sound = Attachment(self._world.next_id(), "voice-message.ogg", content, "audio/ogg")
        sound.extra = {"duration_secs": seconds, "waveform": "AAAA"}
        draft = Draft(self.user, flags=1 << 13, attachments=[sound])
        return threads.write(self._world, self._server.channel(channel), draft)

    def forward(self, message: Message, channel: Channel | str) -> Message:
        """Forward a message; its text comes as a snapshot."""
        return threads.write(self._world, self._server.channel(channel), Draft(self.user, forward_of=message))

    def dm(self, text: str, **more: Any) -> Message:
        """Write to the bot alone."""
        return self.write(self._world.dm(self.user, self._server.app.user), text, **more)

    def edit(self, message: Message, text: str) -> None:
        """Edit a message of one's own."""
        messages.edit(self._world, message, {"content": text})

    def embed(self, message: Message, embed: Json) -> None:
        """What the service does when it has looked at a link: an update that is no edit."""
        messages.edit(self._world, message, {"embeds": [embed]}, quietly=True)

    def delete(self, message: Message) -> None:
        messages.delete(self._world, message, self.user)

    def react(self, message: Message, emoji: str) -> None:
        messages.react(self._world, message, self.user, emoji)

    def unreact(self, message: Message, emoji: str) -> None:
        messages.unreact(self._world, message, emoji, self.user)

    def type(self, channel: Channel | str) -> None:
        messages.typing(self._world, self._server.channel(channel), self.user)

    # ---- threads ----

    def open_thread(self, at: Message | Channel | str, name: str) -> Channel:
        """Open a thread from a message, or from nothing in a channel."""
        if isinstance(at, Message):
            return threads.start_from(self._world, at, name, self.user)
        return threads.start(self._world, self._server.channel(at), name, self.user)

    def join(self, thread: Channel) -> None:
        threads.join(self._world, thread, self.user)

    def invite(self, thread: Channel, user: User | Actor) -> None:
        """Add somebody else to a thread."""
        threads.join(self._world, thread, user.user if isinstance(user, Actor) else user)

    def leave(self, thread: Channel) -> None:
        threads.leave(self._world, thread, self.user)

    def rename(self, channel: Channel, name: str) -> None:
        threads.update(self._world, channel, {"name": name}, self.user)

    def archive(self, thread: Channel, *, archived: bool = True) -> None:
        threads.update(self._world, thread, {"archived": archived}, self.user)

    def lock(self, thread: Channel, *, locked: bool = True) -> None:
        """Lock a thread, which leaves it open: archive it besides to close it."""
        threads.update(self._world, thread, {"locked": locked}, self.user)

    def delete_channel(self, channel: Channel) -> None:
        """Delete a thread or a channel."""
        threads.delete(self._world, channel)

    # ---- components ----

    def click(self, message: Message, button: str) -> Interaction:
        """Click a button, named by its custom id or label. Raise LookupError if it is not there for this person."""
        part = self._part(message, button, {2})
        return self._press(message, {"custom_id": part["custom_id"], "component_type": 2})

    def choose(self, message: Message, *choices: str, select: str = "") -> Interaction:
        """Choose in a select, by values or labels; `select` (its custom id or placeholder) says in which one."""
        part = self._part(message, select, {3, 5, 6, 7, 8})
        values = [_value(part, choice) for choice in choices]
        if not part.get("min_values", 1) <= len(values) <= part.get("max_values", 1):
            raise LookupError(f"{len(values)} choices are not what {part['custom_id']} takes")
        return self._press(message, {"custom_id": part["custom_id"], "component_type": part["type"], "values": values})

    def submit(self, shown: Interaction, **values: str | list[str]) -> Interaction:
        """Fill in and send the modal that was the answer to `shown`; inputs by custom id, several choices as a list."""
        if shown.modal is None:
            raise LookupError(f"no modal was answered to {shown.data}")
        data = {"custom_id": shown.modal["custom_id"], "components": commands.filled(shown.modal, values)}
        interactions = self._server.backend.interactions
        it = interactions.begin(MODAL, shown.app, self.user, shown.channel, data)
        it.cause, it.message = shown, shown.message
        return interactions.send(it)

    def _press(self, message: Message, data: Json) -> Interaction:
        app = self._server.app_of(message.author)
        interactions = self._server.backend.interactions
        it = interactions.begin(COMPONENT, app, self.user, message.channel, data)
        it.message = message
        return interactions.send(it)

    def _part(self, message: Message, name: str, kinds: set[int]) -> Json:
        if message.deleted or (message.is_ephemeral and message.seen_by != self.id):
            raise LookupError(f"{self.user.name} does not see {message!r}")
        found = [part for part in message.parts() if part["type"] in kinds]
        for part in found:
            if name in {
                part.get("custom_id"),
                part.get("label"),
                part.get("placeholder"),
                "" if len(found) == 1 else None,
            }:
                if part.get("disabled"):
                    raise LookupError(f"{name!r} is disabled")
                return part
        raise LookupError(f"{message!r} has no {name!r}, only {[part.get('custom_id') for part in found]}")

    # ---- commands ----

    def slash(self, command: str, /, *, where: Channel | str = "", **options: Any) -> Interaction:
        """Use a slash command ("config set" for a subcommand). Raise LookupError for what the app would not offer."""
        it = self._command(command, where, options, COMMAND)
        return self._server.backend.interactions.send(it)

    def autocomplete(
        self, command: str, option: str, text: str, /, *, where: Channel | str = "", **others: Any
    ) -> Interaction:
        """Type `text` into an option that completes itself; the answer's `choices` are what is offered."""
        it = self._command(command, where, {**others, option: text}, AUTOCOMPLETE, option)
        return self._server.backend.interactions.send(it)

    def menu(self, command: str, target: Message | User) -> Interaction:
        """Use an entry of the context menu of a message or a person."""
        kind = 3 if isinstance(target, Message) else 2
        where = target.channel if isinstance(target, Message) else self._server.channel("")
        app, found = commands.lookup(self._server.apps, where, command, kind)
        interactions = self._server.backend.interactions
        data = commands.menu_data(self._world, found, target, app)
        return interactions.send(interactions.begin(COMMAND, app, self.user, where, data))

    def _command(self, command: str, where: Channel | str, options: Json, kind: int, focused: str = "") -> Interaction:
        channel, path = self._server.channel(where), command.split()
        app, found = commands.lookup(self._server.apps, channel, path[0], 1)
        data = commands.chat_data(found, path[1:], options, focused)
        return self._server.backend.interactions.begin(kind, app, self.user, channel, data)

    def __repr__(self) -> str:
        return f"<Actor {self.user.name}>"


def _value(select: Json, choice: str) -> str:
    """The value of a choice of a select, which may be named by its label."""
    if select["type"] != 3:
        return choice
    for option in select["options"]:
        if choice in {option["value"], option["label"]}:
            return str(option["value"])
    raise LookupError(f"{choice!r} is not among {[option['label'] for option in select['options']]}")
