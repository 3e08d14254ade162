"""Who writes or reacts is met, over the real library and the fake server."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from openab_sync.checks.discord import await_somebody
from openab_sync.config.schema import DiscordConfig
from openab_sync.core.message import Person
from openab_sync.errors import ChatTimeout
from tests.fakes.discord import Server
from tests.platforms.discord.fake_client import QUICK
from tests.waiting import MS


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr("openab_sync.platforms.discord.visit.SERVERS", 0.01)
    monkeypatch.setattr("openab_sync.platforms.discord.visit.IDENTIFY_PAUSE", 0.0)
    with Server(limits=QUICK) as server:
        yield server
    assert server.violations == []


def met(server: Server, act: Callable[[], object]) -> Person:
    """Whom it meets while somebody acts, again and again until it has noticed."""
    config = DiscordConfig(bot_token=server.token, api_url=server.origin, allow_all_users=True)
    found: list[Person] = []
    waiting = threading.Thread(target=lambda: found.append(await_somebody(config, 20000 * MS)))
    waiting.start()
    server.until_ready()
    while waiting.is_alive():
        act()
        waiting.join(50 * MS)
    return found[0]


def test_who_writes_is_met_and_bots_are_not(server: Server) -> None:
    ann, other = server.user("ann"), server.bot("other")

    def write() -> None:
        other.write("general", "beep")
        ann.write("general", "here I am")

    assert met(server, write) == Person(str(ann.id), "ann")
    assert server.general.history[-1].author.id != server.app.id


def test_who_reacts_is_met(server: Server) -> None:
    message = server.bot("other").write("general", "react to this")
    ben = server.user("ben")

    def react() -> None:
        ben.react(message, "👋")
        ben.unreact(message, "👋")

    assert met(server, react) == Person(str(ben.id), "ben")


def test_when_nobody_comes_it_says_so(server: Server) -> None:
    config = DiscordConfig(bot_token=server.token, api_url=server.origin, allow_all_users=True)
    with pytest.raises(ChatTimeout):
        await_somebody(config, 500 * MS)
