"""README.rst tells about every key of `[discord]`, and about no other."""

from __future__ import annotations

import re
from pathlib import Path

from openab_sync.config import DiscordConfig

TEXT = (Path(__file__).parents[2] / "README.rst").read_text(encoding="utf-8")


def test_every_key_of_discord_has_its_row() -> None:
    table = TEXT.partition("The bot on Discord")[2].partition("Who may talk to it")[0]
    assert re.findall(r"^``([a-z_]+)`` ", table, re.MULTILINE) == list(DiscordConfig.__struct_fields__)
