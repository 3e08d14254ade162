"""Titles of threads: twice in ten minutes, the newest wins, and a person's own stays."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import discord
import pytest

from openab_sync.core.message import Conversation
from openab_sync.errors import ChatRefused
from openab_sync.platforms.discord.calls import Calls
from openab_sync.platforms.discord.renaming import MOST_THREADS, SPAN, Titles
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
            channel.owner_id = self.opened_by
        return channel

    async def edit_channel(self, number: int, *, name: str) -> None:
        assert number == int(HERE.id)
        if self.error is not None:
            raise self.error
        self.named.append(name)


class Desk:
    """Titles on a clock of ours: what is due later is called by `later`, at once."""

    def __init__(self) -> None:
        self.clock, self.client, self.shelf = FakeClock(), Client(), Shelf()
        calls, client, shelf = Calls(self.clock), self.client, self.shelf
        self.titles = Titles(client, calls, shelf, self.clock)  # type: ignore[arg-type]  # as far as titles go

    async def give(self, *titles: str) -> None:
        for title in titles:
            await self.titles.give(HERE, title)

    def due(self) -> float | None:
        """Seconds until the title that waits is given; None if none waits."""
        timer = self.titles._thread(HERE.key).timer
        return None if timer is None else timer.when() - asyncio.get_running_loop().time()

    async def later(self) -> None:
        """Let the time pass that the waiting title needs, and have it given."""
        thread = self.titles._thread(HERE.key)
        assert thread.timer is not None
        thread.timer.cancel()
        self.clock.advance(SPAN)
        self.titles._begin(HERE, thread)
        await asyncio.gather(*self.titles._tasks)


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


def test_the_same_title_is_given_once(desk: Desk) -> None:
    asyncio.run(desk.give("One", "One"))
    assert desk.client.named == ["One"]


def test_the_title_that_a_person_gave_stays(desk: Desk) -> None:
    desk.shelf.put(replace(Known(HERE.key), title_is_theirs=True))
    asyncio.run(desk.give("One"))
    assert desk.client.named == []


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


def test_the_third_title_waits_and_only_the_newest_is_given(desk: Desk) -> None:
    async def scene() -> None:
        await desk.give("One", "Two", "Three", "Four")
        assert desk.client.named == ["One", "Two"]
        due = desk.due()
        assert due is not None and 0.9 * SPAN < due <= SPAN
        await desk.later()
        assert desk.client.named == ["One", "Two", "Four"]
        assert desk.due() is None

    asyncio.run(scene())


def test_a_title_that_waits_is_dropped_if_a_person_names_the_thread_meanwhile(desk: Desk) -> None:
    async def scene() -> None:
        await desk.give("One", "Two", "Three")
        desk.shelf.put(replace(desk.shelf.get(HERE.key), title_is_theirs=True))
        await desk.later()
        assert desk.client.named == ["One", "Two"]

    asyncio.run(scene())


def test_a_title_that_is_refused_is_not_remembered(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    async def scene() -> None:
        desk.client.error = answered(403, 50013)
        with pytest.raises(ChatRefused, match="rename threads"):
            await desk.give("One")
        assert desk.shelf.get(HERE.key).title == ""
        desk.clock.advance(SPAN)
        desk.client.error = None
        await desk.give("Two", "Three", "Four")
        desk.client.error = answered(404, 10003)
        await desk.later()

    asyncio.run(scene())
    assert desk.client.named == ["Two", "Three"]
    assert "no new title" in caplog.text


def test_the_end_gives_no_more_titles(desk: Desk) -> None:
    async def scene() -> None:
        await desk.give("One", "Two", "Three")
        timer = desk.titles._thread(HERE.key).timer
        desk.titles.close()
        assert timer is not None and timer.cancelled()
        assert desk.due() is None

    asyncio.run(scene())


def test_what_is_remembered_of_threads_is_bounded(desk: Desk) -> None:
    for number in range(MOST_THREADS + 1):
        desk.titles._thread(f"discord:{number}")
    assert len(desk.titles._threads) == 1
