"""The buttons below a reply: Stop while it runs, Retry when it has failed, Discard too when a restart cut it off.

What they belong to, one turn and its people, is in the books, so they work after a restart. What a press does is
`orders`'. The views are finished when they are made: discord.py keeps none of them and routes nothing.

**Threads**: the loop's only; nothing here waits.
"""

from __future__ import annotations

from typing import Any

import discord

from ...core.message import Conversation
from ...core.port import Controls
from ...store import Buttons
from .ids import made, read

__all__ = ["KIND", "LIMIT", "finished", "messages_of", "stopped_by", "view"]

KIND = "turn"  # what the books call it
LIMIT = "limit"
DAY = 86400.0  # seconds: then limits that were reached are over


def view(controls: Controls, conversation: Conversation, books: Buttons) -> discord.ui.View | None:
    """Return the buttons for a message in `conversation`, None for none."""
    if controls.lift:
        token = books.make(LIMIT, conversation.key, {"whose": controls.lift}, ttl=DAY).id
        return finished(discord.ui.Button(label="Lift the limits", emoji="🔓", custom_id=made("lift", token)))
    if not controls.turn or not (controls.stop or controls.retry or controls.discard):
        return None
    if books.get(controls.turn) is None:
        messages = " ".join(ref.id for ref in controls.about)
        people = tuple(one.id for one in controls.people)
        books.make(KIND, conversation.key, {"messages": messages}, people, id=controls.turn)
    buttons: list[discord.ui.Item[Any]] = []
    if controls.stop:
        buttons.append(discord.ui.Button(label="Stop", emoji="⏹️", custom_id=made("stop", controls.turn)))
    if controls.retry:
        buttons.append(discord.ui.Button(label="Retry", emoji="🔁", custom_id=made("retry", controls.turn)))
    if controls.discard:
        buttons.append(discord.ui.Button(label="Discard", emoji="🗑️", custom_id=made("discard", controls.turn)))
    return finished(*buttons)


def stopped_by(message: discord.Message) -> str:
    """Return the turn that a button below a message of ours would stop, "" without one."""
    for row in message.components:
        for item in getattr(row, "children", ()):
            known = read(getattr(item, "custom_id", None) or "")
            if known is not None and known.kind == "stop":
                return known.parts[0]
    return ""


def messages_of(books: Buttons, token: str, conversation: Conversation) -> tuple[str, ...]:
    """Return the ids of the messages that a button's turn answers; none for what is not known there."""
    button = books.get(token)
    if button is None or button.kind != KIND or button.conversation != conversation.key:
        return ()
    return tuple(button.data["messages"].split())


def finished(*items: discord.ui.Item[Any]) -> discord.ui.View:
    """Return a view of these items that discord.py shows and then forgets."""
    made_view = discord.ui.View(timeout=None)
    for item in items:
        made_view.add_item(item)
    made_view.stop()
    return made_view
