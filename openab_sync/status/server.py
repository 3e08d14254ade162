"""The server's threads: waitress, in threads of ours that have a name and an end.

`status-server` waits for connections and bytes and hands complete requests to `status-0` …, which answer them. Nothing
that the house does can hold them up: they look at snapshots and wait for nobody but their own clients.

**Threads**: `start` and `stop` are the main thread's. **Never**: a second way to stop than `stop`; a stream of events
that holds the last thread (see `feed`).
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

from flask import Flask
from waitress.channel import HTTPChannel
from waitress.server import create_server
from waitress.task import ThreadedTaskDispatcher

from ..clock import SystemClock
from ..threads import join_all, spawn
from .listen import Address, bind

__all__ = ["THREADS", "Server"]

THREADS = 20  # more than there are streams of events, pages that look, and changes that wait
CONNECTIONS = 48  # at once; the descriptors are reserved in `acp.environment`
IDLE_SECONDS = 60  # a connection on which nothing happens
BODY = 1 << 20  # bytes
HEADERS = 32 << 10  # bytes
PATIENCE = 3  # seconds for the threads to end


class _Threads(ThreadedTaskDispatcher):
    """Its threads are ours: named, and joined."""

    def __init__(self) -> None:
        super().__init__()
        self.spawned: list[threading.Thread] = []

    def start_new_thread(self, target: Callable[[int], object], thread_no: int) -> None:
        def serve() -> None:
            target(thread_no)

        self.spawned.append(spawn(f"status-{thread_no}", serve))


class Server:
    """Serves one site."""

    def __init__(self, address: Address) -> None:
        """Take the port. Raise ConfigError if it cannot be had."""
        self._socket = bind(address)
        self.address = Address(address.host, self._socket.getsockname()[1])
        self._threads = _Threads()
        self._thread: threading.Thread | None = None
        self._server: Any = None

    def start(self, site: Flask) -> None:
        """Begin to answer."""
        logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # a full house is no news here
        self._threads.set_thread_count(THREADS)
        self._server = create_server(
            site,
            sockets=[self._socket],
            _dispatcher=self._threads,
            threads=THREADS,
            ident=None,
            channel_request_lookahead=1,  # else nobody notices that a stream's reader is gone
            channel_timeout=IDLE_SECONDS,
            connection_limit=CONNECTIONS,
            max_request_body_size=BODY,
            max_request_header_size=HEADERS,
            asyncore_use_poll=True,
        )
        self._server.adj.send_bytes = 1  # an event is sent when it happens; as an argument it is deprecated
        self._thread = spawn("status-server", self._server.run)

    def stop(self) -> bool:
        """End it, bounded; return whether all threads came home. Whoever streams must have been told before."""
        if self._thread is None:
            self._socket.close()
            return True
        self._threads.shutdown(timeout=PATIENCE)
        self._server.trigger.pull_trigger(self._close_all)
        return not join_all([self._thread, *self._threads.spawned], SystemClock(), PATIENCE)

    def _close_all(self) -> None:
        """On `status-server`: with nothing left to wait for, its loop ends."""
        for item in list(self._server._map.values()):
            if isinstance(item, HTTPChannel):
                item.handle_close()  # wakes who waits to send more
            else:
                item.close()
