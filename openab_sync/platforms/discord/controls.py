"""The buttons below a reply: Stop while it runs, Retry when it has failed.

They keep nothing in memory or on disk: their ids say what they belong to, so they work after a restart. What a press
does is `orders`'. The views are finished when they are made: discord.py keeps none of them and routes nothing.

**Threads**: the loop's only; nothing here waits.
"""

from __future__ import annotations

from typing import Any

import discord

from ...core.message import Conversation
from ...core.port import Controls
from .ids import made

__all__ = ["finished", "view"]


def view(controls: Controls, conversation: Conversation) -> discord.ui.View | None:
    """Return the buttons for a message in `conversation`, None for none."""
    if controls.about is None or not (controls.stop or controls.retry):
        return None
    names = conversation.id, controls.about.id
    buttons: list[discord.ui.Item[Any]] = []
    if controls.stop:
        buttons.append(discord.ui.Button(label="Stop", emoji="⏹️", custom_id=made("stop", *names)))
    if controls.retry:
        buttons.append(discord.ui.Button(label="Retry", emoji="🔁", custom_id=made("retry", *names)))
    return finished(*buttons)


def finished(*items: discord.ui.Item[Any]) -> discord.ui.View:
    """Return a view of these items that discord.py shows and then forgets."""
    made_view = discord.ui.View(timeout=None)
    for item in items:
        made_view.add_item(item)
    made_view.stop()
    return made_view
