"""How a session begins: shake hands, take the ACP session up again or make a new one, set the options people chose.

Session thread only. `call` sends nothing itself: it waits, in the session's one wait, for the answer to a request that
the peer has written. An error *answer* to load or resume means that the agent has forgotten: start fresh and say so. A
time-out, a death or "log in first" keeps the ACP session id for the next try (FIELD D3). A success may be false: some
agents take up what they do not know, and refuse the first prompt (`anew`). What is to be remembered is kept the moment
it is known, not when the session ends (FIELD D2).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import replace

from ..acp.events import Answered
from ..acp.peer import AcpPeer
from ..errors import AgentError, AgentRefused, AuthRequired
from .asking_mode import mode_of, unasked, wish
from .explain import sentence
from .house import House, Memory

__all__ = ["Call", "Starting", "failed", "own"]

log = logging.getLogger(__name__)

KEPT = " What was said before is kept: the next message tries again, /reset begins anew."

Call = Callable[[int, float, str], Answered]
"""(request id, seconds, what) -> its answer; raises AgentRefused, AgentStalled, AgentGone."""


def own(memory: Memory, house: House) -> tuple[Memory, list[str]]:
    """Return what this house's agent may go on from, and sentences for people: nothing of what another one left."""
    if memory.agent in ("", house.agent_id):
        # Without a session, yet with earlier ones: it was taken to another conversation.
        gone = not memory.acp_session_id and memory.archive
        text = f"The earlier session of this conversation went on elsewhere: {house.agent_name} starts fresh."
        return memory, [text] if gone else []
    text = f"This conversation was begun with another agent: {house.agent_name} does not know what was said before."
    return Memory(archive=memory.archived().archive), [text] if memory.acp_session_id else []


def failed(error: AgentError, memory: Memory, house: House) -> str:
    """Return why an agent could not begin, for people: with what helps, and whether what it remembers is kept."""
    kept = KEPT if memory.acp_session_id and not isinstance(error, AuthRequired) else ""
    return sentence(error.user_text()) + house.advice(error) + kept


class Starting:
    """The handshake of one agent process. `keep` is told what to remember, as soon as it is known."""

    __slots__ = ("_call", "_house", "_keep", "_log_in", "_notices", "_peer", "is_resumed")

    def __init__(
        self,
        peer: AcpPeer,
        house: House,
        call: Call,
        keep: Callable[[Memory], None],
        log_in: Callable[[], bool] = lambda: False,
    ) -> None:
        """`log_in` has people log the agent in, and returns whether they have."""
        self._peer = peer
        self._log_in = log_in
        self._house = house
        self._call = call
        self._keep = keep
        self._notices: list[str] = []
        self.is_resumed = False
        """The agent has said that it goes on with the session that was remembered."""

    def begin(self, memory: Memory) -> list[str]:
        """Go on from `memory`, or begin anew; return sentences for the head of the next reply. Raise AgentError."""
        self._call(self._peer.initialize(), self._house.config.pool.initialize_secs, "initialize")
        try:
            return self._take_up(memory)
        except AuthRequired:
            if not self._log_in():
                raise
        return self._take_up(memory)

    def _take_up(self, memory: Memory) -> list[str]:
        self.is_resumed = memory.acp_session_id is not None and self._resume(memory)
        if self.is_resumed:
            memory = replace(memory, agent=self._house.agent_id)
            self._keep(memory)
            self._have_it_ask(memory, is_new=False)
            self._set_all(memory.options)
        else:
            self._open(memory)
        return self._notices

    def anew(self, memory: Memory) -> list[str]:
        """Begin anew although the agent has said that it goes on: it does not. Return sentences. Raise AgentError."""
        self._notices = [f"{self._name} did not know the earlier session after all: it starts fresh."]
        self._open(memory)
        return self._notices

    @property
    def _name(self) -> str:
        return self._peer.agent_title or self._house.agent_name

    def _open(self, memory: Memory) -> None:
        """Have a new session, with what people chose before."""
        pool = self._house.config.pool
        request = self._peer.new_session(memory.cwd, self._house.mcp_servers)
        self._call(request, pool.new_session_secs, "session/new")
        memory = replace(memory.archived(), acp_session_id=self._peer.session_id, agent=self._house.agent_id)
        self._keep(memory)
        self._have_it_ask(memory, is_new=True)
        self._set_all((*pool.default_config_options.items(), *memory.options))

    def _resume(self, memory: Memory) -> bool:
        """Take the old session up again; False if the agent cannot or has forgotten it."""
        peer, servers = self._peer, self._house.mcp_servers
        assert memory.acp_session_id is not None
        ways = {"session/resume": peer.resume_session} if peer.capabilities.resume else {}
        ways |= {"session/load": peer.load_session} if peer.capabilities.load else {}
        refusal: AgentRefused | None = None
        for what, way in ways.items():
            try:
                request = way(memory.acp_session_id, memory.cwd, servers)
                self._call(request, self._house.config.pool.new_session_secs, what)
            except AuthRequired:
                raise
            except AgentRefused as error:  # perhaps it can do the other
                log.warning("the session could not be resumed (%s): %s", what, error)
                refusal = error
            else:
                return True
        self._notices.append(
            f"{self._name} could not take up the earlier session ({refusal.user_text()}): it starts fresh."
            if refusal is not None
            else f"{self._name} cannot resume sessions: it starts fresh and does not know what was said before."
        )
        return False

    def _have_it_ask(self, memory: Memory, *, is_new: bool) -> None:
        """Put the agent into the mode in which it asks, if it is to ask and has one; else people are told, once."""
        house = self._house
        if house.config.permissions.mode != "ask":
            return
        defaults, chosen = house.config.pool.default_config_options, dict(memory.options)
        mode = mode_of(self._peer.options)
        is_set = is_new or (mode is not None and mode.id in chosen)
        wanted = wish(house.preset, self._name, self._peer.options, {**defaults, **chosen}, is_set=is_set)
        complaint = wanted.complaint
        if wanted.option_id:
            try:
                self._ask_for(wanted.option_id, wanted.value)
            except AgentRefused as error:
                complaint = unasked(self._name, wanted.value, error.user_text().rstrip("."))
        if complaint and complaint != memory.warned:
            self._notices.append(complaint)
            self._keep(replace(memory, warned=complaint))

    def _set_all(self, chosen: Iterable[tuple[str, str | bool]]) -> None:
        if self._peer.left_out:
            self._notices.append(f"MCP servers this agent cannot use were left out: {', '.join(self._peer.left_out)}.")
        for option_id, value in chosen:
            self._set(option_id, value)

    def _set(self, option_id: str, value: str | bool) -> None:
        try:
            self._ask_for(option_id, value)
        except AgentRefused as error:
            self._notices.append(f"{option_id} could not be set to {value}: {error.user_text()}")

    def _ask_for(self, option_id: str, value: str | bool) -> None:
        """Have an option set. Raise AgentRefused."""
        request = self._peer.set_option(option_id, value)
        self._call(request, self._house.config.pool.request_secs, f"set {option_id}")
