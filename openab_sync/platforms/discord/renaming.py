"""Titles of threads: the agent's first one is given, once, and never over a person's own.

Discord takes two renames of a thread in ten minutes, and a name that changes under people's eyes helps nobody find
their thread again. What the agent calls it later is seen in `/status` and in its list of sessions. A name that is not
the one that we have given is a person's, whether we have seen them give it or were away.

**Threads**: the loop's only.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import discord

from ...core.message import Conversation
from ...errors import ChatError
from ...text.clean import one_line
from .calls import Calls
from .seeing import TITLES

if TYPE_CHECKING:
    from ...store import Conversations

__all__ = ["Titles"]

TITLE = 100  # characters


class Titles:
    """The titles that we give."""

    def __init__(self, client: discord.Client, calls: Calls, books: Conversations) -> None:
        self._client = client
        self._calls = calls
        self._books = books

    async def give(self, conversation: Conversation, title: str) -> None:
        """Give a thread that we have opened the agent's title, unless its name is settled.

        Some agents take the head of their first prompt for a title: our own block is none. Raise ChatError if Discord
        refuses it; then the next title is tried.
        """
        title = one_line(TITLES.title(title).strip(), TITLE)
        known = self._books.get(conversation.key)
        if title and not known.title_is_settled and await self._is_ours(int(conversation.id), known.title):
            await self._rename(conversation, title)

    async def _rename(self, conversation: Conversation, title: str) -> None:
        before, where = self._books.get(conversation.key), int(conversation.id)
        # Before the request: what the gateway tells of it must be recognised as ours.
        self._books.put(replace(before, title=title, title_is_settled=True))
        try:
            await self._calls.make("rename threads", where, lambda: self._client.http.edit_channel(where, name=title))
        except ChatError:
            now = self._books.get(conversation.key)
            self._books.put(replace(now, title=before.title, title_is_settled=before.title_is_settled))
            raise

    async def _is_ours(self, where: int, given: str) -> bool:
        """Whether it is a thread that we have opened, and has the name that we have `given` it, as far as we know."""
        channel = self._client.get_channel(where)
        if channel is None:
            channel = await self._calls.make("see this channel", where, lambda: self._client.fetch_channel(where))
        us = self._client.user
        if us is None or not isinstance(channel, discord.Thread) or channel.owner_id != us.id:
            return False
        return not given or channel.name == given
