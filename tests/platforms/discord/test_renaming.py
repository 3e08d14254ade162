"""Titles of threads: given once, and a person's own stays."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import discord
import pytest

from openab_sync.core.message import Conversation
from openab_sync.errors import ChatRefused
from openab_sync.platforms.discord.calls import MEMORY, Calls
from openab_sync.platforms.discord.renaming import Titles
from openab_sync.store import Known
from tests.fakes.clock import FakeClock
from tests.platforms.discord.test_errors import answered

HERE = Conversation("discord", "7")


class Shelf:
    """Books, as far as titles go."""

    def __init__(self) -> None:
        self.known: dict[str, Known] = {}

    def get(self, key: str) -> Known:
        return self.known.get(key, Known(key))

    def put(self, known: Known) -> None:
        self.known[known.key] = known


class Client:
    """A client that knows threads, or has to fetch them, and notes what it is asked to name."""

    def __init__(self) -> None:
        self.http = self
        self.named: list[str] = []
        self.fetched = 0
        self.kind: Any = discord.Thread
        self.user = discord.Object(1)
        self.opened_by = 1
        self.name = "what was asked"
        self.is_known = True
        self.error: Exception | None = None

    def get_channel(self, number: int) -> object:
        return self._channel() if self.is_known else None

    async def fetch_channel(self, number: int) -> object:
        self.fetched += 1
        return self._channel()

    def _channel(self) -> Any:
        channel = self.kind.__new__(self.kind)
        if self.kind is discord.Thread:
            channel.owner_id, channel.name = self.opened_by, self.name
        return channel

    async def edit_channel(self, number: int, *, name: str) -> None:
        assert number == int(HERE.id)
        if self.error is not None:
            raise self.error
        self.named.append(name)


class Desk:
    """Titles, on books and a client of ours."""

    def __init__(self) -> None:
        self.clock, self.client, self.shelf = FakeClock(), Client(), Shelf()
        self.titles = Titles(self.client, Calls(self.clock), self.shelf)  # type: ignore[arg-type]  # as far as titles go

    async def give(self, *titles: str) -> None:
        for title in titles:
            await self.titles.give(HERE, title)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_title_is_one_line_of_what_discord_takes_and_is_remembered(desk: Desk) -> None:
    asyncio.run(desk.give("Fix the\nbuild " + "x" * 200))
    [name] = desk.client.named
    assert name.startswith("Fix the build xxx") and len(name) == 100
    assert desk.shelf.get(HERE.key).title == name


@pytest.mark.parametrize("title", ["", "  \n ", ' \n<sender_context> {"schema":"openab.sender.v1","send…'])
def test_no_title_is_none(desk: Desk, title: str) -> None:
    asyncio.run(desk.give(title))
    assert desk.client.named == []


def test_a_thread_gets_its_title_once(desk: Desk) -> None:
    asyncio.run(desk.give("One", "One", "Two", "Three"))
    assert desk.client.named == ["One"]


def test_the_title_that_a_person_gave_stays(desk: Desk) -> None:
    desk.shelf.put(replace(Known(HERE.key), title_is_settled=True))
    asyncio.run(desk.give("One"))
    assert desk.client.named == []


@pytest.mark.parametrize(("given", "named"), [("what was asked", ["One"]), ("another name", [])])
def test_a_name_that_is_not_the_one_we_gave_is_a_person_s(desk: Desk, given: str, named: list[str]) -> None:
    """They may have given it while we were away."""
    desk.shelf.put(replace(Known(HERE.key), title=given))
    asyncio.run(desk.give("One"))
    assert desk.client.named == named


def test_what_is_no_thread_keeps_its_name(desk: Desk) -> None:
    desk.client.kind = discord.TextChannel
    asyncio.run(desk.give("One"))
    assert desk.client.named == []


def test_what_a_person_has_opened_keeps_the_name_they_gave_it(desk: Desk) -> None:
    desk.client.opened_by = 2
    asyncio.run(desk.give("a title"))
    assert desk.client.named == []


def test_a_thread_that_is_not_known_is_looked_at(desk: Desk) -> None:
    desk.client.is_known = False
    asyncio.run(desk.give("One"))
    assert (desk.client.named, desk.client.fetched) == (["One"], 1)


def test_a_title_that_is_refused_is_none_and_the_next_one_is_given(desk: Desk) -> None:
    async def scene() -> None:
        desk.client.error = answered(403, 50013)
        with pytest.raises(ChatRefused, match="rename threads"):
            await desk.give("One")
        assert desk.shelf.get(HERE.key).title == ""
        desk.clock.advance(MEMORY)
        desk.client.error = None
        await desk.give("Two", "Three")

    asyncio.run(scene())
    assert desk.client.named == ["Two"]
