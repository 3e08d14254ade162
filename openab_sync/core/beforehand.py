"""What an agent wants filled in or opened while somebody logs it in: there is no turn yet to which it could belong.

It is put to those who log in, as in a turn (`asking`), and answered once: by them, or with cancelled when nobody has
answered in time, when the login is over, and where nobody can be asked.

Session thread only; never blocks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ..acp import events as acp
from ..acp.elicitation import CANCEL
from ..acp.peer import AcpPeer
from ..clock import Deadline
from ..errors import ChatError
from ..text.clean import one_line
from .forms import FILL, OPEN, result_of
from .house import House
from .message import Conversation, Person
from .port import ChatPort, Decision
from .questions import Questions

__all__ = ["Beforehand"]

MOST = 5  # open at once
ASKED = 500  # characters of what is asked for, on record
SAID = {FILL.option_id: "Filled in", OPEN.option_id: "Opened"}


@dataclass(slots=True)
class Beforehand:
    """The questions of one login. `ring` wakes the session, from any thread."""

    conversation: Conversation
    house: House
    port: ChatPort
    peer: AcpPeer
    people: tuple[Person, ...]
    ring: Callable[[], None]
    _questions: Questions = field(init=False)
    _open: list[tuple[acp.Elicited, Deadline]] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self._questions = Questions(self.conversation, self.port, self.people, self.ring)

    def elicit(self, asked: acp.Elicited) -> None:
        """Put it to people, or answer it."""
        if len(self._open) >= MOST or not self.port.limits(self.conversation).can_ask:
            self.peer.fill(asked.request_id, CANCEL)
            return
        seconds = self.house.config.permissions.timeout_secs
        self._open.append((asked, Deadline(self.house.clock, seconds)))
        self._questions.elicit(asked, self.peer.agent_title or self.house.agent_name, seconds)

    def tend(self) -> None:
        """Hand on what people decided, and what has taken too long."""
        for request_id, decision in self._questions.decisions():
            for asked in [asked for asked, _ in self._open if asked.request_id == request_id]:
                self._decided(asked, decision)
        for asked, deadline in list(self._open):
            if deadline.expired:
                self._answer(asked, CANCEL, "Nobody answered in time.")

    def withdrawn(self, request_id: acp.RequestId) -> None:
        """The agent took one back, and has its answer."""
        for item in [item for item in self._open if item[0].request_id == request_id]:
            self._open.remove(item)
            self._questions.settle(request_id, "The agent took the question back.")

    def end(self) -> None:
        """The login is over."""
        for asked, _ in list(self._open):
            self._answer(asked, CANCEL, "The login is over.")

    def next_at(self) -> float:
        """The moment (monotonic seconds) at which `tend` wants to be called; infinite: on the bell only."""
        return min((deadline.at for _, deadline in self._open), default=float("inf"))

    def _decided(self, asked: acp.Elicited, decision: Decision | ChatError) -> None:
        if isinstance(decision, ChatError):
            self._answer(asked, CANCEL, f"The question could not be shown ({decision.user_text()}).")
            return
        result = result_of(asked, decision)
        said = {"accept": SAID.get(decision.option_id, ""), "decline": "Declined"}.get(
            str(result["action"]), "Dismissed"
        )
        self._answer(asked, result, f"{said} — {decision.by.name or decision.by.id}", decision)

    def _answer(
        self, asked: acp.Elicited, result: dict[str, object], text: str, decision: Decision | None = None
    ) -> None:
        self._open = [item for item in self._open if item[0] is not asked]
        self.peer.fill(asked.request_id, result)
        question = self._questions.settle(asked.request_id, text)
        self.house.audit.permission(
            self.conversation,
            asked=one_line(self.house.redact(asked.message), ASKED),
            options=question.options if question is not None else (),
            chosen=decision.option_id if decision is not None else None,
            by=decision.by if decision is not None else None,
            why="" if decision is not None else text,
            tool=f"elicitation {asked.mode}",
        )
