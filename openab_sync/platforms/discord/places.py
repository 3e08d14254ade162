"""Places: where an answer goes, and everything that has to be true before it can go there.

A message in a channel gets a thread of its own; in a thread, a forum's post or a direct message the answer stands
where the question does, and so it does where no thread can be made: in a voice channel's chat, or without permission.
What keeps us from answering is told where it can be told: in the channel, else to the person alone, else in the log.

A thread is a `discord.Thread`, never "what has a parent": a channel in a category has one too (FIELD F3).

**Threads**: the loop's only.
"""

from __future__ import annotations

import logging
import secrets
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import discord

from ...core.message import Conversation, MessageRef
from ...errors import ChatError, ChatRefused, ChatTimeout
from .bots import conversation_at
from .errors import UNKNOWN_MESSAGE, is_gone

if TYPE_CHECKING:
    from .kit import Kit

__all__ = ["GONE", "Place", "Places", "may"]

log = logging.getLogger(__name__)

THREAD_EXISTS = 160004
NO_THREAD_HERE = (50001, 50013, 50024, 160006)  # rights, kind of channel, too many threads: the answer stands here
QUIET = 600.0  # seconds in which somebody is not told the same again in the same channel
MOST_TOLD = 1000
LOOKED_BACK = 100  # messages of a thread that others began: who else speaks there

GONE = "Your message was deleted before I could answer it: nothing was done."


@dataclass(frozen=True, slots=True)
class Place:
    """Where an answer goes. `channel_id` is the thread's channel, or the channel itself where `thread_id` is ""."""

    conversation: Conversation
    kind: Literal["new", "thread", "private", "here"]
    channel_id: str
    thread_id: str = ""

    def ref(self, message_id: int) -> MessageRef:
        """Return the name of a message that belongs to this conversation."""
        return MessageRef(self.conversation, str(message_id))


