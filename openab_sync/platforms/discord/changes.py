"""Changes: what becomes of the places where people talk: threads opened, renamed, archived, deleted; servers left.

**Threads**: the loop's only; the broker is asked, never waited for.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import discord

from ...core.message import Conversation, Person
from ...errors import ChatError
from ...media.inbox import folder_of, remove
from ...media.outbox import beside
from .bots import conversation_at
from .gate import Gate

if TYPE_CHECKING:
    from .catching import Catching
    from .incoming import Incoming
    from .kit import Kit

__all__ = ["Changes"]

log = logging.getLogger(__name__)

BY_DELETING = Person("", "deleting the thread")
MOST_NAMES = 5000


class Changes:
    """Keeps what is known in step with the places."""

    def __init__(self, kit: Kit, gate: Gate, incoming: Incoming, catching: Catching) -> None:
        self._kit = kit
        self._gate = gate
        self._incoming = incoming
        self._catching = catching
        self._names: OrderedDict[int, str] = OrderedDict()  # threads, as they were called when we last looked

    async def thread_created(self, thread: discord.Thread) -> None:
        """A thread is there. We join where other bots may call us: their calls bring nobody in (FIELD F19)."""
        rules = self._gate.rules
        self._note(thread.id, thread.name)
        may_be_called = rules.bots != "off" or rules.trusted_bots
        if not may_be_called or thread.me is not None or not self._gate.listens_at(thread, thread.id):
            return
        try:
            await self._kit.port.calls.make("join threads", thread.id, thread.join)
        except ChatError as error:
            log.info("Discord, thread %d: %s", thread.id, error)

    async def thread_changed(self, payload: discord.RawThreadUpdateEvent) -> None:
        """A thread has other properties than before: its name, given by a person, or it is archived.

        Who archives a thread is done with it for now: its agent leaves when it is idle, and comes back with a message.
        """
        if payload.data.get("thread_metadata", {}).get("archived"):
            self._kit.broker.suspend(conversation_at(payload.thread_id), "The thread was archived.")
        books, key = self._kit.books.conversations, conversation_at(payload.thread_id).key
        known, name = books.get(key), payload.data.get("name", "")
        before = self._names.get(payload.thread_id, known.title)
        self._note(payload.thread_id, name)
        if known.took_part and name not in {before, known.title} and not known.title_is_settled:
            log.info("%s was renamed by a person: it keeps that name", key)
            books.put(replace(known, title_is_settled=True))

    async def thread_deleted(self, payload: discord.RawThreadDeleteEvent) -> None:
        """A thread is gone: its agent ends, and nothing of it is kept."""
        self._names.pop(payload.thread_id, None)
        await self._forget(conversation_at(payload.thread_id))

    async def channel_deleted(self, channel: discord.abc.GuildChannel) -> None:
        """A channel is gone, and with it its threads, those too that Discord does not name one by one."""
        places = [cursor.place for cursor in self._catching.cursors() if cursor.within == str(channel.id)]
        for place in (*places, channel.id):
            await self._forget(conversation_at(place))

    async def guild_left(self, guild: discord.Guild) -> None:
        """We were put out of a server: said in the log, for there is nobody else to tell. Agents there leave when idle.

        What they remember is kept: we may be let in again.
        """
        log.warning("Discord: the bot is not on the server %s any more", guild.name)
        for cursor in self._catching.cursors():
            if cursor.guild == str(guild.id):
                self._kit.broker.suspend(conversation_at(cursor.place), "The bot is not on the server any more.")

    async def _forget(self, conversation: Conversation) -> None:
        self._catching.forget(conversation)
        self._incoming.withdraw(conversation)
        known = self._kit.books.conversations.get(conversation.key)
        if known.took_part or self._kit.broker.remembers(conversation):
            log.info("%s was deleted", conversation)
        self._kit.broker.forget(conversation, BY_DELETING)
        if self._incoming.is_busy(conversation):  # a file may be on its way there
            self._incoming.first(conversation, partial(self._clear, conversation))

    async def _clear(self, conversation: Conversation) -> None:
        for root in (self._kit.inbox, beside(self._kit.inbox)):
            await asyncio.to_thread(remove, folder_of(root, conversation.key))

    def _note(self, thread_id: int, name: str) -> None:
        self._names[thread_id] = name
        self._names.move_to_end(thread_id)
        while len(self._names) > MOST_NAMES:
            self._names.popitem(last=False)
