"""Titles of threads: given twice in ten minutes at most, never over a person's own, and never waited for.

Discord takes two renames in ten minutes, and discord.py sleeps through the rest of them. What comes too early is kept
instead: the newest title is given when there is room again.

**Threads**: the loop's only.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import discord

from ...clock import Clock
from ...core.message import Conversation
from ...errors import ChatError
from ...text.clean import one_line
from .calls import Calls
from .seeing import TITLES

if TYPE_CHECKING:
    from ...store import Conversations

__all__ = ["Titles"]

log = logging.getLogger(__name__)

RENAMES, SPAN = 2, 600.0
TITLE = 100  # characters
MOST_THREADS = 1000  # whose renames are remembered


@dataclass(slots=True)
class _Thread:
    """What is known of one thread's renames."""

    given: deque[float] = field(default_factory=lambda: deque(maxlen=RENAMES))  # when, monotonic
    wanted: str = ""  # too early: given when there is room
    timer: asyncio.TimerHandle | None = None


class Titles:
    """The titles that we give."""

    def __init__(self, client: discord.Client, calls: Calls, books: Conversations, clock: Clock) -> None:
        self._client = client
        self._calls = calls
        self._books = books
        self._clock = clock
        self._threads: dict[str, _Thread] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def give(self, conversation: Conversation, title: str) -> None:
        """Give a thread its title, at once or when Discord allows it again. What we have not opened keeps its name.

        Some agents take the head of their first prompt for a title: our own block is none. Raise ChatError if Discord
        refuses it.
        """
        title = one_line(TITLES.title(title).strip(), TITLE)
        known = self._books.get(conversation.key)
        if not title or known.title_is_theirs or known.title == title:
            return
        thread = self._thread(conversation.key)
        wait = self._wait(thread)
        if wait > 0:
            self._later(conversation, thread, title, wait)
        elif await self._is_ours(int(conversation.id)):
            await self._rename(conversation, thread, title)

    def close(self) -> None:
        """Give no more titles."""
        for thread in self._threads.values():
            if thread.timer is not None:
                thread.timer.cancel()
        self._threads.clear()

    def _thread(self, key: str) -> _Thread:
        if key not in self._threads and len(self._threads) >= MOST_THREADS:
            self.close()  # Discord's own answer is the limit for those
        return self._threads.setdefault(key, _Thread())

    def _wait(self, thread: _Thread) -> float:
        if len(thread.given) < RENAMES:
            return 0.0
        return thread.given[0] + SPAN - self._clock.monotonic()

    def _later(self, conversation: Conversation, thread: _Thread, title: str, wait: float) -> None:
        thread.wanted = title
        if thread.timer is None:
            thread.timer = asyncio.get_running_loop().call_later(wait, self._begin, conversation, thread)

    def _begin(self, conversation: Conversation, thread: _Thread) -> None:
        thread.timer = None
        task = asyncio.create_task(self._give_late(conversation, thread.wanted))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _give_late(self, conversation: Conversation, title: str) -> None:
        try:
            await self.give(conversation, title)
        except ChatError as error:
            log.warning("%s: no new title: %s", conversation, error)

    async def _rename(self, conversation: Conversation, thread: _Thread, title: str) -> None:
        key, before = conversation.key, self._books.get(conversation.key).title
        where = int(conversation.id)
        thread.given.append(self._clock.monotonic())
        # Before the request: what the gateway tells of it must be recognised as ours.
        self._books.put(replace(self._books.get(key), title=title))
        try:
            await self._calls.make("rename threads", where, lambda: self._client.http.edit_channel(where, name=title))
        except ChatError:
            self._books.put(replace(self._books.get(key), title=before))
            raise

    async def _is_ours(self, where: int) -> bool:
        """Whether it is a thread that we have opened: what somebody else has opened keeps the name they gave it."""
        channel = self._client.get_channel(where)
        if channel is None:
            channel = await self._calls.make("see this channel", where, lambda: self._client.fetch_channel(where))
        us = self._client.user
        return isinstance(channel, discord.Thread) and us is not None and channel.owner_id == us.id
