"""Where Discord is: its own servers, or a compatible one at `[discord] api_url`.

discord.py has two addresses, class attributes both: the root of its REST requests, and the gateway where there is no
better one to go to. `Redirect` sets them for as long as a platform runs; `survey` asks the root for the gateway's. Also
the two things of its behaviour that are changed there: how long it may wait between two attempts to reconnect, and that
it logs each.

**Threads**: the loop's, but for the pure functions. One platform a process: the attributes are everybody's.
"""

from __future__ import annotations

import logging
import random
from dataclasses import dataclass
from urllib.parse import urlsplit

import discord
import discord.client
import discord.gateway
import discord.http
import discord.shard
import yarl

__all__ = ["LONGEST_PAUSE", "Backoff", "Redirect", "Starts", "rest_root", "survey"]

VERSION = "/api/v10"
OWN_ROOT = f"https://discord.com{VERSION}"

# Where discord.py logs every attempt to reconnect, as an error with a traceback.
NOISY = ("discord.client", "discord.shard")

LONGEST_PAUSE = 60.0  # seconds; discord.py alone would wait up to 17 minutes after a long outage


def rest_root(api_url: str) -> str:
    """Return the root of REST requests for a configured `api_url`: "" is Discord's own, a bare origin gets a path."""
    if not api_url:
        return OWN_ROOT
    root = api_url.rstrip("/")
    return root if urlsplit(root).path else root + VERSION


class Backoff:
    """Pauses between attempts: longer each time up to a cap, never the same for two brokers, short again after peace.

    Has the shape of discord.py's own, in whose place it also stands while a `Redirect` is on.
    """

    cap = LONGEST_PAUSE
    first = 1.0

    def __init__(self) -> None:
        self._next = self.first

    def delay(self) -> float:
        """Return the seconds to wait now: between half and all of a span that doubles up to `cap`."""
        span, self._next = self._next, min(2 * self._next, self.cap)
        return random.uniform(span / 2, span)

    def reset(self) -> None:
        """All is well again."""
        self._next = self.first


def _is_news(record: logging.LogRecord) -> bool:
    """Whether a line of discord.py's is worth reading: that the connection is lost has been said once, in our words."""
    is_attempt = isinstance(record.msg, str) and record.msg.startswith("Attempting a reconnect")
    return not is_attempt or logging.getLogger(record.name).isEnabledFor(logging.DEBUG)


class Redirect:
    """discord.py as we need it, from `on` to `off`; then as it was before."""

    def __init__(self, api_url: str) -> None:
        self._root = rest_root(api_url)
        self._before: list[tuple[object, str, object]] = []

    def on(self) -> None:
        """Send REST requests to the configured root. Before the client logs in."""
        self._set(discord.http.Route, "BASE", self._root)
        self._set(discord.gateway.DiscordWebSocket, "DEFAULT_GATEWAY", discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY)
        self._set(discord.client, "ExponentialBackoff", Backoff)
        self._set(discord.shard, "ExponentialBackoff", Backoff)
        for name in NOISY:
            logging.getLogger(name).addFilter(_is_news)

    def off(self) -> None:
        """Restore what `on` and `survey` have changed."""
        while self._before:
            where, name, value = self._before.pop()
            setattr(where, name, value)
        for name in NOISY:
            logging.getLogger(name).removeFilter(_is_news)

    def _set(self, where: object, name: str, value: object) -> None:
        self._before.append((where, name, getattr(where, name)))
        setattr(where, name, value)


@dataclass(frozen=True, slots=True)
class Starts:
    """What the gateway says of new sessions: how many more there may be until `reset_after` seconds are over."""

    shards: int
    remaining: int
    reset_after: float


async def survey(client: discord.Client) -> Starts:
    """Ask the REST root where its gateway is, go there from now on, and return how often that may be done.

    Raise what discord.py raises. The client has logged in.
    """
    shards, url, limit = await client.http.get_bot_gateway()
    discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(url)
    return Starts(shards, limit["remaining"], limit["reset_after"] / 1000)
