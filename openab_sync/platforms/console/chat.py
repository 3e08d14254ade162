"""Several conversations in one terminal: what is typed goes to the current one, what the others say comes labelled.

**Threads**: `run` is the thread `chat-console`; it alone touches the rooms and tells the front what to show. It blocks
in `arrivals.get()` and is woken by whatever arrives; a None ends it. The front's own thread (the main one) calls the
methods under "any thread": they read `view`, an immutable picture replaced as a whole, and put into the queue.
**Locks**: none. **Never**: waiting for an agent, a Future or a person.
"""

from __future__ import annotations

import itertools
import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import TYPE_CHECKING, Protocol

from ...core.commands import COMMANDS
from ...core.events import Media, Said, Thought
from ...core.message import Attachment, Conversation, Inbound, MessageRef, Person
from ...core.port import Decision, Notice, Question, Settled, TurnStarted
from ...text.clean import one_line, plain
from .completion import Known
from .filling import Filling
from .port import PLATFORM, Arrival, AskedOf, Happened, SettledBy, Told, Typed
from .screen import Screen, Shown
from .status import View, is_busy, overview, session_of, status_line
from .style import Style
from .words import OWN, Order, mistyped, nearly, order

if TYPE_CHECKING:
    from ...core.broker import HouseSnapshot, Receipt
    from ...core.commands import CommandAnswer

__all__ = ["Chat", "Desk", "Front", "Setting"]

log = logging.getLogger(__name__)

NAME = 40  # characters of a conversation's name
FIRST = 200  # characters of the first line of a message whose turn begins
UNFINISHED = 2000  # characters of a line of another conversation that are held back


class Desk(Protocol):
    """What the chat needs of the broker. Any thread; never blocks."""

    def refusal(self, conversation: Conversation, by: Person) -> str:
        """Count a message; return why it is not taken, "" if it is within the limits."""

    def receive(self, inbound: Inbound) -> Receipt:
        """Take a message for an agent."""

    def withdraw(self, ref: MessageRef) -> bool:
        """Take back a message that still waits; False if it does not."""

    def command(self, conversation: Conversation, name: str, argument: str, by: Person) -> Future[CommandAnswer]:
        """Carry out what a person orders."""

    def snapshot(self) -> HouseSnapshot:
        """Say how the house looks."""


class Front(Protocol):
    """What shows text and takes what is typed. These are called on the thread `chat-console`."""

    def stream(self, text: str) -> None:
        """Append to the text of the current conversation; it may end in mid-line."""

    def lines(self, text: str) -> None:
        """Show whole lines without destroying what is being streamed or typed."""

    def echo(self, text: str) -> None:
        """Show what the person entered, if nobody else does."""

    def refresh(self) -> None:
        """Draw the status anew."""


@dataclass(frozen=True, slots=True)
class Setting:
    """Who talks, how it looks, what goes with the first message; `keep` saves a picture and says where."""

    person: Person
    style: Style
    shown: Shown
    attachments: tuple[Attachment, ...] = ()
    now: Callable[[], float] = time.monotonic
    keep: Callable[[Media], Media] = lambda media: media


@dataclass(slots=True)
class Room:
    """One conversation."""

    name: str
    conversation: Conversation
    screen: Screen
    filling: Filling = field(default_factory=Filling)  # how far the answer to the oldest question is
    unfinished: str = ""  # the piece of a line that was not shown, because another room is the current one
    questions: list[AskedOf] = field(default_factory=list)  # open ones, oldest first
    queued: dict[MessageRef, str] = field(default_factory=dict)  # what was not begun at once, in order
    settled: deque[str] = field(default_factory=lambda: deque(maxlen=16))  # questions whose end has been told


