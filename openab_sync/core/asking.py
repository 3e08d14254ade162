"""The questions of one turn: judged, put to people where they have to decide, each answered exactly once.

An answer is an option that the agent offered, or `cancelled`. While a question is open at people the ceiling stands
still. Saying no is the agent's own rejecting option; `cancelled`, which ends whole turns in some agents, only without
one, and when the turn is over anyway.

Session thread only; never blocks but for a look at where paths lead (`judging`).
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from ..acp import events as acp
from ..acp.elicitation import DECLINE
from ..acp.peer import AcpPeer
from ..acp.permissions import rejecting
from ..acp.questions import Key, key_of
from ..clock import Deadline
from ..errors import ChatError
from ..text.clean import one_line
from .figures import Figure
from .forms import DECLINE as NO
from .forms import DISMISS, FILL, OPEN, host_of, result_of
from .house import House
from .judging import Judge, Standing, Verdict, option_for
from .message import Person
from .patience import Patience
from .port import ChatPort, Decision
from .reply import Reply
from .tool import Tool
from .turn import Turn

__all__ = ["LATE", "MOST", "Asking", "Ground"]

log = logging.getLogger(__name__)

ASKED = 500  # characters of what is asked for, on record
NAME = 150  # characters of an option's name where it is said who chose it: the whole of it stands above
LATE = 10  # questions after the end of a turn that people are told of
MOST = 50  # questions that are open at people at once: nobody reads more
Inquiry = acp.Asked | acp.Elicited
FORM_OPTIONS = (FILL, OPEN, NO, DISMISS)
ALWAYS = frozenset({"allow_always", "reject_always"})


@dataclass(frozen=True, slots=True)
class Ground:
    """What the questions of a turn need of it: what it knows of calls, how it looks, whose it is, how long it waits."""

    turn: Turn
    reply: Reply
    patience: Patience
    people: tuple[Person, ...]
    say: Callable[[str], None]  # a sentence of ours for the reply
    redact: Callable[[str], str]  # takes out what resumes the session, too


@dataclass(slots=True)
class _Open:
    """A question that people have before them."""

    asked: Inquiry
    deadline: Deadline


class Asking:
    """All questions of one turn."""

    __slots__ = ("_ground", "_house", "_is_flooded", "_is_stopping", "_judge", "_late", "_open", "_opened", "_peer",
                 "_port")  # fmt: skip

    def __init__(self, ground: Ground, house: House, port: ChatPort, peer: AcpPeer, judge: Judge) -> None:
        self._ground = ground
        self._house = house
        self._port = port
        self._peer = peer
        self._judge = judge
        self._open: dict[Key, _Open] = {}
        self._opened: dict[str, str] = {}  # addresses that somebody went to: by elicitation, the host
        self._is_stopping = False
        self._late = 0  # asked when the turn had ended
        self._is_flooded = False  # more was asked than can be open at once, and people know

    def __len__(self) -> int:
        """How many are open at people."""
        return len(self._open)

    def next_at(self) -> float:
        """The moment (monotonic seconds) at which `tend` wants to be called."""
        return min((item.deadline.at for item in self._open.values()), default=math.inf)

    def take(self, asked: acp.Asked) -> None:
        """The agent asks."""
        if self._ground.turn.is_full:  # it is being cancelled for that, and knows no more calls
            self._answer(asked, None, None, "the turn has brought too much")
            return
        self._ground.turn.take(asked.tool)
        self._ground.reply.forward(asked.tool)
        tool = self._ground.turn.tool(asked.tool.call_id)
        assert tool is not None  # the turn has just taken it in
        if self._ground.turn.outcome is not None:
            self._late += 1
            self._refuse(asked, tool, "the turn had ended", is_told=self._late <= LATE)
            if self._late == LATE:
                self._ground.say("🔒 Whatever else it asks for now is rejected without a word.")
        elif self._is_stopping:
            self._answer(asked, None, None, "the turn is being cancelled")
        elif len(self._open) >= MOST:
            self._refuse(asked, tool, f"{MOST} questions are open already", is_told=not self._is_flooded)
            self._is_flooded = True
        elif not asked.options:
            self._refuse(asked, tool, "the agent offers no answer")
        else:
            self._decide(asked, tool)

    def elicit(self, asked: acp.Elicited) -> None:
        """The agent wants a form filled in, or an address opened: people decide, whatever the rules are."""
        if self._ground.turn.outcome is not None or self._is_stopping:
            self._answer(asked, None, None, "the turn is over")
        elif len(self._open) >= MOST or not self._port.limits(self._ground.reply.conversation).can_ask:
            self._peer.fill(asked.request_id, DECLINE)
            self._note(asked, None, None, "nobody can be asked here")
        else:
            seconds = self._patience_for(asked)
            self._ground.reply.elicit(asked, self._ground.turn.agent, seconds)

    def completed(self, event: acp.ElicitationDone) -> None:
        """What an address was opened for has been done; an id that is not known, or no more, is no matter."""
        if (host := self._opened.pop(event.elicitation_id, None)) is not None:
            self._ground.say(f"🔗 Done: what was to be done on {host}.")

    def withdrawn(self, event: acp.AskWithdrawn) -> None:
        """The agent took a question back, or the turn ended with it: the peer has answered it already."""
        item = self._open.get(key_of(event.request_id))
        if item is not None:
            why = "The turn has ended." if event.turn_ended else "The agent took the question back."
            self._note(item.asked, None, None, why)
            self._close(event.request_id, why)

    def tend(self) -> None:
        """Carry out what people decided, and reject what nobody has."""
        for request_id, decision in self._ground.reply.decisions():
            self._decided(request_id, decision)
        for item in [item for item in self._open.values() if item.deadline.expired]:
            minutes = self._house.config.permissions.timeout_secs / 60
            self._reject(item.asked, f"Nobody answered within {minutes:g} minutes")

    def stop(self, why: str) -> None:
        """The turn is being cancelled: what is open and what still comes is answered `cancelled`."""
        self._is_stopping = True
        self.end(why)

    def end(self, why: str) -> None:
        """Nobody waits for answers any more; people are told `why`."""
        for item in list(self._open.values()):
            self._answer(item.asked, None, None, why)
            self._close(item.asked.request_id, why)

    # What becomes of a question.

    def _decide(self, asked: acp.Asked, tool: Tool) -> None:
        verdict = self._judge.judge(tool, self._ground.people)
        if verdict.then == "deny":
            self._refuse(asked, tool, verdict.why)
            return
        modes = [option for option in self._peer.options if "mode" in (option.category, option.id)]
        option = option_for(verdict, asked, tool.kind, modes) if verdict.then == "allow" else None
        if option is not None:
            self._answer(asked, option, None, verdict.why)
        elif self._port.limits(self._ground.reply.conversation).can_ask:
            self._put(asked, tool)
        else:
            self._refuse(asked, tool, self._nobody(verdict))

    @staticmethod
    def _nobody(verdict: Verdict) -> str:
        unfit = "no option that may be taken by itself is offered, and " if verdict.then == "allow" else ""
        return f"{unfit}nobody can be asked here"

    def _put(self, asked: acp.Asked, tool: Tool) -> None:
        self._ground.reply.ask(asked, tool, self._patience_for(asked))

    def _patience_for(self, asked: Inquiry) -> float:
        """Wait for people; return for how many seconds."""
        seconds = self._house.config.permissions.timeout_secs
        self._open[key_of(asked.request_id)] = _Open(asked, Deadline(self._house.clock, seconds))
        self._ground.patience.asking(len(self._open))
        return seconds

    def _decided(self, request_id: acp.RequestId, decision: Decision | ChatError) -> None:
        item = self._open.get(key_of(request_id))
        if item is None:
            return  # decided meanwhile by something else, and told so
        asked = item.asked
        if isinstance(decision, ChatError):
            self._reject(asked, f"The question could not be shown ({decision.user_text()})")
            return
        if isinstance(asked, acp.Elicited):
            self._filled(asked, decision)
            return
        chosen = next((option for option in asked.options if option.option_id == decision.option_id), None)
        if chosen is None:
            self._reject(asked, "The answer was none of the options")
            return
        self._answer(asked, chosen, decision.by, "")
        if chosen.kind in ALWAYS:
            tool = self._ground.turn.tool(asked.tool.call_id)
            about = one_line(tool.label if tool else asked.tool.call_id, NAME)
            self._judge.remember(Standing(decision.by, said=one_line(chosen.name, NAME), about=about))
        self._close(asked.request_id, f"{one_line(chosen.name, NAME)} — {decision.by.name or decision.by.id}")

    def _filled(self, asked: acp.Elicited, decision: Decision) -> None:
        """Somebody has filled in a form, opened an address, or would not."""
        result = result_of(asked, decision)
        option = next((one for one in FORM_OPTIONS if one.option_id == decision.option_id), DISMISS)
        said = {"accept": "Filled in" if asked.mode == "form" else "Opened", "decline": "Declined"}
        self._peer.fill(asked.request_id, result)
        self._note(asked, option, decision.by, "")
        if asked.mode == "url" and result["action"] == "accept":
            self._opened[asked.elicitation_id] = host_of(asked.url)
        text = said.get(str(result["action"]), "Dismissed")
        self._close(asked.request_id, f"{text} — {decision.by.name or decision.by.id}")

    def _refuse(self, asked: acp.Asked, tool: Tool, why: str, *, is_told: bool = True) -> None:
        """Say no without asking anybody, and tell people."""
        self._answer(asked, rejecting(asked.options), None, why)
        if is_told:
            self._ground.say(f"🔒 Rejected, {why}: {one_line(tool.label or asked.tool.call_id, 200)}")

    def _reject(self, asked: Inquiry, why: str) -> None:
        """Say no to a question that people had before them."""
        option = rejecting(asked.options) if isinstance(asked, acp.Asked) else None
        self._answer(asked, option, None, why)
        self._close(asked.request_id, f"{why}: {one_line(option.name, NAME) if option else 'cancelled'}.")

    def _answer(self, asked: Inquiry, option: acp.PermissionOption | None, by: Person | None, why: str) -> None:
        """Answer the agent: the one way out. `by` is who decided, `why` what did where it was nobody."""
        self._peer.answer(asked.request_id, option.option_id if option else None)
        self._note(asked, option, by, why)

    def _note(self, asked: Inquiry, option: acp.PermissionOption | None, by: Person | None, why: str) -> None:
        """Have it on record what a question was answered with, and who or what decided."""
        where = self._ground.reply.conversation
        decider = f"person {by.id}" if by is not None else why
        log.info("%s: a question was answered: %s (%s)", where, option.kind if option else "cancelled", decider)
        if isinstance(asked, acp.Elicited):
            about, kind = asked.message, f"elicitation {asked.mode}"
        else:
            tool = self._ground.turn.tool(asked.tool.call_id)
            about, kind = (tool.label, tool.kind) if tool else ("", "")
        redact, offered = self._ground.redact, FORM_OPTIONS if isinstance(asked, acp.Elicited) else asked.options
        self._house.audit.permission(
            where,
            asked=one_line(redact(about), ASKED),
            options=[replace(one, option_id=redact(one.option_id), name=redact(one.name)) for one in offered],
            chosen=redact(option.option_id) if option else None,
            by=by,
            why=redact(why),
            tool=redact(kind),
        )

    def _close(self, request_id: acp.RequestId, text: str) -> None:
        if (item := self._open.pop(key_of(request_id), None)) is not None:
            waited = self._house.config.permissions.timeout_secs - item.deadline.left
            self._house.observe(Figure.PERMISSION_WAIT, waited, "")
            self._ground.reply.settle(request_id, text)
            self._ground.patience.asking(len(self._open))
