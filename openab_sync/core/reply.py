"""The reply: how one turn looks in a conversation.

Draws a `Turn` through its `Edition` and hands the pages to `Delivery`; signs and questions have rooms of their own.
While the turn runs, the page that grows is drawn when an edit is due and not per event, and the newest text wins. Once
the turn is finished everything has to become exact: what is dropped on the way is never missed at the end. Text that
comes later still makes the reply live again, and it settles again.

`Limits.live` says how: "edit" as above; "once" posts pages when they are complete and edits nothing; "events" posts
nothing, the platform is told what happens and draws by itself. In the last two cases what it says so far is on record
only. It is asked once, when the reply begins. Where a message
can have buttons, the last page has one to stop the turn while it runs, and one to try again if it failed.

Threads: one, the session's. The platform completes its futures on threads of its own; their callbacks ring the
session's bell (`on_news`) and touch nothing else.
Locks: none.
Never: waits for the chat; has two message operations in flight; reports a page as delivered that is not.
"""

from __future__ import annotations

import logging
import math
import uuid
import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace

from ..acp import events as acp
from ..clock import Clock
from ..config.schema import ReactionsConfig
from ..errors import ChatError
from ..text.marks import literal
from .delivery import Address, Delivery
from .drawing import Drawing, file_of, media_name
from .edition import Edition
from .files import parts, size_text
from .floor import Floor
from .ledger import UNWRITTEN, Ledger
from .message import Inbound
from .passage import Passage
from .port import ChatPort, Controls, Decision, File, Notice, Question, Settled, TurnEnded, TurnStarted
from .questions import Questions
from .record import Record
from .signs import Signs
from .tool import Tool
from .turn import Taken, Turn

__all__ = ["Reply"]

log = logging.getLogger(__name__)

# Where nobody sees an answer before it is whole, what it says so far is written down: after so many seconds, and then
# as often; of a long one so seldom that so many characters a second are written, whatever it grows to. One commit each;
# 20,000 characters take half a millisecond to draw, a million 26.
DRAFT = 3.0
DRAFTED = 50_000


