"""Recovering: what a process before this one has left on Discord, taken up in the lanes before anything new.

    a lane for each conversation: wait for Discord → replies brought to their end (the core's) → messages that were
    accepted, in order: fetched again, for the text and files of those that were not complete and because the others may
    have been deleted; then to the broker

What comes in meanwhile for such a conversation waits behind that in its lane; what comes for it elsewhere (over the
API) behind it in the pool.

**Threads**: the loop's only; the core's part is awaited.
"""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import discord

from ...core.message import Conversation, Inbound, MessageRef, Person
from ...core.recovery import Waiting
from ...errors import ChatError, ChatRefused
from .asking import message_at
from .bots import conversation_at
from .context import harmless
from .drafts import Draft
from .errors import UNKNOWN_MESSAGE, is_gone
from .port import PLATFORM

if TYPE_CHECKING:
    from .incoming import Incoming
    from .kit import Kit

__all__ = ["Recovering"]

log = logging.getLogger(__name__)

LOST = "I was restarted before I could answer this, and cannot read it any more: please send it again."


class Recovering:
    """The first work of the lanes."""

    def __init__(self, kit: Kit, incoming: Incoming) -> None:
        self._kit, self._incoming = kit, incoming
        self._reachable = asyncio.Event()
        self._is_closed = False

    def begin(self) -> None:
        """Take the first place in the lanes. Before anything is heard."""
        for conversation in self._kit.broker.recovery.conversations(PLATFORM):
            self._incoming.first(conversation, partial(self._recover, conversation))

    def reachable(self) -> None:
        """Discord can be asked now."""
        self._reachable.set()

    def close(self) -> None:
        """What has not begun is left for the next start."""
        self._is_closed = True
        self._reachable.set()

    async def _recover(self, conversation: Conversation) -> None:
        await self._reachable.wait()
        if self._is_closed:
            return
        recovery = self._kit.broker.recovery
        try:
            await asyncio.shield(asyncio.wrap_future(recovery.mend(conversation)))
            for one in recovery.waiting(conversation):
                await self._hand_in(one)
        finally:
            recovery.handed_in(conversation)

    async def _hand_in(self, one: Waiting) -> None:
        """Have a message answered that was accepted before the restart."""
        log.info("%s: message %s is taken up again", one.ref.conversation, one.ref.id)
        if "channel" not in one.route:  # said over the API: nobody of Discord's has written it, and all of it is here
            self._receive(one.note or Inbound(one.ref, Person(one.author), one.text, delivery=one.number))
            return
        self._kit.broker.mark(MessageRef(conversation_at(one.route["channel"]), one.ref.id))
        try:
            draft = await self._draft(one)
        except ChatError as error:
            cause = error.__cause__ or error
            if is_gone(cause, UNKNOWN_MESSAGE) or is_gone(cause):
                log.info("%s: message %s was deleted meanwhile", one.ref.conversation, one.ref.id)
                self._kit.broker.dismiss(one.number, is_told=False)
                return
            if one.note is not None:  # it is whole, and that it is still wanted has to be believed
                self._receive(one.note)
                return
            log.warning("%s: message %s cannot be read any more: %s", one.ref.conversation, one.ref.id, error)
            told = self._kit.port.post(conversation_at(one.route["channel"]), LOST, reply_to=one.ref)
            told.add_done_callback(partial(self._told, one.number))
            return
        if one.note is None:
            await self._incoming.go_on(draft)
        elif draft.message.edited_at and draft.text not in ("", one.text):  # while nobody listened
            self._receive(replace(one.note, text=harmless(draft.text)), draft.message.content)
        else:
            self._receive(one.note, draft.message.content)

    def _told(self, number: int, told: Future[MessageRef]) -> None:
        """A message is over when its writer knows, or Discord will not have it: else the next start looks again."""
        if not told.cancelled() and isinstance(told.exception(), ChatRefused | None):
            self._kit.broker.dismiss(number, is_told=True)

    def _receive(self, note: Inbound, words: str = "") -> None:
        self._incoming.remember(note.ref.id, words)
        self._kit.broker.receive(note)

    async def _draft(self, one: Waiting) -> Draft:
        """Return a message as it was on its way, read again: its files have new addresses. Raise ChatError."""
        message = await message_at(self._kit, int(one.route["channel"]), int(one.ref.id))
        about = None
        if "about" in one.route:
            channel_id, message_id = (int(part) for part in one.route["about"].split())
            about = await message_at(self._kit, channel_id, message_id)
        draft = self._incoming.draft(message, await self._author(message, one.author), one.text, about)
        draft.delivery = one.number
        return draft

    async def _author(self, message: discord.Message, author: str) -> discord.User | discord.Member:
        """Return who asks: not always who wrote. Raise ChatError."""
        if str(message.author.id) == author:
            return message.author
        number, guild = int(author), message.guild

        async def fetch() -> discord.User | discord.Member:
            member = guild.get_member(number) if guild is not None else None
            if member is not None:
                return member
            return await (guild.fetch_member(number) if guild is not None else self._kit.client.fetch_user(number))

        return await self._kit.port.calls.make("see people", number, fetch)
