"""A visit to Discord, over the real library and the fake server, and what `check` says of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from openab_sync.checks import Finding
from openab_sync.checks.discord import check_discord, judge
from openab_sync.config.schema import DiscordConfig
from openab_sync.errors import ChatError, ChatTimeout, ConfigError
from openab_sync.platforms.discord.visit import Visit, look_around, visit
from tests.fakes.discord import Server
from tests.platforms.discord.fake_client import QUICK
from tests.waiting import MS

SOON = 20000 * MS
SEND = 1 << 11


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr("openab_sync.platforms.discord.visit.SERVERS", 0.01)
    monkeypatch.setattr("openab_sync.platforms.discord.visit.IDENTIFY_PAUSE", 0.0)
    with Server(limits=QUICK) as server:
        yield server
    assert server.violations == []


def settings(server: Server, **keys: Any) -> DiscordConfig:
    keys = {"bot_token": server.token, "allow_all_users": True, **keys}
    return DiscordConfig(api_url=server.origin, **keys)


def levels(findings: list[Finding], level: str) -> list[str]:
    return [f"{one.text} → {one.todo}" for one in findings if one.level == level]


def test_it_sees_servers_channels_and_what_is_missing_and_leaves(server: Server) -> None:
    closed = server.add_channel("closed")
    server.allow(closed, server.app, deny=SEND)
    hidden = server.add_channel("hidden")
    server.allow(hidden, server.app, deny=1 << 10)
    seen = visit(settings(server), look_around, SOON)
    [guild] = seen.guilds
    assert (seen.bot_id, guild.name, guild.missing) == (str(server.app.id), "house", ())
    assert {one.name: one.missing for one in guild.channels} == {
        "general": (),
        "closed": ("Send Messages", "Embed Links", "Attach Files"),  # what sending brings with it
    }
    assert seen.starts_left > 900 and str(server.app.id) in seen.invitation
    assert seen.clock_off is not None and abs(seen.clock_off) < 5
    server.until(lambda: not server.gateway.connections, what="it has left")
    assert not any(request.method in {"POST", "PUT", "PATCH"} for request in server.requests)


@pytest.mark.parametrize(
    ("keys", "privileged", "said"),
    [({"bot_token": "not.the.token"}, True, "token"), ({}, False, "may not read messages")],
)
def test_what_only_the_operator_can_mend_is_an_error_for_them(
    server: Server, keys: dict[str, Any], privileged: bool, said: str
) -> None:
    if not privileged:
        server.app.privileged = 0
    with pytest.raises(ConfigError, match=said):
        visit(settings(server, **keys), look_around, SOON)
    [finding] = check_discord(settings(server, **keys), SOON)
    assert finding.level == "fail" and "https://" in finding.todo


def test_a_discord_that_is_away_or_silent_is_no_ones_fault(server: Server) -> None:
    with pytest.raises(ChatError):
        visit(DiscordConfig(bot_token="x", api_url="http://127.0.0.1:9"), look_around, SOON)
    held = server.fail("GET", "/users/@me", hold=True)
    with pytest.raises(ChatTimeout):
        visit(settings(server), look_around, 100 * MS)
    held.release()
    [finding] = check_discord(DiscordConfig(bot_token="x", api_url="http://127.0.0.1:9"), SOON)
    assert finding.level == "fail" and "try again" in finding.todo


def test_check_says_what_is_missing_where(server: Server) -> None:
    closed = server.add_channel("closed")
    server.allow(closed, server.app, deny=SEND)
    keys = {"allowed_channels": (str(closed.id), "12345"), "allow_all_users": False, "allowed_users": ("7",)}
    findings = list(check_discord(settings(server, **keys), SOON))
    assert levels(findings, "fail") == []
    unseen, lacking = levels(findings, "warn")
    assert "12345" in unseen and str(closed.id) not in unseen
    assert lacking.startswith("in #closed it lacks: Send Messages")


EMPTY = Visit("bot", "1", "https://invite.example", (), 3, 60.0)


def test_a_bot_on_no_server_a_wrong_clock_and_a_spent_day_are_told() -> None:
    findings = list(judge(DiscordConfig(bot_token="x"), EMPTY))
    assert any("https://invite.example" in text for text in levels(findings, "fail"))
    assert any("nobody may talk" in text for text in levels(findings, "fail"))
    warnings = " ".join(levels(findings, "warn"))
    assert "3 more connections" in warnings and "60 s ahead of" in warnings
