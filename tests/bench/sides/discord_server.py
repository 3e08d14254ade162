"""The fake Discord in a process of its own, for `sides.discord`: says where it is, and serves until its stdin ends."""

from __future__ import annotations

import json
import sys

from tests.fakes.discord import Server

__all__: list[str] = []

BEAT = 0.2  # seconds between two heartbeats that the gateway asks for; Discord itself says 41


def main(rooms: int) -> None:
    """Serve a guild with so many channels."""
    server = Server()
    server.gateway.heartbeat_interval = BEAT
    channels = [server.add_channel(f"room-{number}") for number in range(rooms)]
    with server:
        where = {"origin": server.origin, "token": server.token, "channels": [str(one.id) for one in channels]}
        print(json.dumps(where), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main(int(sys.argv[1]))
