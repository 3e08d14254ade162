"""What requests come to: faults, edits, and what the limits cost. The whole way is in e2e/test_run.py."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from openab_sync.core.figures import Figure
from openab_sync.platforms.discord.tracing import HELD, asked, trace


class Road:
    """A session's trace, and what it tells. Time is what the test says."""

    def __init__(self) -> None:
        self.at = 100.0
        self.told: list[tuple[Figure, float, str]] = []
        self._trace = trace(lambda *figure: self.told.append(figure), lambda: self.at)
        self._trace.freeze()

    async def request(self, status: int, seconds: float = 0.1, method: str = "POST", path: str = "/channels/1") -> None:
        session: Any = None
        what: Any = SimpleNamespace()
        context = SimpleNamespace()
        await self._trace.on_request_start.send(session, context, what)
        self.at += seconds
        if not status:
            await self._trace.on_request_exception.send(session, context, what)
            return
        url = SimpleNamespace(path=path)
        answered: Any = SimpleNamespace(response=SimpleNamespace(status=status), method=method, url=url)
        await self._trace.on_request_end.send(session, context, answered)


def walked(walk: Callable[[Road], Any]) -> list[tuple[Figure, float, str]]:
    """What is told on a walk, as one task."""
    road = Road()
    asyncio.run(walk(road))
    return road.told


def test_a_request_that_goes_out_at_once_tells_nothing() -> None:
    async def walk(road: Road) -> None:
        asked(road.at)
        await road.request(200)
        road.at += 10
        await road.request(200)  # another one, that nobody has asked for here

    assert walked(walk) == []


def test_what_the_limits_cost_is_told() -> None:
    async def walk(road: Road) -> None:
        asked(road.at)
        road.at += 2 * HELD  # discord.py's own bucket
        await road.request(429)
        road.at += 3.0  # as Discord said
        await road.request(200)

    assert [(figure, round(value, 3)) for figure, value, _ in walked(walk)] == [
        (Figure.RATE_LIMIT_WAIT, 2 * HELD),
        (Figure.REST_FAULT, 1),
        (Figure.RATE_LIMIT_WAIT, 3.0),
    ]


def test_a_server_out_of_order_is_a_fault_and_its_pause_no_limit() -> None:
    async def walk(road: Road) -> None:
        asked(road.at)
        await road.request(502)
        road.at += 5.0
        await road.request(0)
        road.at += 5.0
        await road.request(404)

    assert [(figure, label) for figure, _, label in walked(walk)] == [
        (Figure.REST_FAULT, "502"),
        (Figure.REST_FAULT, "connection"),
        (Figure.REST_FAULT, "404"),
    ]


def test_edits_of_messages_are_counted() -> None:
    async def walk(road: Road) -> None:
        await road.request(200, method="PATCH", path="/api/v10/channels/1/messages/2")
        await road.request(200, method="PATCH", path="/api/v10/channels/1")
        await road.request(404, method="PATCH", path="/api/v10/channels/1/messages/2")

    assert [figure for figure, _, _ in walked(walk)] == [Figure.EDIT, Figure.REST_FAULT]
