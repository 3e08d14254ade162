"""Commands are registered once, and only when they have changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import discord
import pytest
from discord import app_commands

from openab_sync.platforms.discord.calls import MEMORY, Calls
from openab_sync.platforms.discord.syncing import Syncing, same
from tests.fakes.clock import FakeClock
from tests.fakes.discord import Server
from tests.platforms.discord.bed import house
from tests.platforms.discord.fake_client import QUICK, Bot, logged_in

NAMES = {
    "ask", "cancel", "cancel-all", "reset", "models", "modes", "agents", "config", "queue", "status", "usage",
    "sessions", "permissions", "limits", "forget", "login", "export", "do", "help",
    "Ask the agent about this", "Retry", "Drop from queue",
}  # fmt: skip


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(limits=QUICK) as server:
        yield server


def puts(server: Server) -> int:
    return len(server.asked("PUT", "/commands"))


def add_command(bot: Bot, description: str) -> None:
    @bot.tree.command(name="ask", description=description)
    async def ask(interaction: discord.Interaction, text: app_commands.Range[str, 1, 10], often: int = 1) -> None: ...

    @bot.tree.context_menu(name="Retry")
    async def retry(interaction: discord.Interaction, message: discord.Message) -> None: ...


def test_all_commands_are_registered_globally_and_not_again_after_a_restart(server: Server) -> None:
    """FIELD J6."""
    with house(server):
        assert {one["name"] for one in server.app.commands[None].values()} == NAMES
        assert puts(server) == 1
    server.advance(6)
    with house(server):
        assert puts(server) == 1


def test_only_a_change_is_registered(server: Server) -> None:
    for description, changed in (("one", True), ("one", False), ("two", True)):
        bot = Bot()
        add_command(bot, description)
        with logged_in(server, bot):
            before = puts(server)
            assert bot.call(Syncing(Calls(FakeClock()))(bot.tree)) is changed
            assert puts(server) - before == changed
        server.advance(6)


def test_a_double_that_another_program_left_in_a_guild_is_taken_away(server: Server) -> None:
    """FIELD J6: a command that is registered globally and in a guild shows twice."""
    bot = Bot()
    add_command(bot, "one")
    with logged_in(server, bot):
        guild = discord.Object(server.guild.id)

        async def left_behind() -> None:
            theirs = app_commands.CommandTree(discord.Client(intents=discord.Intents.none()))
            for name in ("ask", "own"):
                command: app_commands.Command[Any, [], None] = app_commands.Command(
                    name=name, description="x", callback=nothing
                )
                theirs.add_command(command)
            payload = [command.to_dict(theirs) for command in theirs.get_commands()]
            await bot.http.bulk_upsert_guild_commands(server.app.id, guild.id, payload)

        bot.call(left_behind())
        clock = FakeClock()
        syncing = Syncing(Calls(clock))
        server.fail("GET", "*/guilds/*/commands", code=50001, status=403)
        assert bot.call(syncing(bot.tree))
        clock.advance(MEMORY)  # the guild is looked at again the next time
        assert not bot.call(syncing(bot.tree))
        assert [one["name"] for one in server.app.commands[server.guild.id].values()] == ["own"]
        asked = len(server.asked("GET", "/commands"))
        bot.call(syncing(bot.tree))
        assert len(server.asked("GET", "/commands")) == asked + 1  # the guild has been looked at: only the others
        server.forgive("both globally and in a guild")


async def nothing(interaction: discord.Interaction) -> None: ...


def test_a_refusal_keeps_nobody_from_talking(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    bot = Bot()
    add_command(bot, "one")
    with logged_in(server, bot):
        server.fail("GET", "*/commands", code=50001, status=403)
        assert bot.call(Syncing(Calls(FakeClock()))(bot.tree)) is False
        assert "could not be registered" in caplog.text


def test_a_connection_that_is_cut_leaves_nobody_without_commands(server: Server) -> None:
    server.fail("GET", "*/applications/*/commands", reset=True, times=6)  # discord.py itself tries five times
    with house(server):
        assert {one["name"] for one in server.app.commands[None].values()} == NAMES


def test_a_guild_that_refuses_keeps_no_other_from_being_looked_at(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    bot = Bot()
    add_command(bot, "one")
    second = server.world.add_guild("second", server.owner)
    server.world.add_member(second, server.app.user)
    with logged_in(server, bot):
        server.fail("GET", "*/guilds/*/commands", code=50001, status=403)
        assert bot.call(Syncing(Calls(FakeClock()))(bot.tree))
        assert len(server.asked("GET", "/commands")) == 3
        assert "could not be taken away" in caplog.text


def test_absent_and_empty_are_the_same_and_order_does_not_matter() -> None:
    one = {"name": "a", "description": "x", "options": [{"name": "o", "type": 3, "description": "y", "required": True}]}
    two = {"name": "b", "type": 3}
    theirs = [{**two, "id": "5", "description": ""}, {**one, "type": 1, "nsfw": False, "version": "9"}]
    assert same([one, two], theirs)
    assert not same([one], theirs)
    assert not same([{**one, "description": "z"}, two], theirs)
    assert not same([{**one, "options": []}, two], theirs)
