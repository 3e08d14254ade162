"""Requests of ours that are waited for, while a session begins: in the session's one wait, so that orders are obeyed
meanwhile.

Session thread only. `pump` is `Session._pump`: it waits until something is so, or for so many seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from ..acp import events as acp
from ..clock import Clock, Deadline
from ..errors import AgentStalled
from .agent import Agent

__all__ = ["Calls", "Pump"]

SLOW = 8.0  # seconds after which people who wait are told that it still starts; 46 s have been seen
SETTLING = 5.0  # seconds at most for history that comes after the answer to load


class Pump(Protocol):
    """The session's one wait."""

    def __call__(self, done: Callable[[], bool], seconds: float | None = None) -> bool:
        """Wait until `done`; False if the seconds ran out first. Raise AgentError, or Ending for an order."""


class Calls:
    """Asks and waits. `on_slow` is called once if the answers take long."""

    __slots__ = ("_agent", "_clock", "_is_told", "_on_slow", "_pump", "_slow")

    def __init__(self, agent: Agent, pump: Pump, clock: Clock, on_slow: Callable[[], None]) -> None:
        self._agent = agent
        self._pump = pump
        self._clock = clock
        self._on_slow = on_slow
        self._slow = Deadline(clock, SLOW)
        self._is_told = False

    def __call__(self, request_id: int, seconds: float, what: str) -> acp.Answered:
        """Wait for the answer to a request; raise AgentRefused, AuthRequired, AgentStalled or AgentGone."""
        deadline = Deadline(self._clock, seconds)
        is_there = self._agent.expect(request_id)
        try:
            if not self._is_told and not self._pump(is_there, min(self._slow.left, seconds)) and self._slow.expired:
                self._is_told = True
                self._on_slow()
            if not self._pump(is_there, deadline.left):
                raise self._agent.blame(AgentStalled, f"the agent did not answer {what} within {seconds:g} s")
            return self._agent.answer(request_id)
        finally:
            self._agent.give_up(request_id)

    def settle(self, heard: Callable[[], int], quiet: float) -> None:
        """Let an agent that replays history after its answer to load finish (66 messages seen): it is not shown.

        Returns when nothing was `heard` for `quiet` seconds, or after SETTLING.
        """
        deadline = Deadline(self._clock, SETTLING)
        before = -1
        while heard() != before and not deadline.expired:
            before = heard()
            self._pump(lambda: False, quiet)
