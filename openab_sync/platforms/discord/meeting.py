"""Meeting somebody: who writes to the bot, or reacts to something, while it waits. So `setup` learns a person's id.

**Threads**: the loop's only. Nothing is answered.
"""

from __future__ import annotations

import asyncio

import discord

from ...core.message import Person
from .client import Client
from .hearing import Hearing

__all__ = ["meet"]


class _Waiting(Hearing):
    """Ears for the first person."""

    def __init__(self, found: asyncio.Future[Person]) -> None:
        super().__init__()
        self._found = found

    async def message(self, message: discord.Message) -> None:
        if not message.author.bot:
            self._meet(message.author)

    async def reacted(self, payload: discord.RawReactionActionEvent) -> None:
        if payload.member is not None and not payload.member.bot:
            self._meet(payload.member)

    def _meet(self, who: discord.User | discord.Member) -> None:
        if not self._found.done():
            self._found.set_result(Person(str(who.id), who.name))


async def meet(client: Client, _: Hearing) -> Person:
    """Return the first person who writes where the bot reads, or reacts to a message there."""
    found: asyncio.Future[Person] = asyncio.get_running_loop().create_future()
    client.ears = waiting = _Waiting(found)

    async def on_raw_reaction_add(payload: discord.RawReactionActionEvent) -> None:
        await waiting.reacted(payload)

    client.event(on_raw_reaction_add)
    return await found