class Places:
    """Finds places and prepares them."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self._calls = kit.port.calls
        self._told: dict[tuple[int, int, str], float] = {}  # channel, person, what: until when it is not told again

    def plan(self, message: discord.Message) -> Place:
        """Say where the answer to a message will go. A thread that is to be opened has the message's id already."""
        channel = message.channel
        if isinstance(channel, discord.Thread):
            return Place(conversation_at(channel.id), "thread", str(channel.parent_id), str(channel.id))
        here = Place(conversation_at(channel.id), "here", str(channel.id))
        if message.guild is None:
            return replace(here, kind="private")
        if _opens_threads(channel):
            return Place(conversation_at(message.id), "new", str(channel.id), str(message.id))
        return here

    async def prepare(self, message: discord.Message, place: Place, title: str, *, is_new: bool = False) -> Place:
        """Make the place ready to be written in, and return it; where no thread can be made it is another one.

        `is_new`: we have not been in that conversation yet, and learn who else is.

        Raise ChatRefused with what to do about it, ChatTimeout if Discord does not answer.
        """
        if place.kind == "new":
            place = await self._open(message, place, title)
        elif isinstance(message.channel, discord.Thread):
            await self._enter(message.channel, is_new=is_new)
        if place.kind == "here":
            _check(message.channel, "send_messages")
        return place

    async def tell(self, message: discord.Message, author: discord.User | discord.Member, text: str) -> bool:
        """Tell somebody why there is no answer. Never fails; the same in the same channel once in ten minutes.

        A message for which it is not said again carries a sign: nobody has to wonder. False if they do not know,
        because Discord does not answer; where it refuses, the log has it.
        """
        channel, now = message.channel, self._kit.clock.monotonic()
        self._told = {key: until for key, until in self._told.items() if until > now}
        if (channel.id, author.id, text) in self._told or len(self._told) >= MOST_TOLD:
            if self._kit.config.reactions.enabled:
                ref = MessageRef(conversation_at(channel.id), str(message.id))
                self._kit.port.react(ref, self._kit.config.reactions.emojis.error, True)
            return True
        self._told[channel.id, author.id, text] = now + QUIET
        nobody, nonce = discord.AllowedMentions.none(), secrets.token_hex(12)
        said = f"{_name(author)}: {text}"[:2000]
        try:
            await self._calls.make(
                "send messages", channel.id, lambda: channel.send(said, allowed_mentions=nobody, nonce=nonce)
            )
        except ChatError as first:
            is_told = await self._tell_alone(author, f"{_where(message)}: {text}", first)
            if not is_told:
                self._told.pop((channel.id, author.id, text), None)
            return is_told
        return True

    async def _tell_alone(self, author: discord.User | discord.Member, text: str, first: ChatError) -> bool:
        if author.bot:
            log.warning("Discord, %s (and a bot cannot be told: %s)", text, first)
            return not isinstance(first, ChatTimeout)
        try:
            await self._calls.make("send direct messages", author.id, lambda: author.send(text[:2000]))
        except ChatError as second:
            log.warning("Discord, %s (nobody could be told: %s / %s)", text, first, second)
            return not any(isinstance(one, ChatTimeout) for one in (first, second))  # it may be known soon
        return True

    # A thread of its own.

    async def _open(self, message: discord.Message, place: Place, title: str) -> Place:
        books = self._kit.books.conversations
        try:
            thread = await self._calls.make("open threads", message.channel.id, lambda: _opened(message, title))
        except ChatRefused as error:
            books.forget(place.conversation.key)
            if is_gone(error.__cause__ or error, UNKNOWN_MESSAGE):
                raise ChatRefused(GONE) from error
            if getattr(error.__cause__, "code", 0) not in NO_THREAD_HERE:
                raise
            log.info(
                "Discord, channel %d: no thread can be made, the answer stands there (%s)", message.channel.id, error
            )
            channel_id = message.channel.id
            return Place(conversation_at(channel_id), "here", str(channel_id))
        if thread is None:
            await self._join_existing(message)
        else:
            known = books.get(place.conversation.key)
            books.put(replace(known, title=thread.name))
        return place

    async def _join_existing(self, message: discord.Message) -> None:
        """Somebody else's thread began with this message (FIELD F1): it is the place."""
        thread = await self._calls.make(
            "see threads", message.channel.id, lambda: self._kit.client.fetch_channel(message.id)
        )
        if isinstance(thread, discord.Thread):
            await self._enter(thread, is_new=True)

    # A thread that is there.

    async def _enter(self, thread: discord.Thread, *, is_new: bool) -> None:
        """Be a member of a thread (FIELD F19), awake, with leave to write, and know who else speaks there."""
        if thread.locked and not may(thread, "manage_threads"):
            raise ChatRefused("This thread is locked: a moderator has to unlock it.")
        _check(thread, "send_messages_in_threads")
        if thread.archived:
            await self._calls.make("open archived threads", thread.id, lambda: thread.edit(archived=False))
        if thread.me is None:
            await self._calls.make("join threads", thread.id, thread.join)
        if is_new:
            await self._look_back(thread)

    async def _look_back(self, thread: discord.Thread) -> None:
        """Learn which bots have spoken in a thread before we came. What cannot be read is not known."""
        us = self._kit.client.user

        async def bots() -> dict[str, None]:
            found = [one async for one in thread.history(limit=LOOKED_BACK)]
            return {str(one.author.id): None for one in reversed(found) if one.author.bot and one.author != us}

        try:
            found = await self._calls.make("read the history", thread.id, bots)
        except ChatError as error:
            log.info("Discord, thread %d: %s", thread.id, error)
            return
        books, key = self._kit.books.conversations, conversation_at(thread.id).key
        known = books.get(key)
        books.put(replace(known, bots=tuple(dict.fromkeys([*known.bots, *found]))[-20:]))


async def _opened(message: discord.Message, title: str) -> discord.Thread | None:
    """Open a thread from a message; None if it has one. (It has, too, if the answer to a first attempt was lost.)"""
    try:
        return await message.create_thread(name=title)
    except discord.HTTPException as error:
        if error.code == THREAD_EXISTS:
            return None
        raise


def _opens_threads(channel: object) -> bool:
    return isinstance(channel, discord.TextChannel) and all(
        may(channel, right) for right in ("view_channel", "create_public_threads", "send_messages_in_threads")
    )


def may(channel: discord.abc.GuildChannel | discord.Thread, right: str) -> bool:
    """Whether we have a right in a channel; if that cannot be known, whoever asks will be told."""
    if isinstance(channel, discord.Thread) and channel.parent is None:
        return True
    return bool(getattr(channel.permissions_for(channel.guild.me), right))


def _check(channel: object, right: str) -> None:
    """Raise ChatRefused if we may not write in a channel."""
    if not isinstance(channel, discord.abc.GuildChannel | discord.Thread):
        return
    missing = [name for name in ("view_channel", right) if not may(channel, name)]
    if missing:
        names = " and ".join(f"“{name.replace('_', ' ').title()}”" for name in missing)
        raise ChatRefused(f"I cannot answer here: an administrator has to give my role the permission {names}.")


def _name(author: discord.User | discord.Member) -> str:
    return discord.utils.escape_markdown(author.display_name)


def _where(message: discord.Message) -> str:
    name = getattr(message.channel, "name", None)
    return f"#{name}" if name else "here"
