"""What requests to Discord come to, told as figures: refused or lost, held back by rate limits, edits made.

discord.py waits out rate limits inside itself. What can be seen from outside is when a request is asked for and when it
goes out: the time in between is what the limits cost. `asked` marks the first, aiohttp's trace tells the rest.

**Threads**: the loop's only; the mark is the task's own.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from contextvars import ContextVar

import aiohttp

from ...core.figures import Figure, Observe

__all__ = ["asked", "trace"]

PLATFORM = "discord"
HELD = 0.05  # seconds from which on a request counts as held back

_MESSAGE = re.compile(r"/channels/\d+/messages/\d+")
_since: ContextVar[float | None] = ContextVar("since", default=None)  # when what goes out next could have gone out


def asked(now: float | None = None) -> None:
    """Mark that this task asks for something now (monotonic seconds)."""
    _since.set(time.monotonic() if now is None else now)


def trace(observe: Observe, now: Callable[[], float] = time.monotonic) -> aiohttp.TraceConfig:
    """Return what discord.py's session is to be traced with."""

    async def started(*_: object) -> None:
        since = _since.get()
        if since is not None and now() - since >= HELD:
            observe(Figure.RATE_LIMIT_WAIT, now() - since, PLATFORM)
        _since.set(None)

    async def ended(_: object, __: object, what: aiohttp.TraceRequestEndParams) -> None:
        status = what.response.status
        if status >= 400:
            observe(Figure.REST_FAULT, 1, str(status))
        elif what.method == "PATCH" and _MESSAGE.search(what.url.path):
            observe(Figure.EDIT, 1, PLATFORM)
        _since.set(now() if status == 429 else None)  # the next attempt of this task comes when it may

    async def failed(*_: object) -> None:
        observe(Figure.REST_FAULT, 1, "connection")
        _since.set(None)

    config = aiohttp.TraceConfig()
    config.on_request_start.append(started)
    config.on_request_end.append(ended)
    config.on_request_exception.append(failed)
    return config
