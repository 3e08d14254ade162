"""Shaking hands with an agent outside of any conversation: does it start, what can it do, how long does it take?

The way of a session's beginning, with nobody's bell and nobody's orders: for `check`, `setup` and `login`. Blocks, on
the caller's thread: starting takes as long as the configured patience allows, ending some seconds at most.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..acp.events import Option
from ..clock import Deadline
from ..threads import Bell
from .agent import Agent
from .calls import Calls
from .house import House, Memory
from .starting import Starting

__all__ = ["Handshake", "shake_hands"]


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


def shake_hands(house: House) -> Handshake:
    """Start the agent, open a session, end it. Blocks; raise AgentError (AuthRequired if somebody must log in)."""
    bell = Bell()
    bell.open()
    agent = Agent(house, "", bell, bell.ring)
    clock, began = house.clock, house.clock.monotonic()

    def pump(done: Callable[[], bool], seconds: float | None = None) -> bool:
        deadline = Deadline(clock, seconds)
        while not done():
            if deadline.expired:
                return False
            agent.wait(deadline.left, coast=0.0)
            bell.hush()
        return True

    try:
        agent.start()
        calls = Calls(agent, pump, clock, lambda: None)
        starting = Starting(agent.peer, house, calls, lambda _: None)
        notices = starting.begin(Memory(cwd=agent.launch.cwd))
        peer, abilities = agent.peer, agent.peer.capabilities
        can = tuple(name for name in abilities.__dataclass_fields__ if getattr(abilities, name))
        seconds = clock.monotonic() - began
        return Handshake(agent.name, peer.agent_version, agent.pid, seconds, can, peer.options, tuple(notices))
    finally:
        agent.stop()
        bell.close()