class Reply:
    """One turn's reply. Session thread only; nothing here blocks or raises ChatError."""

    __slots__ = ("_buttons", "_clock", "_delivery", "_draft_at", "_drafted", "_drawn", "_edition", "_files",
                 "_footer", "_is_finished", "_limits", "_line", "_line_for", "_must_draw", "_passage", "_port",
                 "_questions", "_refs", "_signs", "_sooner", "_turn", "conversation", "record")  # fmt: skip

    def __init__(
        self,
        notes: tuple[Inbound, ...],
        port: ChatPort,
        clock: Clock,
        drawing: Drawing,
        reactions: ReactionsConfig,
        on_news: Callable[[], None],
        *,
        floor: Floor | None = None,
        ledger: Ledger = UNWRITTEN,
    ) -> None:
        """`notes` are the messages being answered, at least one; the reply is to the first.

        `floor` is shared by the replies of one conversation; what becomes of this one is written into `ledger`.
        """
        self.conversation = notes[0].conversation
        self._refs = tuple(note.ref for note in notes)
        self._port = port
        self._clock = clock
        self._limits = port.limits(self.conversation)
        # Answers that begin together go on at moments of their own: every conversation has another.
        self._sooner = self._limits.edit_spread * zlib.crc32(self.conversation.key.encode()) / 2**32
        # A turn run again for the same message is another one: its posts must not be taken for the first one's.
        turn = uuid.uuid4().hex
        address = Address(self.conversation, self._refs[0], turn)
        self._delivery = Delivery(address, port, clock, on_news, floor)
        self.record = Record(ledger, turn, notes, on_news, clock)
        self._edition = Edition(drawing, self._limits)
        self._passage = Passage(drawing.redact)
        self._signs = Signs(notes, port, reactions, clock, on_news)
        people = tuple(dict.fromkeys(note.sender for note in notes if not note.sender.is_bot))
        self._questions = Questions(self.conversation, port, people, on_news)
        self._buttons = Controls(turn=turn, about=self._refs, people=people)  # what they would belong to
        self._turn: Turn | None = None  # as last seen by refresh
        self._drawn = -1  # the turn's changes when it was last drawn
        self._files = 0  # of the edition's files, so many have been handed to delivery
        self._line = ""  # a reassurance below the text, until the agent gives a sign
        self._line_for = -1  # the turn's changes it was made for
        self._must_draw = False  # at once, whatever the pace
        self._drafted = -1  # the turn's changes when what it says so far was last written down
        self._draft_at = math.inf  # when that is to be done again
        self._is_finished = False
        self._footer = ""

    def __repr__(self) -> str:
        state = "settled" if self.is_settled else "finished" if self._is_finished else "live"
        return f"<Reply {self.conversation} {state} {self._delivery!r}>"

    # What happens.

    def begin(self) -> None:
        """The agent has got the prompt."""
        self._signs.begin()
        if self.record.keeps and self._limits.live != "edit":
            self._draft_at = self._clock.monotonic() + DRAFT
        if self._limits.live == "events":
            self._port.event(self.conversation, TurnStarted(self._refs))

    def forward(self, *events: Taken) -> None:
        """Tell a platform that draws by itself what has happened; others see it in the turn."""
        if self._limits.live == "events":
            for told in self._passage.through(*events):
                self._port.event(self.conversation, told)

    def reassure(self, turn: Turn, silent_for: float) -> None:
        """Say that the agent still works though it has been silent for so many seconds, until it gives a sign."""
        text = f"⏳ {turn.agent} is still at work; no sign from it for {_span(silent_for)}."
        if self._limits.live == "events":
            self._port.event(self.conversation, Notice(text))
        if self._limits.live != "edit" or self._is_finished:
            return
        self._line, self._line_for = f"*{text}*", turn.changes
        self._drawn = -1

    def refresh(self, turn: Turn) -> None:
        """Take in what the chat has answered, and start at most one message operation.

        To be called after events, when the bell has rung, and when `due` says so.
        """
        self._turn = turn
        self._delivery.land()
        if self._clock.monotonic() >= self._look_at(turn):
            self._draw(turn)
        if self._clock.monotonic() >= self._drafts_at(turn):
            self._draft(turn)
        self.record.look(self._delivery)
        if self.record.is_safe:
            self._delivery.start()
        self._signs.look(turn, asking=self._questions.is_open)
        if self._delivery.is_visible:
            self._signs.be_seen()
        if self.is_settled:
            self._signs.end(well=turn.outcome == "done" and self.failure is None)
        self._signs.refresh()
        if self.is_quiet:
            self.record.close(well=self.failure is None)

    def finish(self, turn: Turn, *, footer: str = "") -> None:
        """The turn is over: from now on everything has to become exact. `is_settled` says when it has."""
        if self._limits.live == "events" and not self._is_finished:
            for told in self._passage.rest():
                self._port.event(self.conversation, told)
            draft = self._edition.so_far(turn) if self.record.keeps else ""
            self.record.finish(turn.outcome or "failed", turn.explain(), self._delivery, draft)
            self._port.event(
                self.conversation,
                TurnEnded(self._refs, turn.outcome or "failed", turn.explain(), footer, turn.stop_reason, turn.seconds),
            )
        self._is_finished = self._must_draw = True
        self._footer = footer
        if self._limits.live != "events":
            self._draw(turn)  # whatever is in flight: what is to be delivered is on record before it is waited for
        self.refresh(turn)

    # What is so.

    def due(self) -> float:
        """Return the moment (monotonic seconds) at which `refresh` wants to be called; infinite: on the bell only."""
        now = self._clock.monotonic()
        if self._turn is None or self._delivery.has_news:
            return now
        starts_at = self.record.safe_at if self._delivery.has_work else math.inf
        return max(now, min(starts_at, self._look_at(self._turn), self._drafts_at(self._turn), self._signs.due()))

    def hand_over(self, turn: Turn) -> Sequence[str]:
        """Nobody looks after it any more: its last signs go at once. Return its turn if it is on record and not out."""
        if not self.is_settled and self._is_finished:  # its signs come when it is out
            return [self._buttons.turn] if self.record.keeps else []
        self._signs.end(well=self.is_settled and turn.outcome == "done" and self.failure is None)
        self._signs.hand_over()
        if self.is_settled:
            self.record.close(well=self.failure is None)
        return []

    @property
    def is_settled(self) -> bool:
        """The reply is finished, and all of it is delivered or has failed for good (`failure`). Signs may follow."""
        if not self._is_finished or self._turn is None:
            return False
        if self._limits.live == "events":
            return True
        return not self._must_draw and self._turn.changes == self._drawn and self._delivery.is_settled

    @property
    def is_drawn(self) -> bool:
        """It is drawn every now and then, not as things happen."""
        return self._limits.live != "events"

    @property
    def is_quiet(self) -> bool:
        """Settled, and the signs are as they will stay: nothing is ever due again unless late text comes."""
        return self.is_settled and self._signs.is_quiet

    @property
    def failure(self) -> ChatError | None:
        """Why something of the reply could not be delivered, None if nothing has failed."""
        return self._delivery.failure

    # Questions.

    def ask(self, asked: acp.Asked, tool: Tool | None, timeout: float) -> Question:
        """Put the agent's question to people; `tool` is what the turn knows of that call, `timeout` in seconds."""
        return self._questions.ask(asked, tool, timeout)

    @property
    def asked(self) -> tuple[Question, ...]:
        """The questions that people have before them."""
        return self._questions.asked

    def decide(self, question_id: str, decision: Decision) -> bool:
        """Take a decision that was made elsewhere; False if no such question waits for one."""
        return self._questions.decide(question_id, decision)

    def elicit(self, asked: acp.Elicited, agent: str, timeout: float) -> Question:
        """Put a form or an address of the agent's to people; `timeout` in seconds."""
        return self._questions.elicit(asked, agent, timeout)

    def decisions(self) -> list[tuple[acp.RequestId, Decision | ChatError]]:
        """Return what people decided since the last call, or why they could not be asked."""
        return self._questions.decisions()

    def settle(self, request_id: acp.RequestId, text: str) -> None:
        """Close a question, however it was decided; unknown or closed ones are no matter."""
        question = self._questions.settle(request_id, text)
        if question is not None and self._limits.live == "events":
            self._port.event(self.conversation, Settled(question, text))

    # Drawing.

    def _look_at(self, turn: Turn) -> float:
        """Return the moment at which the turn is worth drawing again; inf: not before something happens."""
        if self._limits.live == "events" or self._delivery.is_busy:
            return math.inf
        if self._must_draw:
            return -math.inf
        if turn.changes == self._drawn and not self._delivery.forgot:
            return math.inf
        if self._limits.live == "once" or self._edition.is_closed:
            # Late text: what comes together is posted together.
            return turn.last_event + self._limits.edit_interval if self._is_finished else math.inf
        if self._delivery.live_at is None:
            return -math.inf
        return self._delivery.live_at + self._limits.edit_interval - self._sooner

    def _draw(self, turn: Turn) -> None:
        """Write what is new and tell delivery what the pages should be."""
        edition, self._must_draw = self._edition, False
        if self._delivery.live_at is not None:
            self._sooner = 0.0  # from the second on they come in their interval, and stay apart
        live: list[str] = []
        if self._limits.live != "once" and not edition.is_closed:
            live = edition.write(turn, self._ending(turn))
        if self._limits.live == "once" or edition.is_closed or (self._is_finished and edition.is_long):
            # What is posted stays: late text gets pages of its own, without the ending that stands above it.
            edition.close(turn, "" if edition.is_closed else self._ending(turn))
            live = []
        self._drawn = turn.changes
        self._send_files(turn)
        self._delivery.want(edition.pages, live, is_final=self._is_finished, controls=self._controls(turn))
        if self._is_finished:
            self.record.finish(turn.outcome or "failed", turn.explain(), self._delivery)

    def _drafts_at(self, turn: Turn) -> float:
        """Return the moment at which what the turn says so far is to be written down; inf: not before more happens."""
        is_due = turn.outcome is None and turn.changes != self._drafted and self.record.takes_drafts
        return self._draft_at if is_due else math.inf

    def _draft(self, turn: Turn) -> None:
        """Write down what the turn says so far."""
        text, self._drafted = self._edition.so_far(turn), turn.changes
        self._draft_at = self._clock.monotonic() + max(DRAFT, len(text) / DRAFTED)
        if text.strip():
            self.record.draft(text)

    def _ending(self, turn: Turn) -> str:
        """Return what stands below the text now."""
        if self._is_finished:
            return self._edition.drawing.ending(turn.explain(), self._footer)
        return self._line if turn.changes == self._line_for else ""

    def _controls(self, turn: Turn) -> Controls | None:
        """Return the buttons that the last page should have now."""
        if not self._limits.controls:
            return None
        if turn.outcome is None:
            return replace(self._buttons, stop=True)
        if self._is_finished and turn.outcome not in {"done", "cancelled"}:
            return replace(self._buttons, retry=True)
        return Controls()

    def _send_files(self, turn: Turn) -> None:
        """Hand files of the answer to delivery, each behind the page that speaks of it."""
        most = self._limits.file_size
        for page, item in self._edition.files[self._files :]:
            self._files += 1
            if isinstance(item, File):
                for part in parts(item, most):
                    self._delivery.upload(page, part)
                continue
            try:
                file = file_of(item)
            except ValueError as error:
                log.warning("%s: %s cannot be read: %s", self.conversation, media_name(item), error)
                turn.take(Notice(f"The file {literal(media_name(item))} could not be read, so it was not sent."))
                continue
            if file is not None and most and len(file.data) > most:
                sizes = f"has {size_text(len(file.data))}, files here may have {size_text(most)}"
                turn.take(Notice(f"The file {literal(file.name)} {sizes}: it was not sent."))
            elif file is not None:
                self._delivery.upload(page, file)


def _span(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
