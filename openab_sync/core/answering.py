"""One turn being answered: what the agent says (`Turn`), how it looks (`Reply`), how long it may take (`Patience`),
and what it asks.

Session thread only; never blocks, holds no lock. The session feeds it events and asks it for the next due moment; it
decides nothing about the session's life: what patience finds due is returned to the session. Questions are answered
exactly once, with an option the agent offered or `cancelled`; while one is open at a person the ceiling stands still.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import cast

from ..acp import events as acp
from ..acp.convert import total_tokens
from ..acp.peer import AcpPeer
from .account import Account, Payer
from .asking import Asking, Ground
from .budget import Hit
from .drawing import Drawing
from .figures import Figure, turn_ended
from .floor import Floor
from .footer import footer
from .house import House, Usage
from .judging import Judge
from .luggage import unpacked
from .mail import Mail
from .message import Inbound
from .notices import offer_lift
from .patience import Due, Limits, Patience
from .port import ChatPort, Notice, Outcome, Question
from .prompt import blocks
from .reply import Reply
from .turn import Turn
from .veiled import VeiledPort

__all__ = ["Answering"]

# What a stop reason says about the turn; any other is the agent's own word, and no success.
OUTCOMES: dict[str, Outcome] = {
    "end_turn": "done",
    "cancelled": "cancelled",
    "refusal": "refused",
    "max_tokens": "limit",
    "max_turn_requests": "limit",
}


AUTH_REQUIRED = -32000
NOTHING = Usage()
NO_SUCH_THING = -32002  # ACP's error for what is not there

Spoken = acp.Said | acp.Thought | acp.ToolChanged
SPOKEN = frozenset({acp.Said, acp.Thought, acp.ToolChanged})  # what is the turn's in any case
BROUGHT = (acp.Said, acp.Thought, acp.ToolChanged, acp.Media, acp.Link, acp.PlanChanged)  # what takes memory
MB = 1024 * 1024


class Answering:
    """A turn and its reply, from the prompt to the last late page."""

    __slots__ = ("_account", "_asking", "_cancel", "_house", "_is_doubted", "_mail", "_peer", "_port", "_prompt_id",
                 "_tokens", "_was_locked", "is_unknown", "locked", "notes", "over", "patience", "redact", "reply",
                 "turn")  # fmt: skip

    def __init__(
        self,
        notes: tuple[Inbound, ...],
        house: House,
        port: ChatPort,
        peer: AcpPeer,
        on_news: Callable[[], None],
        *,
        judge: Judge,
        floor: Floor | None = None,
        before: Usage = NOTHING,
        is_new: bool = True,
    ) -> None:
        """`before` is what the session had used, `is_new` whether it began with us."""
        self.notes = notes
        self._mail: Mail | None = None  # files of this turn
        self._house = house
        self.redact = redact = house.redact.also(peer.session_id or "")  # whoever knows that id can resume the session
        port = self._port = VeiledPort(port, redact)
        self._peer = peer
        config, clock = house.config, house.clock
        most = config.limits.turn_mb * MB or math.inf
        self.turn = Turn(notes, clock, peer.agent_title or house.agent_name, most)
        drawing = Drawing.of(config, redact)
        self.reply = Reply(notes, port, clock, drawing, config.reactions, on_news, floor=floor, ledger=house.ledger)
        self.patience = Patience(patience_limits(house), clock)
        people = tuple(dict.fromkeys(note.sender for note in notes))
        ground = Ground(self.turn, self.reply, self.patience, people, self.notice, redact)
        self._asking = Asking(ground, house, port, peer, judge)
        payer = Payer(notes[0].sender.id, self.reply.conversation.key)
        self._account = Account(house.budget, lambda: house.config.limits, payer, before, is_new=is_new)
        self._tokens: int | None = None  # of the turn, as the agent's answer names them
        self.over: Hit | None = None  # the limit that the turn has passed
        self._prompt_id: int | None = None
        self._cancel: tuple[Outcome, str] | None = None  # how the turn ends once the agent has obeyed
        self._is_doubted = False  # whether the agent knows the session that it goes on with is still to be seen
        self.is_unknown = False  # it does not: nothing was done, the prompt can be sent again
        self.locked = ""  # it wants somebody to log in first, in its words: nothing was done either
        self._was_locked = False  # and has said so before: then it is an error

    # What the session looks at.

    @property
    def is_over(self) -> bool:
        """The agent has answered the prompt, or never will."""
        return self.turn.outcome is not None

    @property
    def is_cancelling(self) -> bool:
        return self._cancel is not None and not self.is_over

    @property
    def is_delivered(self) -> bool:
        """Everything there is to see is out, or has failed for good."""
        return self.reply.is_settled

    @property
    def is_quiet(self) -> bool:
        """Delivered, and the reactions are as they will stay."""
        return self.reply.is_quiet

    @property
    def is_seen(self) -> bool:
        """The answer has begun, and what comes of it is seen with the next edit, or at the end: not as it comes."""
        return self.turn.has_text and self.reply.is_drawn

    @property
    def questions(self) -> int:
        """How many questions are open at people."""
        return len(self._asking)

    @property
    def asked(self) -> tuple[Question, ...]:
        """Those questions."""
        return self.reply.asked

    @property
    def tool(self) -> str:
        """What the agent is doing with a tool now, "" for nothing."""
        tool = self.turn.current_tool
        return tool.label if tool is not None else ""

    def next_at(self) -> float:
        """The moment (monotonic seconds) at which `tend` wants to be called."""
        moments = [self.reply.due(), self._asking.next_at()]
        if not self.is_over:
            moments.append(self.patience.next_at())
        return min(moments, default=math.inf)

    # What happens.

    def begin(self, notices: Sequence[str], mail: Mail | None = None, *, is_doubted: bool = False) -> None:
        """Send the prompt; `notices` stand at the head of the reply. A turn that was cancelled before sends none.

        What is in the `mail` leaves with it. `is_doubted`: the agent may not know the session that it says it goes on
        with. If so, `is_unknown` becomes true.
        """
        if self._cancel is not None:
            self.end(*self._cancel)
            return
        self.reply.begin()
        self._mail = mail
        self._is_doubted = is_doubted
        if (hit := self._account.begin()) is not None:
            self.over = hit
            self._note_limit(hit, "the turn did not begin")
            self.end("limit", hit.text)
        else:
            self._prompt(notices)

    def again(self, notices: Sequence[str]) -> None:
        """Send the prompt once more: to another session, or after somebody has logged in."""
        self.is_unknown = self._is_doubted = False
        self.locked = ""
        if self._cancel is not None:
            self.end(*self._cancel)
        else:
            self._prompt(notices)

    def _prompt(self, notices: Sequence[str]) -> None:
        notes, lost = unpacked(self.notes)
        for text in (*notices, *lost):
            self.notice(text)
        self._prompt_id = self._peer.prompt([*blocks(notes), *(self._mail.announcement() if self._mail else [])])
        for note in self.notes:
            if note.arrived:
                self._house.observe(Figure.QUEUE_WAIT, self.turn.started - note.arrived, "")

    def notice(self, text: str) -> None:
        """Put a sentence of ours into the reply."""
        self.take(Notice(text))

    def reassure(self) -> None:
        """Say that the agent still works, though it has been silent for a while."""
        self.reply.reassure(self.turn, self.patience.silent_for)

    def take(self, *events: acp.Event | Notice) -> None:
        """Take in what the agent said, asked or answered."""
        self.patience.heard()
        if self.turn.is_full:  # it is being cancelled for that
            events = tuple(event for event in events if not isinstance(event, BROUGHT))
        if SPOKEN.issuperset(map(type, events)):  # nearly always: nothing has to be asked of each
            spoken = cast(tuple[Spoken, ...], events)
            self.turn.take(*spoken)
            self.reply.forward(*spoken)
            return
        for event in events:
            self._take(event)

    def _take(self, event: acp.Event | Notice) -> None:
        match event:
            case acp.Answered() | acp.Failed() if event.id == self._prompt_id and self._shows_ignorance(event):
                self.is_unknown = True
            case acp.Failed() if event.id == self._prompt_id and self._is_locked_out(event):
                self.locked = self._complaint(event)
            case acp.Answered() if event.id == self._prompt_id:
                self._answered(event)
            case acp.Failed() if event.id == self._prompt_id:
                outcome, reason = self._cancel or ("failed", self._complaint(event))
                self.end(outcome, reason)
            case acp.Asked():
                self._asking.take(event)
            case acp.Elicited():
                self._asking.elicit(event)
            case acp.ElicitationDone():
                self._asking.completed(event)
            case acp.AskWithdrawn():
                self._asking.withdrawn(event)
            case acp.Answered() | acp.Failed() | acp.Noise() | acp.OptionsChanged() | acp.CommandsChanged():
                pass  # the session's own
            case _:
                self.turn.take(event)
                self.reply.forward(event)

    def tend(self) -> tuple[Due, ...]:
        """Do what is due: decisions, questions that ran out, drawing. Return what patience wants of the session."""
        self._asking.tend()
        self.reply.refresh(self.turn)
        if self.is_over:
            return ()
        hit = self._account.look(self.turn)
        self._say_words()
        if hit is None or self._cancel is not None:
            return self.patience.due()
        self.over = hit
        self._note_limit(hit, "the turn was cancelled")
        return (Due.LIMIT, *self.patience.due())

    def goes_on(self) -> bool:
        """Whether the turn may pass the ceiling, because an admin has lifted the limits; it gets as much time again."""
        if self._account.is_lifted:
            self.patience.extend()
            return True
        return False

    def warn(self) -> None:
        """Say that the ceiling comes nearer."""
        if not self._account.is_lifted:
            minutes = self._house.config.pool.prompt_hard_timeout_secs / 60
            share = self._house.config.limits.soft_percent
            self._offer(f"⏳ This turn has taken {share} % of the {minutes:g} minutes that it may take.")

    def cancel(self, outcome: Outcome, reason: str) -> None:
        """Tell the agent to stop; every open question is answered `cancelled` (ACP, session/cancel)."""
        if self.is_over or self._cancel is not None:
            return
        self._cancel = (outcome, reason)
        if self._prompt_id is not None:
            self._peer.cancel()
        self._asking.stop(reason or "Cancelled.")
        self.patience.cancelled()

    def end(self, outcome: Outcome, reason: str, *, stop_reason: str = "", output_tokens: int | None = None) -> None:
        """The turn is over, however it came. Late text may still be taken in."""
        if not self.is_over:
            self.turn.end(outcome, reason, stop_reason=stop_reason, output_tokens=output_tokens)
            turn_ended(self._house.observe, self.turn)
            self._account.end(self.turn, self._tokens)
            self._say_words()
            if self.over is not None and self.over.whose:
                self._offer("An admin of mine can lift the limits until midnight.", self.over.whose)
            self._asking.end(reason or "The turn has ended.")

    def finish(self) -> None:
        """Make the reply exact; from now on it only waits for the chat. Blocks as a disk does, for files that leave."""
        if self._mail is not None:
            mail, self._mail = self._mail, None
            limits = self._port.limits(self.reply.conversation)
            for item in mail.collected(self._house.clock, limits, self.redact):
                self._take(item)
        line = ""
        if self._house.config.reply.footer:
            line = footer(self.turn, self._house.agent_name, current_model(self._peer.options))
        self.reply.finish(self.turn, footer=line)

    def hand_over(self) -> Sequence[str]:
        """Nobody looks after the reply any more: the chat gets its last signs at once.

        Return its turn if it is not out, but written down.
        """
        return self.reply.hand_over(self.turn)

    # How it is done.

    def _say_words(self) -> None:
        while self._account.words:
            hit = self._account.words.pop(0)
            self._house.audit.limit(self.reply.conversation, self.notes[0].sender, hit.limit, "nearly reached")
            if hit.whose:
                self._offer(f"⚠ {hit.text}", hit.whose)
            else:  # nobody can lift it
                self.notice(f"⚠ {hit.text}")

    def _offer(self, text: str, whose: str = "") -> None:
        """Say something about a limit, with a button for admins."""
        conversation = self.reply.conversation
        offer_lift(self._port, conversation, text, whose or conversation.key)

    def _note_limit(self, hit: Hit, what: str) -> None:
        self._house.audit.limit(self.reply.conversation, self.notes[0].sender, hit.limit, what)

    def _answered(self, answer: acp.Answered) -> None:
        stop = answer.stop_reason
        self._tokens = total_tokens(answer.result)
        outcome, reason = self._cancel or (OUTCOMES.get(stop, "failed"), "")
        hit = self._account.passed(self.turn) if self._cancel is None else None
        if hit is not None:  # it was so quick that nobody could look meanwhile
            self.over = hit
            self._note_limit(hit, "the turn had ended already")
            outcome, reason = "limit", hit.text
        self.end(outcome, reason, stop_reason=stop, output_tokens=answer.output_tokens)

    def _shows_ignorance(self, answer: acp.Answered | acp.Failed) -> bool:
        """Whether the agent does not know the session that it has taken up: it refuses without a word (hermes does)."""
        if not self._is_doubted or self._cancel is not None or not self.turn.is_empty:
            return False
        return answer.code == NO_SUCH_THING if isinstance(answer, acp.Failed) else answer.stop_reason == "refusal"

    def _is_locked_out(self, failed: acp.Failed) -> bool:
        """Whether somebody has to log in first: said once, for a turn in which nothing has been done."""
        if failed.code != AUTH_REQUIRED or self._cancel is not None or self._was_locked or not self.turn.is_empty:
            return False
        self._was_locked = True
        return True

    def _complaint(self, failed: acp.Failed) -> str:
        """Return an agent's error as people see it: with its code (FIELD B4, B5)."""
        text, code = failed.message, str(failed.code).replace("-", "−")
        return text if code in text else f"{text} ({code})"


def patience_limits(house: House) -> Limits:
    """Return the configured patience, in seconds."""
    pool = house.config.pool
    return Limits(
        liveness=pool.liveness_check_secs,
        ceiling=pool.prompt_hard_timeout_secs,
        cancel_grace=pool.cancel_grace_secs,
        silence=pool.silence_secs,
        hung_grace=pool.hung_grace_secs,
        warning=pool.prompt_hard_timeout_secs * house.config.limits.soft_percent / 100,
    )


def current_model(options: Sequence[acp.Option]) -> str:
    """Return the name of the model in use, "" if the agent does not say."""
    for option in options:
        if option.category == "model":
            names = {choice.value: choice.name for choice in option.choices}
            return names.get(str(option.value), str(option.value))
    return ""
