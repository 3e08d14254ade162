"""What the README says about inviting the bot is what the bot needs."""

from __future__ import annotations

import re
from pathlib import Path

import discord

from openab_sync.config import DiscordConfig
from openab_sync.platforms.discord.client import make_client
from openab_sync.platforms.discord.hearing import PERMISSIONS, Hearing
from tests.fakes.discord.__main__ import TOKEN

README = (Path(__file__).parents[3] / "README.rst").read_text(encoding="utf-8")


def test_the_link_in_the_readme_asks_for_exactly_the_permissions_that_are_needed() -> None:
    link = discord.utils.oauth_url("APPLICATION_ID", permissions=PERMISSIONS, scopes=("bot", "applications.commands"))
    assert [line.strip() for line in README.splitlines() if "oauth2/authorize" in line] == [link]


def test_the_readme_names_every_permission_as_discord_does() -> None:
    found = re.search(r"The number stands for: (.*?)\.\n", README, re.DOTALL)
    assert found is not None
    named = [" ".join(name.split()).lower().replace(" ", "_") for name in found[1].split(",")]
    theirs = {"read_messages": "view_channels", "external_emojis": "use_external_emojis"}  # as people see them
    assert sorted(named) == sorted(theirs.get(name, name) for name, is_needed in PERMISSIONS if is_needed)


def test_the_only_privileged_intent_is_the_one_in_the_readme() -> None:
    intents = make_client(DiscordConfig(bot_token="x"), Hearing()).intents
    privileged = {name for name in ("members", "presences", "message_content") if getattr(intents, name)}
    assert privileged == {"message_content"}
    assert "*Message Content Intent*" in README


def test_the_readme_has_the_token_of_the_server_on_this_machine() -> None:
    assert f'bot_token = "{TOKEN}"' in README
