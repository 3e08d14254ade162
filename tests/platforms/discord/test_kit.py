"""The kit: references, and the one section that everybody here needs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from openab_sync.config.live import Live
from openab_sync.config.schema import Config
from openab_sync.platforms.discord.kit import Kit
from openab_sync.text.redact import Redactor
from tests.fakes.clock import FakeClock


def kit(**sections: object) -> Kit:
    unused: Any = None
    config = msgspec.convert(sections, Config)
    return Kit(Live(config), unused, unused, unused, unused, FakeClock(), Path("inbox"), Redactor())


def test_the_section_is_at_hand() -> None:
    made = kit(discord={"bot_token": "a.b.c", "max_pages": 3})
    assert made.discord is made.config.discord
    assert made.discord.max_pages == 3


def test_without_the_section_there_is_no_kit() -> None:
    with pytest.raises(AssertionError):
        _ = kit().discord
