"""The connection is made again whatever ends it, unless only the operator can mend it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from openab_sync.errors import ConfigError
from openab_sync.platforms.discord.client import Client
from tests.fakes.discord import Server
from tests.platforms.discord.connection import Connection, connection
from tests.platforms.discord.fake_client import QUICK
from tests.waiting import MS, until


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(limits=QUICK) as server:
        yield server
    assert server.violations == []


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What a person who looks at the log sees of it."""
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.INFO]


def connected(bot: Connection) -> int:
    """How often it has been connected: resumed, or begun anew."""
    return len(bot.ears.heard("ready")) + len(bot.ears.heard("resumed"))


def hear(bot: Connection, text: str) -> None:
    """Ann writes, and the bot hears it."""
    bot.server.user("ann").write("general", text)
    until(lambda: text in [message.content for message in bot.ears.heard("message")], 10000 * MS, f"{text!r} is heard")


def test_a_connection_that_is_cut_is_resumed_and_nothing_is_missed(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with connection(server) as bot:
        assert (bot.supervisor.reconnects, bot.supervisor.trouble) == (0, "")
        with server.gateway.down():
            server.user("ann").write("general", "while you were away")
        bot.until_heard("resumed")
        until(lambda: bot.supervisor.reconnects == 1)
        hear(bot, "here again")
        assert [message.content for message in bot.ears.heard("message")] == ["while you were away", "here again"]
        assert server.gateway.identifies == 1
    assert "Discord: the connection was lost; it is being made again" in told(caplog)
    assert "Discord: connected again" in told(caplog)


def test_a_deaf_connection_is_noticed_by_its_heartbeat(server: Server) -> None:
    """FIELD K1: connected, and deaf for hours."""
    server.gateway.heartbeat_interval = 0.05
    with connection(server, ready=False) as bot:
        bot.client._connection.heartbeat_timeout = 0.5
        bot.until_heard("ready")
        before = connected(bot)
        server.gateway.deafen()
        until(lambda: connected(bot) > before, 20000 * MS, "it is connected again")
        hear(bot, "can you hear me")


def test_a_connection_that_stalls_while_it_is_made_again_is_given_up(server: Server) -> None:
    """FIELD K2."""
    server.gateway.heartbeat_interval = 0.05
    with connection(server, ready=False) as bot:
        bot.client._connection.heartbeat_timeout = 0.5
        bot.until_heard("ready")
        before = connected(bot)
        server.gateway.deafen(next_ones=2)
        until(lambda: connected(bot) > before, 20000 * MS, "it is connected again")
        hear(bot, "can you hear me")


@pytest.mark.parametrize("section", [{}, {"shard_count": 1}])
def test_a_gateway_that_says_no_hello_is_given_up_long_before_it_counts_as_deaf(
    server: Server, section: dict[str, Any]
) -> None:
    """FIELD K2."""
    with connection(server, **section) as bot:
        bot.client.patience = 200 * MS
        before = connected(bot)
        server.gateway.deafen(next_ones=2)
        server.gateway.drop()
        until(lambda: connected(bot) > before, 20000 * MS, "it is connected again")
        hear(bot, "can you hear me")


@pytest.mark.parametrize("path", ["/users/@me", "/gateway/bot"])
def test_a_request_that_stalls_before_the_bot_is_connected_is_given_up(
    server: Server, path: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """FIELD K2."""
    monkeypatch.setattr("openab_sync.platforms.discord.supervise.PATIENCE", 100 * MS)
    held = server.fail("GET", path, hold=True)
    with connection(server) as bot:
        hear(bot, "hello")
    held.release()
    assert "Discord: no answer in time" in caplog.text


def test_when_the_gateway_asks_for_it_the_bot_connects_again(server: Server) -> None:
    with connection(server) as bot:
        server.gateway.reconnect()
        bot.until_heard("resumed")
        server.gateway.invalidate()
        bot.until_heard("ready", 2)
        hear(bot, "still there")
    server.forgive("identifies twice within 5 s")  # which it does not where nobody shortens its pause


@pytest.mark.parametrize("code", [4000, 4009, 1001])
def test_a_close_code_that_means_nothing_special_ends_nothing(server: Server, code: int) -> None:
    with connection(server) as bot:
        server.gateway.close(code)
        until(lambda: bot.ears.heard("resumed") or len(bot.ears.heard("ready")) == 2, 10000 * MS)
        hear(bot, "still there")
        if server.gateway.identifies == 2:
            server.forgive("identifies twice within 5 s")  # as above


@pytest.mark.parametrize(("code", "said"), [(4004, "token"), (4014, "Message Content Intent"), (4013, "intents")])
def test_a_close_code_that_waiting_does_not_mend_is_an_error_for_the_operator(
    server: Server, code: int, said: str
) -> None:
    with connection(server) as bot:
        server.gateway.close(code)
        assert bot.ended.wait(5000 * MS)
        assert isinstance(bot.error, ConfigError)
        assert said in str(bot.error)


def test_a_wrong_token_is_an_error_for_the_operator(server: Server) -> None:
    with connection(server, ready=False, bot_token="not.the.token") as bot:
        assert bot.ended.wait(5000 * MS)
        assert isinstance(bot.error, ConfigError)
        assert "Reset Token" in str(bot.error) and "not.the.token" not in str(bot.error)


def test_a_missing_intent_is_an_error_for_the_operator(server: Server) -> None:
    server.app.privileged = 0
    with connection(server, ready=False) as bot:
        assert bot.ended.wait(5000 * MS)
        assert f"applications/{server.app.id}/bot" in str(bot.error)


def test_the_white_space_around_a_token_is_no_part_of_it(server: Server) -> None:
    with connection(server, bot_token=f"{server.token}\n") as bot:
        hear(bot, "hello")


@pytest.mark.parametrize("path", ["/users/@me", "/gateway/bot"])
@pytest.mark.parametrize("fault", [{"reset": True}, {"status": 503}, {"status": 429, "via": False}])
def test_a_discord_that_is_not_there_yet_is_waited_for(
    server: Server, caplog: pytest.LogCaptureFixture, path: str, fault: dict[str, Any]
) -> None:
    caplog.set_level(logging.INFO)
    ordered = server.fail("GET", path, times=5, **fault)
    with connection(server) as bot:
        hear(bot, "hello")
        assert ordered.seen == 5
        assert 2 <= len(bot.pauses) <= 5  # a cut request may be repeated before we hear of it
    troubles = [line for line in told(caplog) if line.startswith("Discord: ")]
    assert len(troubles) == 2 and troubles[1] == "Discord: connected again"  # one line a change, not one an attempt


def test_a_gateway_that_cannot_be_reached_at_first_is_waited_for(server: Server) -> None:
    server.gateway.refuse(2)
    with connection(server) as bot:
        hear(bot, "hello")


def test_the_last_sessions_of_a_day_are_not_begun(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    server.app.starts_left = 3
    with connection(server, ready=False) as bot:
        until(lambda: bot.pauses)
        assert bot.pauses[0] > 60
        assert server.gateway.identifies == 0
    assert "too many connections were begun today" in caplog.text


def test_an_error_of_the_library_itself_is_logged_and_ends_nothing(
    server: Server, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Client.connect
    bugs = [KeyError("a bug")]

    async def connect(client: Client, *, reconnect: bool = True) -> None:
        if bugs:
            raise bugs.pop()
        await real(client, reconnect=reconnect)

    monkeypatch.setattr(Client, "connect", connect)
    with connection(server) as bot:
        hear(bot, "hello")
    assert "KeyError: 'a bug'" in caplog.text


@pytest.mark.parametrize("section", [{}, {"shard_count": 1}])
def test_a_session_that_cannot_be_resumed_takes_none_of_the_last_ones_either(
    server: Server, section: dict[str, Any]
) -> None:
    with connection(server, **section) as bot:
        server.app.starts_left = 3
        server.gateway.invalidate()
        until(lambda: bot.pauses and max(bot.pauses) > 3600)
        assert server.gateway.identifies == 1
        server.app.starts_left = 1000
        bot.until_heard("ready", 2)
    server.forgive("identifies twice within 5 s")  # as above
