"""The fake Discord, seen by the unmodified client: sessions that break, resume, and cannot be resumed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import aiohttp
import discord
import pytest

from tests.fakes.discord import Server, ShiftedClock
from tests.platforms.discord.fake_client import QUICK, Bot, logged_in, redirected


@pytest.fixture
def clock() -> ShiftedClock:
    return ShiftedClock()


@pytest.fixture
def server(clock: ShiftedClock) -> Iterator[Server]:
    with Server(clock=clock, limits=QUICK) as server:
        yield server


def test_a_cut_connection_is_resumed_and_nothing_is_missed(server: Server) -> None:
    with logged_in(server) as bot:
        ann = server.user("ann")
        with server.gateway.down():
            ann.write("general", "while you were away")
        server.until(lambda: server.gateway.resumes == 1)
        ann.write("general", "welcome back")
        server.until(lambda: len(bot.texts) == 2)
        assert bot.texts == ["while you were away", "welcome back"]
        assert server.gateway.identifies == 1


def test_a_reconnect_that_is_asked_for_resumes(server: Server) -> None:
    with logged_in(server) as bot:
        server.gateway.reconnect()
        server.until(lambda: server.gateway.resumes == 1)
        server.user("ann").write("general", "still there?")
        server.until(lambda: bot.texts == ["still there?"])


def test_an_invalid_session_begins_anew(server: Server, clock: ShiftedClock) -> None:
    with logged_in(server) as bot:
        clock.advance(5)
        server.gateway.invalidate()
        server.until(lambda: server.gateway.identifies == 2)
        server.user("ann").write("general", "new session")
        server.until(lambda: "new session" in bot.texts)
        server.gateway.invalidate(resumable=True)
        server.until(lambda: server.gateway.resumes == 1)


def test_a_forgotten_session_is_not_resumed_and_nothing_replayed(server: Server, clock: ShiftedClock) -> None:
    with logged_in(server) as bot:
        clock.advance(5)
        with server.gateway.down():
            server.gateway.forget()
            server.user("ann").write("general", "lost")
        server.until(lambda: server.gateway.identifies == 2)
        server.user("ann").write("general", "heard")
        server.until(lambda: "heard" in bot.texts)
        assert bot.texts == ["heard"]


def test_a_deaf_socket_is_noticed_and_left(server: Server) -> None:
    server.gateway.heartbeat_interval = 0.1
    with logged_in(server, Bot(heartbeat_timeout=0.4)) as bot:
        server.until(lambda: any(one.heartbeats for one in server.gateway.connections))
        server.gateway.deafen()
        server.user("ann").write("general", "do you hear me?")
        server.until(lambda: server.gateway.resumes == 1)
        server.until(lambda: bot.texts == ["do you hear me?"])


def test_a_refused_socket_is_tried_again(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("discord.client.ExponentialBackoff.delay", lambda _: 0.01)
    with logged_in(server) as bot:
        server.gateway.refuse(2)
        server.gateway.drop()
        server.until(lambda: server.gateway.resumes == 1)
        assert not bot.is_closed()


def failed(server: Server, bot: Bot, token: str) -> BaseException:
    """What the client ends with."""
    with redirected(server):
        bot.begin(token)
        try:
            error = server.until(lambda: bot.error)
        finally:
            bot.end()
    assert error is not None
    return error


def test_a_wrong_token_is_refused_at_login(server: Server) -> None:
    assert isinstance(failed(server, Bot(), "wrong"), discord.LoginFailure)
    assert server.requests[-1].status == 401 and server.backend.buckets.invalid_requests == 1


def test_a_privileged_intent_that_is_off_ends_with_4014(server: Server) -> None:
    server.app.privileged = 0
    assert isinstance(failed(server, Bot(), server.token), discord.PrivilegedIntentsRequired)


def test_a_guild_is_announced_with_its_threads(server: Server) -> None:
    ann = server.user("ann")
    thread = ann.open_thread(ann.write("general", "hi"), "old talk")
    with logged_in(server) as bot:
        there = bot.get_channel(thread.id)
        assert isinstance(there, discord.Thread) and there.name == "old talk" and there.me is None


def test_a_bot_may_be_in_no_guild_and_come_back(server: Server) -> None:
    server.expel()
    with logged_in(server) as bot:
        assert list(bot.guilds) == []
        server.admit()
        server.until(lambda: bot.heard("guild_join"))
        server.user("ann").write("general", "welcome")
        server.until(lambda: bot.texts == ["welcome"])
        server.expel()
        server.until(lambda: bot.heard("guild_remove"))


def test_another_app_logs_in_beside_the_first(server: Server) -> None:
    other = server.add_app("helper")
    with logged_in(server) as bot, logged_in(server, Bot(), other.token) as second:
        second.call(second.place(server.general.id).send("from the other"))
        server.until(lambda: bot.texts == ["from the other"])
        assert bot.heard("message")[0].author.bot


def test_shards_share_the_guilds(server: Server) -> None:
    server.backend.shards = server.backend.max_concurrency = 2
    mine = (server.guild.id >> 22) % 2
    with logged_in(server, Bot(shard_id=mine, shard_count=2)) as bot:
        assert [guild.name for guild in bot.guilds] == ["house"]
        shards, url, limits = bot.call(bot.http.get_bot_gateway())
        assert (shards, url, limits["remaining"]) == (2, server.gateway_url, 999)
    with logged_in(server, Bot(shard_id=1 - mine, shard_count=2)) as bot:
        assert list(bot.guilds) == []


def test_members_are_sent_on_request(server: Server) -> None:
    server.user("ann")
    with logged_in(server) as bot:
        found = bot.call(bot.guilds[0].query_members("an"))
        assert [member.name for member in found] == ["ann"]


async def raw(server: Server, *payloads: Any) -> int | None:
    """Talk to the gateway without a library; return the code that it closes with."""
    url = f"{server.gateway_url}?v=10&encoding=json"
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
        assert (await socket.receive_json())["op"] == 10
        for payload in payloads:
            await socket.send_json(payload)
        while not socket.closed:
            await socket.receive()
        return socket.close_code


IDENTIFY = {"op": 2, "d": {"token": "", "intents": 1}}


@pytest.mark.parametrize(
    ("payload", "code", "is_violation"),
    [
        ([], 4002, True),
        ({"op": 3, "d": {}}, 4003, True),
        (IDENTIFY, 4004, False),
        ({"op": 6, "d": {"token": "none"}}, 4004, False),
        ({"op": 1, "d": "x" * 4096}, 4002, True),
    ],
)
def test_what_the_gateway_does_not_take_closes_it(server: Server, payload: Any, code: int, is_violation: bool) -> None:
    with logged_in(server) as bot:
        assert bot.call(raw(server, payload)) == code
        assert not is_violation or server.forgive(str(code))


def test_more_than_120_events_in_a_minute_close_it(server: Server) -> None:
    with logged_in(server) as bot:
        assert bot.call(raw(server, *[{"op": 1, "d": None}] * 121)) == 4008
        assert server.forgive("4008")
