"""Going on with a session that the agent remembers: in the conversation at hand, or in a new thread beside it.

**Threads**: the loop's only.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import discord

from ...core.desk import View
from ...core.message import Conversation, Person
from ...errors import ChatRefused
from ...text.clean import one_line
from .answers import Answer
from .places import THREAD_EXISTS
from .selects import TOO_OLD, stored_session
from .serving import person

if TYPE_CHECKING:
    from .kit import Kit

__all__ = ["Resuming"]

NAME = 100  # characters of a thread's name


class Resuming:
    """What the buttons below “Where shall it go on?” do."""

    def __init__(self, kit: Kit, view: Callable[[discord.Interaction[Any]], View]) -> None:
        """`view` says what somebody may see and do."""
        self._kit = kit
        self._view = view

    async def chosen(self, interaction: discord.Interaction[Any], token: str, where: str) -> str:
        """Go on `where` ("here", "thread"); return what to tell only this person, "" where the message says it."""
        button = self._kit.books.buttons.get(token)
        if button is None or button.kind != "resume":
            return TOO_OLD
        by = person(interaction)
        if by.id not in button.people:
            return "This is somebody else's: give the command yourself."
        answer = Answer(interaction, self._kit.port, update=True)
        await answer.hold()
        self._kit.books.buttons.drop(token)  # once is enough, however often it is pressed
        stored = stored_session(button.data)
        platform, _, name = button.conversation.partition(":")
        conversation = Conversation(platform, name)
        asked_in = conversation
        if where == "thread":
            conversation = await self._thread(interaction, stored.title, by)
        view = self._view(interaction)
        told = await answer.after(self._kit.broker.go_on(conversation, stored, by, view, asked_in=asked_in))
        place = f" It goes on in <#{conversation.id}>." if where == "thread" and told.ok else ""
        await answer.say(told.text + place)
        return ""

    async def _thread(self, interaction: discord.Interaction[Any], title: str, by: Person) -> Conversation:
        """Open a thread beside the one at hand. Raise ChatError where none can be made."""
        channel = interaction.channel
        parent = channel.parent if isinstance(channel, discord.Thread) else channel
        if not isinstance(parent, discord.TextChannel):
            raise ChatRefused("No thread can be opened from here.")
        name = one_line(title, NAME) or "Going on"
        calls = self._kit.port.calls
        nonce = secrets.token_hex(12)  # one for all attempts
        text = f"<@{by.id}> goes on with “{discord.utils.escape_markdown(name)}”: write in the thread."
        message = await calls.make("send messages", parent.id, lambda: parent.send(text, nonce=nonce))
        await calls.make("create threads", parent.id, lambda: _open(message, name))
        conversation = Conversation("discord", str(message.id))  # a thread has the id of the message it begins with
        books = self._kit.books.conversations
        known = books.get(conversation.key)
        people = tuple(dict.fromkeys((*known.people, by.id)))
        books.put(replace(known, parent=str(parent.id), took_part=True, people=people, title=name))
        return conversation


async def _open(message: discord.Message, name: str) -> None:
    """Open a thread from a message. It has one already if the answer to a first attempt was lost."""
    try:
        await message.create_thread(name=name)
    except discord.HTTPException as error:
        if error.code != THREAD_EXISTS:
            raise
