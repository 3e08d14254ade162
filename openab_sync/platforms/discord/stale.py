"""Questions that were open when the broker ended: their buttons go, and their messages say so.

A broker that stops in order closes its questions itself; one that was killed leaves records in the books (`Button` of
the kind "question", with its message, without an end). They are closed when the bot is there again. One whose message
cannot be reached keeps its record: who presses it is told.

**Threads**: the loop's only.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import discord

from .calls import FOREIGN

if TYPE_CHECKING:
    from ...store import Books
    from ...store.buttons import Button

__all__ = ["OVER", "close_stale", "ended"]

log = logging.getLogger(__name__)

LOOKED_BACK = 100  # messages
OVER = "That question is over: I was restarted after it was asked. Write to the agent again."


def ended(text: str, at: float) -> str:
    """Return how a question ended, and when (`at`: seconds since the epoch), as each reader's own clock shows it."""
    return f"{text} · <t:{int(at)}:f>"


async def close_stale(client: discord.Client, books: Books, is_open: Callable[[str], bool], now: float) -> int:
    """Close what an earlier broker has left; return how many. Raises nothing of Discord's."""
    closed = 0
    for button in books.buttons.of_kind("question"):
        if "closed" in button.data or is_open(button.id):
            continue
        try:
            await _close(client, button, ended(OVER, now))
        except (*FOREIGN, ValueError) as error:
            log.warning("%s: an old question could not be closed: %s", button.conversation, error)
            continue
        books.buttons.put(replace(button, data={**button.data, "closed": ended(OVER, now)}))
        closed += 1
    if closed:
        log.info("Discord: closed %d questions that were open when the last broker ended", closed)
    return closed


async def _message(place: discord.PartialMessageable, button: Button) -> discord.Message | None:
    """Find a question's message: where nobody had written down which one it is, by its buttons. None: there is none."""
    if "message" in button.data:
        return await place.fetch_message(int(button.data["message"]))
    async for message in place.history(limit=LOOKED_BACK):
        ids = [getattr(item, "custom_id", None) for row in message.components for item in getattr(row, "children", ())]
        if any(f":{button.id}:" in str(one) for one in ids):
            return message
    return None


async def _close(client: discord.Client, button: Button, text: str) -> None:
    place = client.get_partial_messageable(int(button.conversation.partition(":")[2]))
    try:
        message = await _message(place, button)
        if message is None:
            return
        said = message.content if OVER in message.content else f"{message.content}\n{text}"
        await message.edit(content=said, view=None, allowed_mentions=discord.AllowedMentions.none())
    except discord.NotFound:
        log.debug("%s: the question was deleted", button.conversation)
