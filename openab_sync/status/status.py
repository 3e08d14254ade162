"""The status server, put together: its port, its key, its guard, its site, its streams and its threads.

open:   the port and the key, before anything else of the house is started: what is wrong there is told at once
start:  the threads; from now on it answers, whatever the chat service does
stop:   after the platforms, so that the end can be watched
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from flask import Blueprint

from ..clock import Clock, SystemClock
from ..config.schema import StatusConfig
from ..store.keys import STATUS_KEY, make_key, write_note
from .feed import Feed, events
from .guard import Guard
from .listen import Address
from .memory import Scales
from .metrics import Metrics, metrics
from .pulse import Pulse
from .server import Server
from .site import make_site
from .sources import Sources

__all__ = ["ADDRESS_FILE", "Status"]

log = logging.getLogger(__name__)

ADDRESS_FILE = "status.address"  # where it listens just now: the port may have been left to the system


class Status:
    """One status server."""

    def __init__(self, config: StatusConfig, folder: Path, *, clock: Clock | None = None) -> None:
        """Take the port and the key; `folder` is the store's. Blocks (disk).

        Raise ConfigError if the port cannot be had, StoreError if the key cannot be kept.
        """
        token = config.token or make_key(folder, STATUS_KEY)
        self._server = Server(Address.parse(config.listen))
        self.address = self._server.address
        self.guard = Guard(token, self.address, clock or SystemClock(), names=config.hosts)
        self._note = folder / ADDRESS_FILE
        self._has_page = config.page
        self._feed: Feed | None = None
        self._pulse = Pulse()
        self.beat = self._pulse.beat

    def start(self, sources: Sources, blueprints: Iterable[Blueprint] = ()) -> None:
        """Begin to answer, also at `blueprints`: the page's, if there is to be one. Main thread. Raise StoreError."""
        scales = Scales()
        sources = replace(sources, memory=lambda: scales.bytes)
        feed = self._feed = Feed(sources, self._pulse.wake)
        told = Metrics(sources)
        pages = (events(feed), metrics(told), *(blueprints if self._has_page else ()))
        write_note(self._note.parent, self._note.name, self.address.url)
        self._server.start(make_site(sources, self.guard, pages, has_page=self._has_page))
        self._pulse.start((feed.look, told.take_in), lambda: scales.weigh(_pids(sources)), lambda: len(feed) > 0)
        log.info("status at %s", self.address.url)

    def stop(self) -> bool:
        """End, bounded; return whether all of it ended by itself. Main thread; blocks; also without a start."""
        self._note.unlink(missing_ok=True)
        if self._feed is not None:
            self._feed.close()
        pulse_ended = self._pulse.stop()
        return self._server.stop() and pulse_ended


def _pids(sources: Sources) -> list[int]:
    """The agents' processes."""
    return [session.pid for session in sources.broker.snapshot().sessions if session.pid is not None]
