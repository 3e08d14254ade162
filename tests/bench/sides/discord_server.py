"""The fake Discord in a process of its own: says where it is, does what it is told, and serves until its stdin ends.

The first message to a conversation is a mention in a channel, from which the bot opens a thread; further ones are
written there.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from tests.bench.sides.ear import Ear, obey
from tests.fakes.discord import Server
from tests.fakes.discord.things import Channel
from tests.fakes.discord.world import Event

__all__: list[str] = []

BEAT = 0.2  # seconds between two heartbeats that the gateway asks for; Discord itself says 41
PATIENCE = 60.0  # seconds
UNLIMITED: dict[str, tuple[int, float]] = dict.fromkeys(
    ("global", "message", "edit", "delete", "reaction", "typing", "thread", "webhook"), (10_000, 1.0)
)


class Guild:
    """Who writes to the bot there, and reads what it says."""

    def __init__(self, server: Server) -> None:
        self.ear = Ear()
        self._server = server
        self._ann = server.user("ann")
        self._threads: dict[int, Channel] = {}
        server.world.listeners.append(self._hear)

    def _hear(self, event: Event) -> None:
        message = event.message
        if message is not None and message.author is self._server.app.user:
            self.ear.note(str(message.channel.id), str(message.id), message.content)

    def ready(self) -> dict[str, Any]:
        self._server.until_ready(PATIENCE)
        return {"at": time.monotonic_ns()}

    def place(self, room: int) -> str:
        return str(self._threads[room].id)

    def write(self, room: int, text: str) -> dict[str, Any]:
        if room in self._threads:
            self.ear.forget(self.place(room))
            at = time.monotonic_ns()
            self._ann.write(self._threads[room], text)
            return {"at": at}
        at = time.monotonic_ns()
        asked = self._ann.write("general", text, mentions=[self._server.app])
        self._server.until(lambda: asked.thread, PATIENCE, "a thread opens")
        assert asked.thread is not None
        self._threads[room] = asked.thread
        return {"at": at}


def main(rooms: int, *, limited: bool) -> None:
    """Serve a guild with so many channels, with Discord's own limits or such as nobody meets."""
    server = Server(limits=None if limited else UNLIMITED)
    server.gateway.heartbeat_interval = BEAT
    guild = Guild(server)
    channels = [server.add_channel(f"room-{number}") for number in range(rooms)]
    with server:
        where = {"origin": server.origin, "token": server.token, "channels": [str(one.id) for one in channels]}
        print(json.dumps(where), flush=True)
        obey(guild)


if __name__ == "__main__":
    main(int(sys.argv[1]), limited="unlimited" not in sys.argv)
