"""Reactions of ours: one request in flight a channel, and what has been overtaken is not asked for any more.

Discord takes four reactions a second in a channel. A turn that changes its mind faster must not leave a line of stale
signs behind, which would be shown one after the other long after the answer is there.

**Threads**: the loop's only.
"""

from __future__ import annotations

import asyncio
import itertools
from weakref import WeakValueDictionary

import discord

from .calls import Calls

__all__ = ["Reactions"]


class Reactions:
    """All reactions of the bot."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._numbers = itertools.count()
        self._newest: dict[tuple[int, str], int] = {}  # message and emoji: the last wish about it
        self._turns: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()  # by channel

    async def show(self, message: discord.PartialMessage, emoji: str, on: bool, me: discord.abc.Snowflake) -> None:
        """Add the reaction or take it back; nothing is asked for if newer is wished meanwhile. Raise ChatError."""
        key, number = (message.id, emoji), next(self._numbers)
        self._newest[key] = number
        turn = self._turns.setdefault(message.channel.id, asyncio.Lock())
        try:
            async with turn:
                if self._newest.get(key) == number:
                    await self._ask(message, emoji, on, me)
        finally:
            if self._newest.get(key) == number:
                del self._newest[key]

    async def _ask(self, message: discord.PartialMessage, emoji: str, on: bool, me: discord.abc.Snowflake) -> None:
        where = message.channel.id
        if on:
            await self._calls.make("add reactions", where, lambda: message.add_reaction(emoji))
        else:
            await self._calls.make("remove reactions", where, lambda: message.remove_reaction(emoji, me))
