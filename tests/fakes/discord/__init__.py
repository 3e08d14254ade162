"""Discord on loopback for tests: REST and gateway of API v10, people, faults; see README.rst beside this file."""

from tests.fakes.discord.actors import Actor
from tests.fakes.discord.calls import Request
from tests.fakes.discord.clock import ShiftedClock
from tests.fakes.discord.faults import Fault
from tests.fakes.discord.gateway import Gateway
from tests.fakes.discord.interactions import Interaction
from tests.fakes.discord.permissions import BOT, EVERYONE, Can
from tests.fakes.discord.server import Server
from tests.fakes.discord.things import (
    ANNOUNCEMENT,
    CATEGORY,
    DM,
    FORUM,
    PRIVATE_THREAD,
    PUBLIC_THREAD,
    TEXT,
    VOICE,
    Channel,
    Message,
)

__all__ = [
    "ANNOUNCEMENT", "BOT", "CATEGORY", "DM", "EVERYONE", "FORUM", "PRIVATE_THREAD", "PUBLIC_THREAD", "TEXT", "VOICE",
    "Actor", "Can", "Channel", "Fault", "Gateway", "Interaction", "Message", "Request", "Server", "ShiftedClock",
]  # fmt: skip