class Chat:
    """The conversations of one terminal."""

    def __init__(self, desk: Desk, arrivals: SimpleQueue[Arrival], front: Front, setting: Setting) -> None:
        self._desk = desk
        self._arrivals = arrivals
        self._front = front
        self._person = setting.person
        self._style = setting.style
        self._shown = setting.shown
        self._now = setting.now
        self._keep = setting.keep
        self._attachments = setting.attachments  # what still has to go with a message
        self._ids = itertools.count(1)
        self._rooms: dict[str, Room] = {}
        self._current = self._room("1")
        self.view = View(self._current.conversation, ("1",))

    # ---- any thread; never blocks ----

    def enter(self, text: str) -> None:
        """Take what the person typed."""
        self._arrivals.put(Typed(text))

    def cancel(self) -> None:
        """Stop the current conversation's turn, at once: not behind what waits to be shown."""
        self._order(self.view.conversation, Order("cancel"))

    def hint(self, text: str) -> None:
        """Show a sentence of ours."""
        self._arrivals.put(Happened(self.view.conversation, Notice(text)))

    @property
    def is_busy(self) -> bool:
        """Whether the current conversation's agent has something to do."""
        return is_busy(self.view.conversation, self._desk.snapshot())

    def known(self) -> Known:
        """Return what can be proposed to somebody who types."""
        session = session_of(self.view.conversation, self._desk.snapshot())
        commands = [(command.name, command.description) for command in session.commands] if session else []
        return Known(
            orders=[*_orders(), *commands],
            options=session.options if session else (),
            conversations=self.view.names,
            answers=self.view.answers,
        )

    def status(self, now: float) -> str:
        """Return the status line at `now`, a monotonic moment."""
        return status_line(self.view, self._desk.snapshot(), now)

    # ---- the thread chat-console only ----

    def run(self) -> None:
        """Show what arrives until a None does."""
        while (arrival := self._arrivals.get()) is not None:
            try:
                self._take(arrival)
            except Exception:  # the top of a thread: one odd event must not end the chat
                log.exception("the console could not show something")
            self._publish()
            if not (isinstance(arrival, Happened) and isinstance(arrival.event, (Said, Thought))):
                self._front.refresh()  # a word said changes nothing but the text

    def _take(self, arrival: Arrival) -> None:
        match arrival:
            case Happened(conversation, Settled(question, text)):
                self._settled(conversation, question, text)
            case Happened(conversation, event):
                room = self._room_of(conversation)
                self._show(room, room.screen.draw(self._keep(event) if isinstance(event, Media) else event))
                if isinstance(event, TurnStarted):
                    self._begun(room, event.refs)
            case AskedOf(question):
                room = self._room_of(question.conversation)
                room.questions.append(arrival)
                self._show(room, room.screen.question(question, self._hint(room)))
            case SettledBy(question, text):
                self._settled(question.conversation, question, text)
            case Told(conversation, text, ok):
                room = self._room_of(conversation)
                text = plain(text)  # names of options and choices are the agent's
                self._show(room, room.screen.block(text if ok else self._style.bad(text)))
            case Typed(text):
                self._typed(text)

    def _publish(self) -> None:
        current = self._current
        options = current.questions[0].question.options if current.questions else ()
        self.view = View(
            current.conversation,
            tuple(self._rooms),
            tuple(option.name for option in options),
            tuple(room.name for room in self._rooms.values() if room.questions),
        )

    # Rooms.

    def _room(self, name: str) -> Room:
        if name not in self._rooms:
            self._rooms[name] = Room(name, Conversation(PLATFORM, name), Screen(self._style, self._shown))
        return self._rooms[name]

    def _room_of(self, conversation: Conversation) -> Room:
        return self._room(conversation.id)

    def _show(self, room: Room, text: str) -> None:
        """Append to a room's text: the current one's as it comes, another one's by complete, labelled lines."""
        if room is self._current:
            if text:
                self._front.stream(text)
            return
        lines, newline, room.unfinished = (room.unfinished + text).rpartition("\n")
        if len(room.unfinished) > UNFINISHED:  # somebody writes without ever ending a line
            cut = room.unfinished.rfind(" ") + 1 or len(room.unfinished)
            lines, newline, room.unfinished = lines + newline + room.unfinished[:cut], "\n", room.unfinished[cut:]
        if newline:
            label = self._style.mark(f"[{room.name}]")
            labelled = [f"{label} {line}\n" for line in lines.split("\n") if line.strip()]
            self._front.lines("".join(labelled))

    def _switch(self, room: Room) -> None:
        if self._current.screen.is_mid_line and room is not self._current:
            self._front.stream("\n")
        self._current = room
        self._front.stream(self._style.mark(f"— [{room.name}] is the current conversation —") + "\n")
        for asked in room.questions:
            self._front.stream(Screen(self._style, self._shown).question(asked.question, self._hint(room)))
        unfinished, room.unfinished = room.unfinished, ""
        self._show(room, unfinished)

    # What is typed.

    def _typed(self, text: str) -> None:
        if not text.strip():
            return
        self._front.echo(text)
        known = {name for name, _ in _orders()} | {alias for spec in COMMANDS for alias in spec.aliases}
        given = order(text, known)
        if given is not None:
            self._obey(given)
        elif not self._answers(self._current, text) and not self._objects(text, known):
            self._send(text)

    def _objects(self, text: str, known: set[str]) -> bool:
        """Say so if `text` was meant to be an answer or an order of ours and is none; False if it is a message."""
        room = self._current
        if room.questions and nearly(text, room.questions[0].question.options):
            self._no_answer(room)
            return True
        session = session_of(room.conversation, self._desk.snapshot())
        meant = mistyped(text, known, {command.name for command in session.commands} if session else ())
        if meant is not None:
            self._say(f"did you mean /{meant}?")
        return meant is not None

    def _send(self, text: str) -> None:
        room = self._current
        if why := self._desk.refusal(room.conversation, self._person):
            self._say(why)
            return
        ref = MessageRef(room.conversation, str(next(self._ids)))
        attachments, self._attachments = self._attachments, ()
        receipt = self._desk.receive(Inbound(ref, self._person, text, attachments))
        if receipt.state in {"queued", "waiting"}:
            room.queued[ref] = text
        if receipt.state == "queued":  # what else there is to say has been told as a notice
            self._say(receipt.text)
        if room.questions:
            self._say(f"A question is open here: {self._hint(room)}")

    def _begun(self, room: Room, refs: tuple[MessageRef, ...]) -> None:
        """Say whose answer follows, if it was queued. What stands before it in the queue was dropped."""
        for text in [room.queued[ref] for ref in refs if ref in room.queued]:
            line = one_line(text.strip().partition("\n")[0], FIRST)
            self._show(room, room.screen.block(self._style.faint(f"> {line}")))
        while room.queued and any(ref in room.queued for ref in refs):
            del room.queued[next(iter(room.queued))]

    def _obey(self, given: Order) -> None:
        match given.name:
            case "new":
                self._new(given.argument)
            case "switch":
                self._go(given.argument)
            case "answer":
                self._answer(given.argument)
            case "status":  # the core's own words are for all platforms: here conversations have short names
                self._say(self._overview())
            case "help":
                self._say(_help(self.known()))
            case "quit":
                self._say("`/quit` stands alone on its line.")  # alone, the front has left already
            case _:
                self._order(self._current.conversation, given)

    def _order(self, conversation: Conversation, given: Order) -> None:
        """Give an order to the core; its answer arrives like everything else."""
        future = self._desk.command(conversation, given.name, given.argument, self._person)
        future.add_done_callback(lambda done: self._arrivals.put(_told(conversation, done)))

    def _new(self, name: str) -> None:
        name = one_line(name, NAME).replace(" ", "-") if name else ""
        if name in self._rooms:
            self._say(f"There is a conversation [{name}] already: `/switch {name}`")
            return
        free = (str(number) for number in itertools.count(2) if str(number) not in self._rooms)
        self._switch(self._room(name or next(free)))

    def _go(self, name: str) -> None:
        name = name.strip("[]")
        if name in self._rooms:
            self._switch(self._rooms[name])
            return
        head = f"There is no conversation [{name}]:" if name else "Conversations:"
        self._say(f"{head}\n{self._overview()}")

    def _overview(self) -> str:
        return overview(self.view, self._desk.snapshot(), self._now())

    # Questions.

    def _hint(self, room: Room) -> str:
        if room is self._current:
            return "answer with a number or a name"
        return f"`/switch {room.name}`, or `/answer {room.name}` and a number or a name"

    def _answer(self, argument: str) -> None:
        """`/answer N` is for the current conversation if it asks, else for the first that does; `NAME N` names it."""
        name, _, rest = argument.partition(" ")
        asking = [room for room in self._rooms.values() if room.questions]
        if name.strip("[]") in self._rooms and rest.strip():
            room, text = self._rooms[name.strip("[]")], rest.strip()
        else:
            room, text = next(iter(asking), self._current), argument
            room = self._current if self._current.questions else room
        if not room.questions:
            self._say(f"[{room.name}] has no open question.")
        elif not self._answers(room, text):
            self._no_answer(room)

    def _no_answer(self, room: Room) -> None:
        names = ", ".join(option.name for option in room.questions[0].question.options)
        self._say(f"That is none of its answers: {one_line(names, 500)}")

    def _answers(self, room: Room, text: str) -> bool:
        """Give `text` to the room's oldest question; False if there is none or `text` is no answer to it."""
        if not room.questions:
            return False
        asked = room.questions[0]
        step = room.filling.take(asked.question, text)
        if step.said:
            self._show(room, room.screen.notice(step.said))
        if not step.option_id:
            return step.is_understood
        del room.questions[0]
        # Not ours any more if the core has given up on it in this very moment: then `settle` says how it ended.
        if asked.answer.set_running_or_notify_cancel():
            asked.answer.set_result(Decision(step.option_id, self._person, step.values))
        if room.questions:
            self._say("The next question is open.")
        return True

    def _settled(self, conversation: Conversation, question: Question, text: str) -> None:
        """Close a question and say how it was decided, once: by the event or by the port's own call."""
        room = self._room_of(conversation)
        if question.id in room.settled:
            return
        room.settled.append(question.id)
        room.questions = [asked for asked in room.questions if asked.question.id != question.id]
        self._show(room, room.screen.settled(question, text))

    def _say(self, text: str) -> None:
        self._front.stream(self._current.screen.notice(text))


def _orders() -> Sequence[tuple[str, str]]:
    return [*((spec.name, spec.help) for spec in COMMANDS), *((name, meaning) for name, _, meaning in OWN)]


def _help(known: Known) -> str:
    rows = [(f"/{spec.name} {spec.argument}".rstrip(), spec.help) for spec in COMMANDS]
    rows += [(f"/{name} {argument}".rstrip(), meaning) for name, argument, meaning in OWN]
    ours = {name for name, _ in _orders()}
    rows += [(f"/{name}", f"{meaning} (the agent's own)") for name, meaning in known.orders if name not in ours]
    lines = [f"{one_line(left, 40):<22}  {one_line(right, 200)}" for left, right in rows]
    return "\n".join([*lines, "Everything else goes to the agent. Alt-Enter or Ctrl-J begins a new line."])


def _told(conversation: Conversation, done: Future[CommandAnswer]) -> Told:
    answer = done.result()  # it never fails: what went wrong is an answer, too
    return Told(conversation, answer.text, answer.ok)
