"""Asking: what people have the agent asked by a command, a menu or a button instead of a message of their own.

A question needs a message that reactions and a thread can hang on: one of ours quotes it. From there it goes the way of
every message.

**Threads**: the loop's only.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING

import discord

from ...core.commands import CommandAnswer
from ...core.message import Conversation, MessageRef, Person
from ...errors import ChatError, ChatRefused
from .bots import conversation_at
from .drafts import Draft, prompt_of
from .gate import Gate
from .places import Place, Places
from .words import cut, quoted, unquoted

if TYPE_CHECKING:
    from .kit import Kit

__all__ = ["Asking", "is_question", "message_at", "question_text"]

MOST_QUOTED = 1700  # of 2000 characters: the rest is for the name and the quote's marks
MOST_REMEMBERED = 200  # questions whose whole text is known
ASKS = " asks:\n"
IN_PART = "Only the beginning of that question is known by now: please ask it again."

Begin = Callable[[Draft, "asyncio.Future[Place] | None"], None]


class Asking:
    """Questions that are put for somebody."""

    def __init__(self, kit: Kit, gate: Gate, places: Places, begin: Begin) -> None:
        self._kit = kit
        self._gate = gate
        self._places = places
        self._begin = begin
        self._asked: OrderedDict[int, Draft] = OrderedDict()  # by the message of ours that quotes it

    async def ask(
        self,
        where: discord.abc.MessageableChannel,
        author: discord.User | discord.Member,
        text: str,
        *,
        about: discord.Message | None = None,
    ) -> tuple[Conversation, str]:
        """Have the agent asked, as if `author` had written it there; return where it answers, and a sentence.

        Raise ChatError if it cannot.
        """
        person = Person(str(author.id), author.display_name)
        if (hit := self._kit.broker.come(conversation_at(where.id), person)) is not None:
            self._gate.refusals.limit(conversation_at(where.id), person, hit)
            raise ChatRefused(hit.text)
        nobody = discord.AllowedMentions.none()
        post = question_text(author.display_name, text)
        nonce = secrets.token_hex(12)  # one for all attempts: what was posted though nobody told us is not posted again
        message = await self._kit.port.calls.make(
            "send messages", where.id, lambda: where.send(post, nonce=nonce, allowed_mentions=nobody)
        )
        draft = Draft(message, author, self._places.plan(message), text, about)
        self._asked[message.id] = draft
        while len(self._asked) > MOST_REMEMBERED:
            self._asked.popitem(last=False)
        place = await self._placed(draft)
        has_own = place.conversation.id == str(message.id)
        return place.conversation, f"I answer in <#{place.conversation.id}>." if has_own else "I answer here."

    async def again(
        self, conversation: Conversation, message_id: str, author: discord.User | discord.Member
    ) -> CommandAnswer:
        """Have a message answered once more because `author` wishes so; say whether it will be. Raises nothing."""
        ref = MessageRef(conversation, message_id)
        if any(note.ref == ref for note in self._kit.broker.waiting(conversation)):
            return CommandAnswer("It still waits: it will be answered.", ok=False)
        if self._kit.broker.is_answering(ref):
            return CommandAnswer("It is being answered already.", ok=False)
        by = Person(str(author.id), author.display_name)
        self._kit.broker.audit.command(conversation, by, "retry", message_id)
        if (hit := self._kit.broker.come(conversation, by)) is not None:
            self._gate.refusals.limit(conversation, by, hit)
            return CommandAnswer(hit.text, ok=False)
        try:
            message = await message_at(self._kit, self._kit.port.channel_of(ref), int(message_id))
            draft = self._draft_again(message, author)
            if isinstance(draft, str):
                return CommandAnswer(draft, ok=False)
            self._kit.port.react(draft.where, self._kit.config.reactions.emojis.error, False)
            await self._placed(draft)
        except ChatError as error:
            return CommandAnswer(error.user_text(), ok=False)
        return CommandAnswer("Trying again.")

    def _draft_again(self, message: discord.Message, author: discord.User | discord.Member) -> Draft | str:
        """Return what a message asks, as at the first time; or why it is not asked again."""
        place = self._places.plan(message)
        if not self._gate.is_ours(message):
            if not self._gate.would_hear(message):
                return "That message is from somebody whom I may not answer."
            text = prompt_of(message, self._gate.ours)
            return Draft(message, message.author, place, text) if text or message.attachments else "It asks nothing."
        earlier = self._asked.get(message.id)
        if earlier is not None:
            return Draft(message, earlier.author, place, earlier.text, earlier.about)
        text = unquoted(message.content) if is_question(message.content) else ""
        if not text:
            return "That message asks nothing."
        return IN_PART if text.endswith("…") else Draft(message, author, place, text)

    async def _placed(self, draft: Draft) -> Place:
        placed: asyncio.Future[Place] = asyncio.get_running_loop().create_future()
        self._begin(draft, placed)
        return await placed


async def message_at(kit: Kit, channel_id: int, message_id: int) -> discord.Message:
    """Fetch a message, with its channel as what it is. Raise ChatError."""

    async def fetch() -> discord.Message:
        channel = kit.client.get_channel(channel_id) or await kit.client.fetch_channel(channel_id)
        assert isinstance(channel, discord.abc.Messageable)
        return await channel.fetch_message(message_id)

    return await kit.port.calls.make("read the history", channel_id, fetch)


def question_text(name: str, text: str) -> str:
    """Return the message that puts a question for somebody."""
    return f"**{discord.utils.escape_markdown(' '.join(name.split()))}**{ASKS}{quoted(cut(text, MOST_QUOTED))}"[:2000]


def is_question(content: str) -> bool:
    """Whether a message of ours puts a question for somebody."""
    name, asks, question = content.partition(ASKS)
    return bool(asks) and name.startswith("**") and "\n" not in name and question.startswith(">")
