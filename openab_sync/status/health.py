"""`/healthz`: the process lives. `/readyz`: people can write to us. Both from what others have noted, in no time."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Blueprint, Response

from ..threads import late
from .answers import reply
from .guard import Access
from .routes import Route, serve
from .shapes import Health, Ready
from .sources import Sources

__all__ = ["health", "not_ready", "unheard"]

HEALTHZ = Route("GET", "/healthz", Access.OPEN, "Whether the process lives", Health, others={503: Health})
READYZ = Route("GET", "/readyz", Access.OPEN, "Whether people can write to us", Ready, others={503: Ready})


def health(sources: Sources) -> Blueprint:
    """Return the two routes."""
    pages = Blueprint("health", __name__)

    @serve(pages, HEALTHZ)
    def healthz() -> Response:
        reasons = unheard(sources)
        return reply(Health(not reasons, reasons), 503 if reasons else 200)

    @serve(pages, READYZ)
    def readyz() -> Response:
        reasons = list(not_ready(sources))
        return reply(Ready(not reasons, reasons), 503 if reasons else 200)

    return pages


def unheard(sources: Sources) -> list[str]:
    """Return a sentence for each thread that has not been heard of in time, or has died, sessions' included."""
    sessions = (session.beat for session in sources.broker.snapshot().sessions)
    return late((*sources.beats(), *sessions), sources.clock.monotonic())


def not_ready(sources: Sources) -> Iterator[str]:
    """Yield a sentence for each thing that keeps people from writing to us."""
    yield from sources.troubles()
    for presence in sources.presences():
        if presence.trouble:
            yield f"{presence.platform}: {presence.trouble}"
