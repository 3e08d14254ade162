"""A connection on a desk: with a script for an agent, a simple peer, a bell, and a note of what was heard."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable

from openab_sync.acp.connection import Connection
from openab_sync.acp.environment import agent_environment
from openab_sync.acp.events import Event, Said
from openab_sync.acp.process import Ladder, Launch
from openab_sync.clock import Clock, SystemClock
from openab_sync.errors import AgentError, AgentProtocolError
from openab_sync.threads import Bell
from tests.waiting import MS

BRISK = Ladder(eof_grace=50 * MS, term_grace=50 * MS, kill_grace=20)
SLEEP = "import time; time.sleep(600)"
DEAF = f"print('ready'); {SLEEP}"


class LinePeer:
    """Says each line it hears; "!bad" is a line that breaks the protocol. Like AcpPeer, but of the simplest kind."""

    def __init__(self) -> None:
        self.outgoing = bytearray()
        self.closed = 0
        self._rest = b""

    def receive(self, data: bytes) -> list[Event]:
        *lines, self._rest = (self._rest + data).split(b"\n")
        if b"!bad" in lines:
            raise AgentProtocolError("a line that is not the protocol")
        return [Said(line.decode()) for line in lines]

    def close(self) -> None:
        self.closed += 1
        self.outgoing += b"bye\n"


class Desk:
    """A connection with all that belongs to it, and what was heard so far."""

    def __init__(self, script: str, clock: Clock) -> None:
        self.bell = Bell()
        self.bell.open()
        self.peer = LinePeer()
        self.heard: list[Event] = []
        env = agent_environment(os.environ, {}, [])
        launch = Launch(sys.executable, ("-S", "-E", "-u", "-c", script), "/", env, "test")
        self.connection = Connection(launch, self.peer, self.bell, clock)

    def wait(self, timeout: float = 10.0, *, listen: bool = True) -> list[Event]:
        events = self.connection.wait(timeout, listen=listen)
        self.heard += events
        return events

    def hear(self, count: int) -> list[str]:
        """Wait until `count` lines have come in all; return their text."""
        deadline = time.monotonic() + 20
        while len(self.heard) < count:
            assert time.monotonic() < deadline, f"heard only {self.heard}"
            self.wait()
        return [event.text for event in self.heard if isinstance(event, Said)]

    def fail(self) -> AgentError:
        """Wait until the connection fails; return how."""
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                self.wait(1.0)
            except AgentError as error:
                return error
        raise AssertionError(f"nothing has failed: {self.connection!r}")

    def texts(self) -> list[str]:
        return [event.text for event in self.heard if isinstance(event, Said)]

    def close(self) -> None:
        self.connection.end(BRISK)
        self.bell.close()


Open = Callable[..., Desk]


class Desks:
    """The desks that a test has opened."""

    def __init__(self) -> None:
        self._desks: list[Desk] = []

    def open(self, script: str, clock: Clock | None = None, *, start: bool = True) -> Desk:
        desk = Desk(script, clock or SystemClock())
        self._desks.append(desk)
        if start:
            desk.connection.start()
        return desk

    def close(self) -> None:
        for desk in self._desks:
            desk.close()
