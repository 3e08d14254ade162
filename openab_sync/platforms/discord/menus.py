"""The menu of a message: ask the agent about it, have it answered once more, drop it from the queue.

**Threads**: the loop's only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import discord

from ...core.desk import View
from ...core.message import Conversation, MessageRef, Person
from .answers import Answer
from .asking import is_question
from .controls import messages_of
from .export import KINDS
from .ids import made, read
from .serving import room

if TYPE_CHECKING:
    from ...store import Buttons
    from .incoming import Incoming
    from .kit import Kit

__all__ = ["Menus", "conversation_of", "form", "prompt_of", "written"]

LOOKED_AT = 5  # messages at the beginning of a thread: the first, and what Discord itself has written before it
QUESTION = 4000  # characters of a form's text
EMPTY = "Write what you want to know, please."


class Menus:
    """What the entries of a message's menu do. Whoever calls has asked the gate."""

    def __init__(self, kit: Kit, incoming: Incoming) -> None:
        self._kit = kit
        self._incoming = incoming

    async def ask_about(self, interaction: discord.Interaction[Any], message: discord.Message) -> None:
        """Ask what the question is: the answer is a form."""
        await interaction.response.send_modal(form(message.channel.id, message.id))

    async def asked_about(
        self, answer: Answer, interaction: discord.Interaction[Any], channel: int, message_id: int
    ) -> str:
        """The form was sent: ask the agent; return what to tell the person."""
        text = written(interaction.data)
        if not text.strip():
            return EMPTY
        await answer.hold()
        place = self._kit.client.get_partial_messageable(channel)
        about = await self._kit.port.calls.make("read messages", channel, lambda: place.fetch_message(message_id))
        _, said = await self._incoming.ask(room(interaction), interaction.user, text, about=about)
        return said

    async def retry(self, answer: Answer, interaction: discord.Interaction[Any], message: discord.Message) -> None:
        """Have a message answered once more, opened on it or on our answer to it."""
        await answer.hold()
        prompt = prompt_of(message, self._us, self._kit.books.buttons) or await self._begun_by(message)
        if prompt is None:
            await answer.say("Open this on the message that shall be answered once more.")
            return
        conversation = conversation_of(message)
        await answer.say((await self._incoming.again(conversation, prompt, interaction.user)).text)

    async def _begun_by(self, message: discord.Message) -> str | None:
        """Return the id of the message that a thread was opened from, if this one is the first in the thread.

        Our first answer refers to nothing: what it answers stands in the channel.
        """
        thread = message.channel
        if not isinstance(thread, discord.Thread):
            return None

        async def first() -> int | None:
            oldest = [one async for one in thread.history(limit=LOOKED_AT, oldest_first=True)]
            return next((one.id for one in oldest if one.type in KINDS), None)

        found = await self._kit.port.calls.make("read the history", thread.id, first)
        return str(thread.id) if found == message.id else None

    async def drop(self, answer: Answer, message: discord.Message, by: Person, view: View) -> None:
        """Take a message out of the queue."""
        told = self._kit.broker.drop(MessageRef(conversation_of(message), str(message.id)), by, view)
        await answer.say(told.text)

    @property
    def _us(self) -> int:
        user = self._kit.client.user
        return user.id if user is not None else 0


def conversation_of(message: discord.Message) -> Conversation:
    """Return the conversation that a message belongs to: the thread that was opened from it, else where it is."""
    begun = message.flags.has_thread and not isinstance(message.channel, discord.Thread)
    return Conversation("discord", str(message.id if begun else message.channel.id))


def prompt_of(message: discord.Message, us: int, books: Buttons) -> str | None:
    """Return the id of the message to answer once more: itself, or the one that this answer of ours is about."""
    if message.author.id != us or is_question(message.content):
        return str(message.id)
    for row in message.components:
        for item in getattr(row, "children", ()):
            known = read(getattr(item, "custom_id", None) or "")
            if known is not None and known.kind in ("retry", "stop"):
                return next(iter(messages_of(books, known.parts[0], conversation_of(message))), None)
    reference = message.reference
    return str(reference.message_id) if reference is not None and reference.message_id is not None else None


def form(channel: int, message_id: int) -> discord.ui.Modal:
    """Return the form that asks for the question about a message. discord.py shows it and then forgets it."""
    modal = discord.ui.Modal(title="Ask the agent about this", custom_id=made("about", str(channel), str(message_id)))
    text: discord.ui.TextInput[Any] = discord.ui.TextInput(
        label="Your question",
        custom_id="text",
        style=discord.TextStyle.paragraph,
        max_length=QUESTION,
        placeholder="What do you want to know about this message, or have done with it?",
    )
    modal.add_item(text)
    modal.stop()
    return modal


def written(data: object) -> str:
    """Return the text that was written into the form, "" if there is none: what comes is never trusted."""
    found: list[str] = []
    _collect(data, found, 5)
    return found[0] if found else ""


def _collect(part: object, found: list[str], depth: int) -> None:
    if not isinstance(part, dict) or not depth:
        return
    value = part.get("value")
    if part.get("custom_id") == "text" and isinstance(value, str):
        found.append(value[:QUESTION])
    inner = part.get("components")
    for one in inner if isinstance(inner, list) else ():
        _collect(one, found, depth - 1)
    _collect(part.get("component"), found, depth - 1)
