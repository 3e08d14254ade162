"""How a session begins: shake hands, take the ACP session up again or make a new one, set the options people chose.

Session thread only. `call` sends nothing itself: it waits, in the session's one wait, for the answer to a request that
the peer has written. An error *answer* to load or resume means that the agent has forgotten: start fresh and say so. A
time-out, a death or "log in first" keeps the ACP session id for the next try (FIELD D3).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

from ..acp.events import Answered
from ..acp.peer import AcpPeer
from ..errors import AgentRefused, AuthRequired
from .house import House, Memory

__all__ = ["Call", "Starting"]

log = logging.getLogger(__name__)

Call = Callable[[int, float, str], Answered]
"""(request id, seconds, what) -> its answer; raises AgentRefused, AgentStalled, AgentGone."""


class Starting:
    """The handshake of one agent process."""

    def __init__(self, peer: AcpPeer, house: House, call: Call) -> None:
        self._peer = peer
        self._house = house
        self._call = call
        self._notices: list[str] = []

    def begin(self, memory: Memory) -> tuple[Memory, list[str]]:
        """Return what to remember now, and sentences for the head of the next reply."""
        pool = self._house.config.pool
        self._call(self._peer.initialize(), pool.initialize_secs, "initialize")
        resumed = memory.acp_session_id is not None and self._resume(memory)
        if not resumed:
            self._notices += [self._house.warning] if self._house.warning else []
            servers = self._house.mcp_servers
            self._call(self._peer.new_session(memory.cwd, servers), pool.new_session_secs, "session/new")
        if self._peer.left_out:
            self._notices.append(f"MCP servers this agent cannot use were left out: {', '.join(self._peer.left_out)}.")
        chosen = memory.options if resumed else (*pool.default_config_options.items(), *memory.options)
        for option_id, value in chosen:
            self._set(option_id, value)
        return replace(memory, acp_session_id=self._peer.session_id), self._notices

    def _resume(self, memory: Memory) -> bool:
        """Take the old session up again; False if the agent cannot or has forgotten it."""
        peer, servers, name = self._peer, self._house.mcp_servers, self._peer.agent_title or self._house.agent_name
        assert memory.acp_session_id is not None
        if peer.capabilities.resume:
            what = "session/resume"
            request = peer.resume_session(memory.acp_session_id, memory.cwd, servers)
        elif peer.capabilities.load:
            what = "session/load"
            request = peer.load_session(memory.acp_session_id, memory.cwd, servers)
        else:
            self._notices.append(
                f"{name} cannot resume sessions: it starts fresh and does not know what was said before."
            )
            return False
        try:
            self._call(request, self._house.config.pool.new_session_secs, what)
        except AuthRequired:
            raise
        except AgentRefused as error:
            log.warning("the session could not be resumed: %s", error)
            self._notices.append(
                f"{name} could not take up the earlier session ({error.user_text()}): it starts fresh."
            )
            return False
        return True

    def _set(self, option_id: str, value: str | bool) -> None:
        try:
            request = self._peer.set_option(option_id, value)
            self._call(request, self._house.config.pool.request_secs, f"set {option_id}")
        except AgentRefused as error:
            self._notices.append(f"{option_id} could not be set to {value}: {error.user_text()}")
