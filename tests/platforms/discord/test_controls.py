"""The buttons below a reply."""

from __future__ import annotations

import asyncio

import discord

from openab_sync.core.message import Conversation, MessageRef
from openab_sync.core.port import Controls
from openab_sync.platforms.discord.controls import view
from openab_sync.platforms.discord.ids import read

HERE = Conversation("discord", "123456789012345678")
ABOUT = MessageRef(HERE, "223456789012345678")


async def shown(controls: Controls) -> discord.ui.View | None:
    return view(controls, HERE)


def test_each_button_says_what_it_belongs_to_and_nothing_is_kept() -> None:
    both = asyncio.run(shown(Controls(stop=True, retry=True, about=ABOUT)))
    assert both is not None
    ids = [item["custom_id"] for row in both.to_components() for item in row["components"]]
    known = [read(text) for text in ids]
    assert [(one.kind, one.parts) for one in known if one] == [
        ("stop", (HERE.id, ABOUT.id)),
        ("retry", (HERE.id, ABOUT.id)),
    ]
    assert both.is_finished()  # discord.py stores no view that is


def test_without_a_button_there_is_no_view() -> None:
    for controls in (Controls(), Controls(stop=True), Controls(about=ABOUT)):
        assert asyncio.run(shown(controls)) is None
