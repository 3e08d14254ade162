"""Hearing: what the gateway tells reaches the part that it is for, and nobody before there are parts."""

from __future__ import annotations

import asyncio
import logging
from types import SimpleNamespace
from typing import Any

import pytest

from openab_sync.platforms.discord.client import Ears
from openab_sync.platforms.discord.hearing import PERMISSIONS, Hearing, Parts, invitation

# What is told: the method, and the part and its method that it is for.
ROUTES = {
    "message": "catching.message",
    "edited": "catching.edited",
    "deleted": "catching.deleted",
    "connected": "catching.connected",
    "guilds_there": "catching.guilds_there",
    "guild_there": "catching.guild_there",
    "interaction": "orders.component",
    "thread_created": "changes.thread_created",
    "thread_changed": "changes.thread_changed",
    "thread_deleted": "changes.thread_deleted",
    "channel_deleted": "changes.channel_deleted",
    "guild_left": "changes.guild_left",
}


class Part:
    """A part that notes what it is told."""

    def __init__(self, name: str, noted: list[tuple[str, object]]) -> None:
        self._name, self._noted = name, noted

    def __getattr__(self, method: str) -> Any:
        async def hear(what: object = None) -> None:
            self._noted.append((f"{self._name}.{method}", what))

        return hear


class Scene:
    """A hearing with all its parts, and a client on so many servers."""

    def __init__(self, servers: int = 1, **client: object) -> None:
        self.noted: list[tuple[str, object]] = []
        self.calm: list[str] = []
        names = ("incoming", "catching", "changes", "orders", "startup")
        incoming, catching, changes, orders, startup = (Part(name, self.noted) for name in names)
        guilds = [SimpleNamespace(name="house")] * servers
        client = {"user": "bridge#1", "guilds": guilds, "application_id": 4711, **client}
        tree: Any = SimpleNamespace(client=SimpleNamespace(**client))
        note = self.calm.append
        supervisor: Any = SimpleNamespace(connected=lambda: note("up"), lost=lambda: note("down"))
        calls: Any = SimpleNamespace(forgive=lambda: self.calm.append("forgiven"))
        recovering: Any = SimpleNamespace(reachable=lambda: note("reachable"))
        parts: Any = (incoming, catching, changes, orders, tree, supervisor, calls, recovering, startup)
        self.hearing = Hearing()
        self.hearing.parts = Parts(*parts)


@pytest.mark.parametrize(("method", "part"), ROUTES.items())
def test_what_is_told_reaches_the_part_that_it_is_for(method: str, part: str) -> None:
    scene, what = Scene(), object()
    asyncio.run(getattr(scene.hearing, method)(what))
    assert scene.noted == [(part, what)]
    assert scene.calm == (["forgiven"] if method in ("thread_changed", "guild_there") else [])


def test_before_and_after_there_are_parts_nothing_is_heard() -> None:
    ears = Hearing()
    for method in [*ROUTES, "guild_joined"]:
        asyncio.run(getattr(ears, method)(SimpleNamespace(name="house")))
    for method in ("permissions_changed", "ready", "resumed", "lost"):
        asyncio.run(getattr(ears, method)())
    assert not ears.is_ready.is_set()


def test_it_has_all_the_ears_of_a_client() -> None:
    told = {name for name in vars(Ears) if not name.startswith("_")}
    assert told == {*ROUTES, "guild_joined", "permissions_changed", "ready", "resumed", "lost"}
    assert all(hasattr(Hearing, name) for name in told)


def test_ready_is_told_once_all_commands_are_there(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    scene = Scene(servers=2)
    asyncio.run(scene.hearing.ready())
    assert [name for name, _ in scene.noted] == [
        "orders.sync",
        "orders.close_stale",
        "startup.run",
    ]
    assert scene.calm == ["up", "reachable"] and scene.hearing.is_ready.is_set()
    assert caplog.messages == ["Discord: here as bridge#1, on 2 servers"]


def test_a_bot_that_is_on_no_server_says_how_to_let_it_in(caplog: pytest.LogCaptureFixture) -> None:
    scene = Scene(servers=0)
    asyncio.run(scene.hearing.ready())
    assert "client_id=4711" in caplog.text and f"permissions={PERMISSIONS.value}" in caplog.text
    assert "scope=bot+applications.commands" in caplog.text
    assert scene.hearing.is_ready.is_set()  # and goes on: a direct message may come
    assert scene.hearing.trouble.startswith("the bot is on no server yet: open https://")


def test_what_keeps_people_from_writing_is_known_and_known_to_be_over() -> None:
    scene = Scene(servers=0)
    assert scene.hearing.trouble == "logging in"
    asyncio.run(scene.hearing.ready())
    guilds: Any = scene.hearing.parts.tree.client.guilds  # type: ignore[union-attr]  # they are there
    guilds.append(SimpleNamespace(name="home"))
    asyncio.run(scene.hearing.guild_joined(guilds[0]))
    assert scene.hearing.trouble == ""
    guilds.clear()
    asyncio.run(scene.hearing.guild_left(SimpleNamespace(name="home")))  # type: ignore[arg-type]  # its name will do
    assert "no server" in scene.hearing.trouble


def test_a_shard_without_servers_is_nothing_to_worry_about(caplog: pytest.LogCaptureFixture) -> None:
    asyncio.run(Scene(servers=0, shard_ids=[3]).hearing.ready())
    assert caplog.text == ""


def test_a_connection_that_comes_and_goes_is_the_supervisors_business() -> None:
    scene = Scene()
    asyncio.run(scene.hearing.lost())
    asyncio.run(scene.hearing.resumed())
    asyncio.run(scene.hearing.permissions_changed())
    assert scene.calm == ["down", "up", "forgiven"]


def test_the_invitation_asks_for_what_is_used() -> None:
    client: Any = SimpleNamespace(application_id=4711)
    link = invitation(client)
    assert link.startswith("https://discord.com/oauth2/authorize?client_id=4711")
    assert PERMISSIONS.value == 326417894464
    assert PERMISSIONS.manage_threads and PERMISSIONS.send_messages_in_threads
    assert not PERMISSIONS.administrator and not PERMISSIONS.mention_everyone
