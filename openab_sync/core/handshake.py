"""Shaking hands with an agent outside of any conversation: does it start, what can it do, how long does it take?

The way of a session's beginning, with nobody's bell and nobody's orders: for `check`, `setup` and `login`. Blocks, on
the caller's thread: starting takes as long as the configured patience allows, ending some seconds at most.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ..acp.events import AuthMethod, Option
from ..clock import Deadline
from ..threads import Bell
from .agent import Agent
from .calls import Calls
from .house import House, Memory
from .starting import Starting

__all__ = ["Handshake", "shake_hands", "ways_in"]

LOGGING_IN = 600.0  # seconds that somebody has for what the agent opens in their browser


@dataclass(frozen=True, slots=True)
class Handshake:
    """An agent that works: what it calls itself, how long it took, what it can do, and what it lets people choose.

    `notices` are the sentences that people would read at the head of its first reply.
    """

    name: str
    version: str
    pid: int | None
    seconds: float
    can: tuple[str, ...]
    options: tuple[Option, ...]
    notices: tuple[str, ...]


def shake_hands(house: House, log_in: str = "") -> Handshake:
    """Start the agent, open a session, end it; with `log_in`, the id of a method that it handles itself, log in first.

    Blocks; raise AgentError (AuthRequired if somebody must log in).
    """
    began = house.clock.monotonic()
    with _met(house) as (agent, calls):
        peer, pool, cwd = agent.peer, house.config.pool, agent.launch.cwd
        notices: list[str] = []
        if log_in:
            calls(peer.initialize(), pool.initialize_secs, "initialize")
            calls(peer.authenticate(log_in), LOGGING_IN, "authenticate")
            calls(peer.new_session(cwd, house.mcp_servers), pool.new_session_secs, "session/new")
        else:
            notices = Starting(peer, house, calls, lambda _: None).begin(Memory(cwd=cwd))
        can = tuple(name for name in peer.capabilities.__dataclass_fields__ if getattr(peer.capabilities, name))
        seconds = house.clock.monotonic() - began
        return Handshake(agent.name, peer.agent_version, agent.pid, seconds, can, peer.options, tuple(notices))


def ways_in(house: House) -> tuple[AuthMethod, ...]:
    """Return the ways to log in that the agent names. Blocks; raise AgentError."""
    with _met(house) as (agent, calls):
        calls(agent.peer.initialize(), house.config.pool.initialize_secs, "initialize")
        return agent.peer.auth_methods


@contextmanager
def _met(house: House) -> Iterator[tuple[Agent, Calls]]:
    """An agent process that is there until the block ends, and the way to ask it something."""
    bell = Bell()
    bell.open()
    agent = Agent(house, "", bell, bell.ring)

    def pump(done: Callable[[], bool], seconds: float | None = None) -> bool:
        deadline = Deadline(house.clock, seconds)
        while not done():
            if deadline.expired:
                return False
            agent.wait(deadline.left, coast=0.0)
            bell.hush()
        return True

    try:
        agent.start()
        yield agent, Calls(agent, pump, house.clock, lambda: None)
    finally:
        agent.stop()
        bell.close()
