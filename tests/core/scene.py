"""A turn and its reply at a fake platform, with a clock that stands still: what the tests of this folder share."""

from __future__ import annotations

import functools

from openab_sync.acp import events as acp
from openab_sync.config.schema import ReactionsConfig
from openab_sync.core.drawing import Drawing
from openab_sync.core.ledger import UNWRITTEN, Ledger
from openab_sync.core.message import Conversation, Inbound, MessageRef, Person
from openab_sync.core.port import Limits, Outcome
from openab_sync.core.reply import Reply
from openab_sync.core.turn import Turn
from tests.fakes.clock import FakeClock
from tests.fakes.platform import FakePlatform

CONVERSATION = Conversation("fake", "1")
ANN = Person("7", "Ann")
BOT = Person("8", "Robot", is_bot=True)


def note(id: str = "m1", sender: Person = ANN) -> Inbound:
    return Inbound(MessageRef(CONVERSATION, id), sender, "hello")


def tool(call_id: str, title: str | None = None, status: str | None = None, kind: str | None = None) -> acp.ToolChanged:
    return acp.ToolChanged(call_id, title=title, status=status, kind=kind)


class Scene:
    """One reply: `say` and the like are the agent, `go` lets time pass and does what is due."""

    def __init__(
        self,
        limits: Limits | None = None,
        drawing: Drawing | None = None,
        reactions: ReactionsConfig | None = None,
        notes: tuple[Inbound, ...] | None = None,
        ledger: Ledger = UNWRITTEN,
    ) -> None:
        self.clock = FakeClock()
        self.platform = FakePlatform(self.clock, limits)
        self.notes = notes or (note(),)
        self.turn = Turn(self.notes, self.clock)
        self.bells = 0
        self.reply = Reply(
            self.notes,
            self.platform,
            self.clock,
            drawing or Drawing(),
            reactions or ReactionsConfig(enabled=False),
            functools.partial(self._ring),
            ledger=ledger,
        )
        self.reply.begin()
        self.refresh()

    def _ring(self) -> None:
        self.bells += 1

    def say(self, text: str, message_id: str | None = None) -> None:
        self.take(acp.Said(text, message_id))

    def take(self, *events: acp.Said | acp.Thought | acp.Media | acp.ToolChanged | acp.PlanChanged) -> None:
        for event in events:
            self.turn.take(event)
            self.reply.forward(event)
            self.refresh()

    def refresh(self) -> None:
        """Refresh for as long as the bell rings for it, as the session does."""
        bells = -1
        while bells != self.bells:
            bells = self.bells
            self.reply.refresh(self.turn)

    def go(self, seconds: float) -> None:
        """Let time pass and do what is due in it, at the moment it is due."""
        until = self.clock.monotonic() + seconds
        while (due := self.reply.due()) <= until:
            self.clock.advance(max(0.0, due - self.clock.monotonic()))
            before = len(self.platform.ops), self.bells
            self.refresh()
            stuck = self.reply.due() <= self.clock.monotonic() and before == (len(self.platform.ops), self.bells)
            assert not stuck, f"due for ever: {self.reply!r}"
        self.clock.advance(until - self.clock.monotonic())

    def end(self, outcome: Outcome = "done", reason: str = "", *, stop: str = "end_turn", footer: str = "") -> None:
        """The prompt is answered and the reply is to be finished."""
        self.turn.end(outcome, reason, stop_reason=stop)
        self.reply.finish(self.turn, footer=footer)
        self.refresh()

    def settled(self) -> bool:
        return self.reply.is_settled

    @property
    def texts(self) -> list[str]:
        return self.platform.texts(CONVERSATION)

    @property
    def reactions(self) -> list[str]:
        return self.platform.reactions.get(self.notes[0].ref, [])
