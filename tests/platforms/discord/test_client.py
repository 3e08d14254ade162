"""The client: what is switched on, what it hands over, and that it closes only when it is told to."""

from __future__ import annotations

import asyncio
import base64
import socket
from collections.abc import Iterator

import discord
import msgspec
import pytest

from openab_sync.config.discord import DiscordConfig
from openab_sync.platforms.discord.client import Client, ShardedClient, make_client
from tests.fakes.discord import Server
from tests.platforms.discord.connection import Noting, connection
from tests.platforms.discord.fake_client import QUICK
from tests.waiting import until


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(limits=QUICK) as server:
        yield server
    assert server.violations == []


def made(**section: object) -> Client:
    return make_client(msgspec.convert({"bot_token": "a.b.c", **section}, DiscordConfig), Noting())


def test_it_listens_to_what_it_needs_and_pings_nobody() -> None:
    client = made()
    wanted = {"guilds", "guild_messages", "dm_messages", "guild_reactions", "message_content"}
    assert {name for name, on in client.intents if on} == wanted
    assert client.allowed_mentions is not None
    assert client.allowed_mentions.to_dict()["parse"] == []
    assert client.http.max_ratelimit_timeout == 60.0
    assert type(client) is Client


def test_a_proxy_is_used_and_logged_in_to(server: Server) -> None:
    """It answers nothing: what it is asked is what counts."""
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        proxy.settimeout(5)
        address = f"http://me:p%40ss@127.0.0.1:{proxy.getsockname()[1]}"
        with connection(server, ready=False, proxy=address):
            asked, _ = proxy.accept()
            with asked:
                head = asked.recv(65536).decode()
    assert head.startswith(f"GET {server.rest_root}/users/@me HTTP/1.1")
    assert f"Proxy-Authorization: Basic {base64.b64encode(b'me:p@ss').decode()}" in head
    assert made().http.proxy is None


def test_shards_are_served_as_configured() -> None:
    client = made(shard_ids=[1, 2], shard_count=4)
    assert isinstance(client, ShardedClient)
    assert (client.shard_ids, client.shard_count) == ([1, 2], 4)
    whole = made(shard_count=2)
    assert isinstance(whole, ShardedClient)
    assert (whole.shard_ids, whole.shard_count) == (None, 2)


def test_everything_that_it_is_told_is_handed_over(server: Server) -> None:
    ann = server.user("ann")
    with connection(server) as bot:
        message = ann.write("general", "hello")
        assert [heard.content for heard in bot.until_heard("message")] == ["hello"]
        ann.edit(message, "hello again")
        assert [payload.message_id for payload in bot.until_heard("edited")] == [message.id]
        thread = ann.open_thread(message, "a talk")
        assert [heard.name for heard in bot.until_heard("thread_created")] == ["a talk"]
        ann.rename(thread, "another talk")
        assert [payload.data["name"] for payload in bot.until_heard("thread_changed")] == ["another talk"]
        ann.delete_channel(thread)
        assert [payload.thread_id for payload in bot.until_heard("thread_deleted")] == [thread.id]
        ann.delete(message)
        assert [payload.message_id for payload in bot.until_heard("deleted")] == [message.id]
        other = server.add_channel("other")
        server.allow(other, server.everyone, deny=discord.Permissions(send_messages=True).value)
        bot.until_heard("permissions_changed")
        ann.delete_channel(other)
        assert [channel.name for channel in bot.until_heard("channel_deleted")] == ["other"]
        server.expel()
        assert [guild.name for guild in bot.until_heard("guild_left")] == ["house"]
        server.admit()
        assert [guild.name for guild in bot.until_heard("guild_joined")] == ["house"]


def test_buttons_are_handed_over_and_commands_are_left_to_the_tree(server: Server) -> None:
    with connection(server) as bot:

        async def show() -> None:
            view = discord.ui.View(timeout=None)
            view.add_item(discord.ui.Button(label="Stop", custom_id="oab:stop"))
            view.stop()
            await bot.client.get_partial_messageable(server.general.id).send("working", view=view)

        bot.loop.submit(show(), 5).result()
        clicked = server.user("ann").click(server.until_said("working"), "Stop")
        server.until(lambda: clicked.acked, what="the click is acknowledged")
        assert [heard.data["custom_id"] for heard in bot.until_heard("interaction")] == ["oab:stop"]


def test_what_goes_wrong_with_an_event_is_logged_and_ends_nothing(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    with connection(server) as bot:

        async def fail(message: discord.Message) -> None:
            raise LookupError("a bug")

        bot.ears.message = fail  # type: ignore[method-assign]  # a part that fails
        server.user("ann").write("general", "hello")
        until(lambda: "what came with on_message could not be handled" in caplog.text)
        assert "LookupError: a bug" in caplog.text
        assert not bot.ended.is_set()


def test_it_closes_only_when_it_is_told_to(server: Server) -> None:
    with connection(server) as bot:
        bot.loop.submit(bot.client.close(), 5).result()
        assert not bot.client.is_closed()

        async def post() -> None:
            await bot.client.get_partial_messageable(server.general.id).send("still here")

        bot.loop.submit(post(), 5).result()
        server.until_said("still here")
    assert bot.client.is_closed()


def test_several_connections_serve_one_bot(server: Server) -> None:
    with connection(server, shard_count=2) as bot:
        server.user("ann").write("general", "hello")
        assert [heard.content for heard in bot.until_heard("message")] == ["hello"]
        assert isinstance(bot.client, ShardedClient)
        assert sorted(bot.client.shards) == [0, 1]
    server.forgive("identifies twice within 5 s")  # which it does not where nobody shortens its pause


def test_between_two_sessions_it_pauses_as_long_as_discord_wants() -> None:
    async def pause(client: Client) -> bool:
        task = asyncio.create_task(client.before_identify_hook(None, initial=False))
        await asyncio.sleep(0)
        waits = not task.done()
        task.cancel()
        await client.before_identify_hook(None, initial=True)
        return waits

    client = made()
    assert client.identify_pause == 5.0
    assert asyncio.run(pause(client))


def test_a_shard_that_cannot_go_on_takes_the_others_with_it_and_leaves_rest_alone(server: Server) -> None:
    with connection(server, shard_count=2) as bot:
        bot.loop.submit(bot.client.close(), 5).result()
        assert isinstance(bot.client, ShardedClient)
        assert all(shard.is_closed() for shard in bot.client.shards.values())
        assert not bot.client.is_closed()
    server.forgive("identifies twice within 5 s")
