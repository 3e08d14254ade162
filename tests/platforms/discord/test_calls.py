"""Requests to Discord: what is tried again, and what is not even tried."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

import discord
import pytest

from openab_sync.errors import ChatError, ChatRefused, ChatTimeout
from openab_sync.platforms.discord.calls import BANNED, MEMORY, MOST_REMEMBERED, PAUSES, WITHIN, Calls, unheard
from tests.fakes.clock import FakeClock
from tests.platforms.discord.test_errors import answered


class Line:
    """Attempts with these outcomes, one after the other."""

    def __init__(self, *outcomes: Exception | str) -> None:
        self._outcomes = list(outcomes)
        self.asked = 0

    async def __call__(self) -> str:
        self.asked += 1
        outcome = self._outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


class Desk:
    """The calls of a bot whose pauses are noted and take no time."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.pauses: list[float] = []
        self.calls = Calls(self.clock, self._pause)

    async def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.clock.advance(seconds)

    def make(self, attempt: Callable[[], Awaitable[str]], what: str = "send messages", where: int = 1) -> str:
        return asyncio.run(self.calls.make(what, where, attempt))

    def post(self, attempt: Callable[[], Awaitable[str]], within: float = 30.0) -> str:
        return asyncio.run(self.calls.make("send messages", 1, attempt, within))


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_what_works_is_asked_for_once(desk: Desk) -> None:
    line = Line("done")
    assert desk.make(line) == "done"
    assert (line.asked, desk.pauses) == (1, [])


def test_a_cut_connection_is_tried_again(desk: Desk) -> None:
    """discord.py does not retry errno 104 on Linux."""
    line = Line(ConnectionResetError(104, "Connection reset by peer"), answered(503), "done")
    assert desk.make(line) == "done"
    assert desk.pauses == list(PAUSES[:2])


def test_a_connection_that_stays_cut_ends_with_not_knowing(desk: Desk) -> None:
    line = Line(*[OSError(104, "Connection reset by peer")] * (len(PAUSES) + 1))
    with pytest.raises(ChatTimeout):
        desk.post(line)
    assert desk.pauses == list(PAUSES)


@pytest.mark.parametrize(("within", "attempts"), [(WITHIN, 4), (20.0, 6), (0.0, 1)])
def test_no_attempt_begins_after_the_time_that_the_caller_has(desk: Desk, within: float, attempts: int) -> None:
    line = Line(*[answered(503)] * attempts)
    with pytest.raises(ChatTimeout):
        desk.post(line, within)
    assert line.asked == attempts
    assert sum(desk.pauses) <= within


def test_a_server_that_is_away_for_some_seconds_costs_no_answer(desk: Desk) -> None:
    away = [ConnectionRefusedError(111, "Connection refused"), answered(503)] * 3
    assert desk.post(Line(*away, "done")) == "done"
    assert sum(desk.pauses) <= 30


@pytest.mark.parametrize("status", [500, 502, 504, 524])
def test_what_the_library_has_repeated_is_not_repeated_again(desk: Desk, status: int) -> None:
    line = Line(answered(status))
    with pytest.raises(ChatTimeout):
        desk.make(line)
    assert line.asked == 1


@pytest.mark.parametrize(
    ("error", "pause"),
    [
        (answered(429, retry_after="7"), 7.0),
        (answered(429), BANNED),
        (answered(429, retry_after="Wed, 21 Oct 2015 07:28:00 GMT"), BANNED),
        (discord.RateLimited(9.5), 9.5),
    ],
)
def test_too_many_requests_are_waited_out(desk: Desk, error: Exception, pause: float) -> None:
    assert desk.post(Line(error, "done")) == "done"
    assert desk.pauses == [pause]


@pytest.mark.parametrize("error", [answered(429, retry_after="3600"), discord.RateLimited(61.0)])
def test_what_takes_too_long_to_wait_out_is_not_known_to_be_done(desk: Desk, error: Exception) -> None:
    line = Line(error)
    with pytest.raises(ChatTimeout):
        desk.post(line)
    assert (line.asked, desk.pauses) == (1, [])


def test_a_ban_of_a_proxy_is_not_hammered_at(desk: Desk) -> None:
    line = Line(answered(429))
    with pytest.raises(ChatTimeout):
        desk.make(line)
    assert line.asked == 1


def test_a_refusal_is_told_and_not_repeated(desk: Desk) -> None:
    line = Line(answered(400, 200000))
    with pytest.raises(ChatRefused, match="AutoMod"):
        desk.make(line)
    assert line.asked == 1


def test_what_is_forbidden_is_not_asked_for_again_for_a_while(desk: Desk) -> None:
    line = Line(answered(403, 50013), "done")
    for _ in range(3):
        with pytest.raises(ChatRefused, match="administrator"):
            desk.make(line)
    assert line.asked == 1
    desk.clock.advance(MEMORY)
    assert desk.make(line) == "done"


def test_what_is_forbidden_in_one_place_may_be_allowed_in_another_and_so_may_other_things(desk: Desk) -> None:
    with pytest.raises(ChatRefused):
        desk.make(Line(answered(403, 50013)))
    assert desk.make(Line("done"), where=2) == "done"
    assert desk.make(Line("done"), what="add reactions") == "done"


@pytest.mark.parametrize("code", [90001, 50007, 0])
def test_what_is_refused_because_of_a_person_or_a_message_is_not_remembered(desk: Desk, code: int) -> None:
    with pytest.raises(ChatRefused):
        desk.make(Line(answered(403, code)))
    assert desk.make(Line("done")) == "done"


def test_permissions_that_change_are_tried_at_once(desk: Desk) -> None:
    with pytest.raises(ChatRefused):
        desk.make(Line(answered(403, 50013)))
    desk.calls.forgive()
    assert desk.make(Line("done")) == "done"


def test_what_is_remembered_is_bounded(desk: Desk) -> None:
    for where in range(MOST_REMEMBERED + 1):
        with pytest.raises(ChatRefused):
            desk.make(Line(answered(403, 50001)), where=where)
    assert len(desk.calls._refusals) == 1


def test_a_closed_session_is_an_error_of_the_chat_and_a_bug_is_none(desk: Desk) -> None:
    with pytest.raises(ChatError, match="closed"):
        desk.make(Line(RuntimeError("Session is closed")))
    with pytest.raises(KeyError):
        desk.make(Line(KeyError("a bug")))


def test_what_nobody_waits_for_is_logged_but_for_limits(caplog: pytest.LogCaptureFixture) -> None:
    loop = asyncio.new_event_loop()
    try:
        unheard(loop, {"message": "nobody waited", "exception": discord.RateLimited(300.0)})
        assert not [one for one in caplog.records if one.levelno > logging.DEBUG]
        unheard(loop, {"message": "nobody waited", "exception": ValueError("a bug")})
        assert [one.levelname for one in caplog.records if "nobody waited" in one.message] == ["ERROR"]
    finally:
        loop.close()
