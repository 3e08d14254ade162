"""Reactions: one in flight a channel, and nothing stale behind it."""

from __future__ import annotations

import asyncio
from typing import Any

import discord
import pytest

from openab_sync.errors import ChatRefused
from openab_sync.platforms.discord.calls import Calls
from openab_sync.platforms.discord.reacting import Reactions
from tests.fakes.clock import FakeClock
from tests.platforms.discord.test_errors import answered

ME = discord.Object(1)


class Place:
    """A channel in which each request waits until `go` lets it."""

    def __init__(self, channel: int = 7) -> None:
        self.channel = discord.Object(channel)
        self.asked: list[str] = []
        self.error: Exception | None = None
        self._gate = asyncio.Semaphore(0)

    def message(self, number: int) -> Any:
        return Message(self, number)

    def go(self, count: int = 1) -> None:
        for _ in range(count):
            self._gate.release()

    async def ask(self, what: str) -> None:
        self.asked.append(what)
        await self._gate.acquire()
        if self.error is not None:
            raise self.error


class Message:
    """A message as far as reactions go."""

    def __init__(self, place: Place, number: int) -> None:
        self.id, self.channel, self._place = number, place.channel, place

    async def add_reaction(self, emoji: str) -> None:
        await self._place.ask(f"{self.id}+{emoji}")

    async def remove_reaction(self, emoji: str, me: discord.Object) -> None:
        assert me is ME
        await self._place.ask(f"{self.id}-{emoji}")


def reactions() -> Reactions:
    return Reactions(Calls(FakeClock()))


def begin(shown: Reactions, message: Any, emoji: str, on: bool) -> asyncio.Task[None]:
    return asyncio.create_task(shown.show(message, emoji, on, ME))


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def test_one_request_is_in_flight_in_a_channel_and_they_keep_their_order() -> None:
    async def scene() -> None:
        place, shown = Place(), reactions()
        tasks = [begin(shown, place.message(number), "👀", True) for number in (1, 2, 3)]
        await settle()
        assert place.asked == ["1+👀"]
        place.go(3)
        await asyncio.gather(*tasks)
        assert place.asked == ["1+👀", "2+👀", "3+👀"]

    asyncio.run(scene())


def test_what_is_overtaken_while_it_waits_is_never_asked_for() -> None:
    async def scene() -> None:
        place, shown = Place(), reactions()
        message = place.message(1)
        first = begin(shown, message, "👀", True)
        await settle()
        tasks = [begin(shown, message, "🤔", on) for on in (True, False, True, False)]
        place.go(5)
        await asyncio.gather(first, *tasks)
        assert place.asked == ["1+👀", "1-🤔"]

    asyncio.run(scene())


def test_channels_do_not_wait_for_one_another() -> None:
    async def scene() -> None:
        one, other, shown = Place(7), Place(8), reactions()
        stuck = begin(shown, one.message(1), "👀", True)
        other.go()
        await begin(shown, other.message(2), "👀", True)
        assert other.asked == ["2+👀"] and not stuck.done()
        one.go()
        await stuck

    asyncio.run(scene())


def test_a_reaction_that_fails_says_so_and_the_next_one_is_tried() -> None:
    async def scene() -> None:
        place, shown = Place(), reactions()
        place.error = answered(400, 30010)
        place.go(2)
        with pytest.raises(ChatRefused, match="as many different reactions"):
            await begin(shown, place.message(1), "👀", True)
        place.error = None
        await begin(shown, place.message(1), "👀", True)
        assert place.asked == ["1+👀", "1+👀"]
        assert shown._newest == {} and len(shown._turns) == 0

    asyncio.run(scene())


def test_a_reaction_that_is_given_up_lets_the_next_one_go() -> None:
    async def scene() -> None:
        place, shown = Place(), reactions()
        stuck = begin(shown, place.message(1), "👀", True)
        await settle()
        stuck.cancel()
        place.go()
        await begin(shown, place.message(2), "👀", True)
        assert place.asked == ["1+👀", "2+👀"]

    asyncio.run(scene())
