"""Logging in: an agent that wants it is logged in by those whose turn it is, in a way that it handles itself.

The ways come from the agent (`authMethods`). Those that need a terminal are named and never passed to it: that is
`openab-sync login`'s. What is chosen is asked for with `authenticate`; then whoever called tries again.

Session thread only; it waits in the session's one wait (`pump`), bounded.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass

from ..acp.events import AuthMethod, PermissionOption
from ..acp.peer import AcpPeer
from ..errors import AgentRefused
from ..text.clean import one_line, plain
from .beforehand import Beforehand
from .calls import Pump
from .delivery import outcome_of
from .house import House
from .message import Conversation, Person
from .port import ChatPort, Decision, Question
from .starting import Call
from .turns import Turns

__all__ = ["Login"]

log = logging.getLogger(__name__)

LATER = PermissionOption("", "Not now", "reject_once")
NAME = 100  # characters


@dataclass(frozen=True, slots=True)
class Login:
    """Asks, and has the agent do it. `ring` wakes the session, from any thread."""

    conversation: Conversation
    house: House
    port: ChatPort
    peer: AcpPeer
    pump: Pump
    call: Call
    ring: Callable[[], None]
    turns: Turns

    @property
    def patience(self) -> float:
        """Seconds that it may take in all: for people, and for the agent."""
        return 2 * self.house.config.permissions.timeout_secs

    def __call__(self, people: tuple[Person, ...], is_off: Callable[[], bool] = lambda: False) -> bool:
        """Return whether somebody of these people has logged the agent in; what went wrong is told.

        `is_off`: nobody wants it any more. Raise AgentStalled or AgentGone.
        """
        ways = [way for way in self.peer.auth_methods if not way.needs_terminal]
        if not ways or not people or not self.port.limits(self.conversation).can_ask:
            return False
        question = self._question(ways, people)
        answer = self.port.ask(question)
        answer.add_done_callback(lambda _: self.ring())
        self.pump(lambda: answer.done() or is_off(), question.timeout)
        decision = _decision(answer)
        way = next((one for one in ways if decision is not None and one.id == decision.option_id), None)
        if way is None or decision is None:
            who = f" — {decision.by.name or decision.by.id}" if decision is not None else ""
            self.port.settle(question, f"Not logged in{who}.")
            return False
        return self._log_in(question, way, decision.by)

    def _log_in(self, question: Question, way: AuthMethod, by: Person) -> bool:
        name, who = one_line(way.name, NAME), by.name or by.id
        self.house.audit.command(self.conversation, by, "login", way.id)
        log.info("%s: %s logs the agent in", self.conversation, by.id)
        asked = Beforehand(self.conversation, self.house, self.port, self.peer, question.asked_of, self.ring)
        self.turns.beforehand = asked
        try:
            self.call(self.peer.authenticate(way.id), self.house.config.permissions.timeout_secs, "authenticate")
        except AgentRefused as error:
            self.port.settle(question, f"{name} — {who}. It did not work: {one_line(error.user_text(), NAME)}")
            return False
        finally:
            self.turns.beforehand = None
            asked.end()
        self.port.settle(question, f"{name} — {who}")
        return True

    def _question(self, ways: list[AuthMethod], people: tuple[Person, ...]) -> Question:
        agent = self.peer.agent_title or self.house.agent_name
        lines = [f"- {_about(way)}" for way in ways]
        others = [way for way in self.peer.auth_methods if way.needs_terminal]
        lines += [f"- {_about(way)} (in a terminal: `openab-sync login`)" for way in others]
        options = (*(PermissionOption(way.id, way.name, "allow_once") for way in ways), LATER)
        seconds = self.house.config.permissions.timeout_secs
        title = one_line(f"{agent} wants somebody to log in", NAME)
        return Question(uuid.uuid4().hex, self.conversation, title, "\n".join(lines), options, people, seconds)


def _about(way: AuthMethod) -> str:
    return f"{one_line(way.name, NAME)}{f': {one_line(plain(way.description), 300)}' if way.description else ''}"


def _decision(answer: Future[Decision]) -> Decision | None:
    return outcome_of(answer)[0] if answer.done() else None
