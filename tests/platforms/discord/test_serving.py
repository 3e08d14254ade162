"""Serving: asked at the gate, answered whatever happens."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import discord
import pytest

from openab_sync.core.admission import Verdict
from openab_sync.core.audit import Audit
from openab_sync.errors import OpenabError, PoolClosed
from openab_sync.platforms.discord.answers import Answer
from openab_sync.platforms.discord.refusals import Refusals
from openab_sync.platforms.discord.serving import BUG, NO, Serving
from tests.fakes.discord import Interaction, Server, ShiftedClock
from tests.platforms.discord.fake_client import QUICK, Bot, logged_in
from tests.platforms.discord.pressing import told
from tests.waiting import until


class Gate:
    """Lets in as it is told."""

    def __init__(self) -> None:
        self.verdict = Verdict.IN
        self.refusals = Refusals(ShiftedClock(), Audit())

    def interaction(self, interaction: discord.Interaction, *, is_answer: bool = False) -> Verdict:
        return self.verdict


class Place:
    """A bot with one command that is served as the test says."""

    def __init__(self, server: Server, bot: Bot) -> None:
        self.server, self.bot, self.gate = server, bot, Gate()
        self.serving = Serving(cast(Any, SimpleNamespace(port=None)), cast(Any, self.gate))
        self.error: BaseException | None = None
        self.held = threading.Event()
        self.entered = threading.Event()

        async def ask(interaction: discord.Interaction) -> None:
            await self.serving.serve(interaction, self.act)

        bot.tree.add_command(discord.app_commands.Command(name="ask", description="x", callback=ask))

    async def act(self, answer: Answer) -> None:
        self.entered.set()
        if self.error is not None:
            raise self.error
        await asyncio.to_thread(self.held.wait, 5)
        await answer.say("served")

    def ask(self) -> Interaction:
        return self.server.user("ann").slash("ask", where="general")


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(clock=ShiftedClock(), limits=QUICK) as server:
        yield server


@pytest.fixture
def place(server: Server) -> Iterator[Place]:
    bot = Bot()
    it = Place(server, bot)
    it.held.set()
    with logged_in(server, bot):
        bot.call(bot.tree.sync())
        yield it


def test_who_is_admitted_is_served_and_who_is_not_is_told_so(place: Place, server: Server) -> None:
    assert told(server, place.ask()) == "served"
    for verdict in (Verdict.REFUSED, Verdict.IGNORED):
        place.gate.verdict = verdict
        assert told(server, place.ask()) == NO


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (PoolClosed(), PoolClosed().user_text()),
        (OpenabError("that is full"), "that is full"),
        (ConnectionResetError("cut"), "Discord could not be reached: cut"),
        (ZeroDivisionError("a bug"), BUG),
    ],
)
def test_what_goes_wrong_is_told(
    error: Exception, text: str, place: Place, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    place.error = error
    assert told(server, place.ask()) == text
    assert ("Traceback" in caplog.text) == isinstance(error, ZeroDivisionError)


def test_who_cannot_even_be_told_is_in_the_log(place: Place, server: Server, caplog: pytest.LogCaptureFixture) -> None:
    place.error = PoolClosed()
    server.fail("POST", "/interactions/*", code=50035, status=400)
    place.ask()
    until(lambda: "could not be told" in caplog.text)
    server.advance(4)
    server.until(lambda: server.violations)
    server.forgive("got no answer")


WHOLE = SimpleNamespace(channel_id=1, user=SimpleNamespace(id=2))


def offered(place: Place, interaction: object = WHOLE) -> list[str]:
    async def offer() -> list[str]:
        found = [("Big", "big")]
        return [choice.value for choice in await place.serving.offer(cast(Any, interaction), found, "b")]

    return place.bot.call(offer())


def test_a_completion_is_empty_for_who_is_not_admitted(place: Place) -> None:
    assert offered(place) == ["big"]
    place.gate.verdict = Verdict.REFUSED
    assert offered(place) == []


def test_what_says_not_who_or_where_is_left_alone(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    """Discord may leave out both; nothing can be decided about it then."""
    nobody = SimpleNamespace(channel_id=1, user=discord.utils.MISSING)
    nowhere = SimpleNamespace(channel_id=None, user=WHOLE.user)
    assert [offered(place, what) for what in (nobody, nowhere)] == [[], []]

    async def serve(interaction: object) -> None:
        await place.serving.serve(cast(Any, interaction), place.act)

    for what in (nobody, nowhere):
        place.bot.call(serve(what))
    assert not place.entered.is_set()
    assert caplog.text.count("is left alone") == 4


def test_at_the_end_an_answer_on_its_way_is_waited_for_and_nothing_more_is_taken(place: Place, server: Server) -> None:
    place.held.clear()
    first = place.ask()
    assert place.entered.wait(5)

    async def close() -> None:
        closing = asyncio.ensure_future(place.serving.close())
        await asyncio.sleep(0)
        place.held.set()
        await closing

    place.bot.call(close())
    assert told(server, first) == "served"
    second = place.ask()

    async def offer() -> list[Any]:
        return await place.serving.offer(cast(Any, None), [("a", "a")], "")

    assert place.bot.call(offer()) == []
    server.advance(4)
    server.until(lambda: server.violations)
    assert not second.acked
    server.forgive("got no answer")
