"""Limits on Discord: told where the message stands, before anything is done for it, and lifted by a button."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.discord import Server
from tests.platforms.discord.bed import admin, house
from tests.platforms.discord.fake_client import QUICK
from tests.platforms.discord.pressing import told
from tests.platforms.discord.prompts import asked
from tests.waiting import until


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(limits=QUICK) as server:
        yield server


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "agent.log"


def test_a_message_beyond_a_limit_costs_a_sign_and_once_a_minute_a_sentence(server: Server, log: Path) -> None:
    bob = server.user("bob")
    with house(server, "--log", str(log), limits={"person": {"messages_per_minute": 1}}, discord=admin(server)) as bed:
        bed.until_said("one", bed.thread("say one", by=bob))
        beyond = [bed.mention(f"say no {n}", by=bob) for n in range(3)]
        for message in beyond:
            server.until(lambda message=message: message.reactions.get("⏳"))  # type: ignore[misc]  # bound at once
            assert message.thread is None and "👀" not in message.reactions
        notice = bed.until_said("You have sent 1 messages within a minute")
        assert len([one for one in server.general.history if "within a minute" in one.content]) == 1
        assert "You have sent 1 messages" in told_to_all(server, bob.slash("ask", where="general", text="say no"))
        assert told(server, bob.click(notice, "Lift the limits")) == "That is for admins of mine."
        assert "No limits for" in told(server, bed.ann.click(notice, "Lift the limits"))
        bed.until_said("two", bed.thread("say two", by=bob))
        assert asked(log) == ["say one", "say two"]


def test_a_turn_that_passes_a_limit_says_so_and_offers_admins_a_button(server: Server) -> None:
    with house(server, limits={"tool_calls_per_turn": 3}, discord=admin(server)) as bed:
        thread = bed.thread("repeat_tools 5\nhang")
        bed.until_said("3 tool calls, which is the limit", thread)
        notice = bed.until_said("lift the limits until midnight", thread)
        assert "for admins" in told(server, server.user("eve").click(notice, "Lift the limits"))
        assert "lifted" not in told(server, bed.ann.slash("limits", where=thread))
        assert "No limits here" in told(server, bed.ann.click(notice, "Lift the limits"))
        assert "lifted" in told(server, bed.ann.slash("limits", where=thread))
        bed.mention("repeat_tools 5\nsay through", thread)
        bed.until_said("through", thread)


def test_stopping_and_looking_is_never_limited(server: Server) -> None:
    with house(server, limits={"person": {"messages_per_minute": 1}}) as bed:
        thread = bed.thread("say working\nhang")
        bed.until_said("working", thread)
        assert "of 1" not in told(server, bed.ann.slash("status", where=thread))
        bed.mention("/cancel", thread)
        bed.until_said("Cancelling", thread)
        until(lambda: bed.app.broker.snapshot().sessions[0].turn_started is None)


def told_to_all(server: Server, interaction: object) -> str:
    server.until(lambda: interaction.is_done, what="an answer")  # type: ignore[attr-defined]
    return interaction.answer  # type: ignore[attr-defined,no-any-return]
