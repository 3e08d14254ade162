"""Requests to Discord: tried again where that is safe, and not made where the answer is known to be no.

discord.py waits out rate limits and repeats what a server out of order has answered; what it leaves is a connection
that was cut, a server that is away, and a proxy's "too many". Everything asked here may be asked twice: posts carry a
nonce, the rest says how something shall be.

**Threads**: the loop's only.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import aiohttp
import discord

from ...clock import Clock
from ...errors import ChatError
from .errors import explain, is_forbidden, is_passing
from .tracing import asked

__all__ = ["FOREIGN", "Calls", "unheard"]

log = logging.getLogger(__name__)

T = TypeVar("T")

PAUSES = (0.1, 0.5, 2.0, 4.0, 8.0, 12.0)  # seconds between the attempts
WITHIN = 3.0  # seconds in which the last attempt begins, where nothing else is said
BANNED = 5.0  # seconds to wait where a proxy says "too many" and not for how long
# Discord bans an address that collects ten thousand refusals in ten minutes; this is how long one is remembered.
MEMORY = 60.0
MOST_REMEMBERED = 1000
# What discord.py itself has repeated for half a minute before it gave up.
REPEATED = (500, 502, 504, 524)
FOREIGN = (discord.DiscordException, aiohttp.ClientError, OSError, asyncio.TimeoutError, RuntimeError)


class Calls:
    """The one way to ask Discord for something."""

    def __init__(self, clock: Clock, sleep: Callable[[float], Awaitable[object]] = asyncio.sleep) -> None:
        self._clock = clock
        self._sleep = sleep
        # What was refused (what, where) and until when that is remembered.
        self._refusals: dict[tuple[str, int], tuple[float, ChatError]] = {}

    async def make(self, what: str, where: int, attempt: Callable[[], Awaitable[T]], within: float = WITHIN) -> T:
        """Await `attempt()`, again if need be; `what` (as in "I may not …") is tried in channel `where`.

        The last attempt begins within so many seconds; how long it takes is for the caller to bound.
        Raise ChatError: ChatRefused if it was refused, just now or a moment ago; ChatTimeout if its fate is not known.
        """
        self._recall(what, where)
        pauses, end = iter(PAUSES), self._clock.monotonic() + within
        while True:
            asked()
            try:
                return await attempt()
            except FOREIGN as error:
                least = _pause_before_another(error)
                pause = next(pauses, None) if least is not None else None
                if least is None or pause is None or self._clock.monotonic() + max(least, pause) > end:
                    raise self._remember(error, what, where) from error
                log.debug("Discord: trying again to %s in %d", what, where, exc_info=error)
            await self._sleep(max(least, pause))

    def forgive(self) -> None:
        """Forget what was refused: permissions have changed."""
        self._refusals.clear()

    def _recall(self, what: str, where: int) -> None:
        until, error = self._refusals.get((what, where), (0.0, None))
        if error is not None and self._clock.monotonic() < until:
            raise error.with_traceback(None)
        self._refusals.pop((what, where), None)

    def _remember(self, error: BaseException, what: str, where: int) -> ChatError:
        ours = explain(error, what)
        if is_forbidden(error):
            if len(self._refusals) >= MOST_REMEMBERED:
                self._refusals.clear()
            self._refusals[what, where] = (self._clock.monotonic() + MEMORY, ours)
            log.warning("Discord, channel %d: %s", where, ours)
        return ours


def unheard(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Take what nobody has waited for, as a loop's exception handler: it is logged, but for what is told elsewhere.

    discord.py wakes requests that wait for a limit with the error that they are then answered with anyway: whoever made
    one tells people and the log (`explain`), and a traceback beside it would look like a bug.
    """
    if isinstance(context.get("exception"), discord.RateLimited):
        log.debug("Discord: %s", context["exception"])
    else:
        loop.default_exception_handler(context)


def _pause_before_another(error: BaseException) -> float | None:
    """Return how many seconds another attempt has to wait at least; None if there should be none."""
    if isinstance(error, discord.RateLimited):
        return error.retry_after
    if isinstance(error, discord.HTTPException):
        if error.status == 429:  # discord.py waits where Discord itself says it
            return _retry_after(error)
        return 0.0 if error.status >= 500 and error.status not in REPEATED else None
    return 0.0 if is_passing(error) else None


def _retry_after(error: discord.HTTPException) -> float:
    said = str(error.response.headers.get("Retry-After", ""))
    return float(said) if said.isdecimal() else BANNED
