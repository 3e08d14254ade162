"""The hall: all conversations as the page shows them. What happens comes in by one queue, pictures go out.

**Threads**: `run` is the thread `chat-web`; it alone touches the transcripts. It blocks in `arrivals.get()` and is
woken by whatever arrives; a None ends it. Every other thread reads `view`, an immutable picture replaced as a whole,
and puts into the queue; whoever wants to be woken by a change sends a bell (`Listening`), a queue of its own.
**Locks**: none. **Never**: waiting for an agent, a Future, a person or whoever looks at the page.
"""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Container, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from types import MappingProxyType

from ...clock import Clock
from ...core.events import Media
from ...core.message import Conversation, Inbound, MessageRef
from ...core.port import TurnEnded
from ...errors import StoreError
from ...text.clean import one_line
from ...threads import Beat
from .entries import WELL, Room
from .port import (
    Arrival,
    Arrivals,
    AskedOf,
    Dropped,
    Fell,
    Forgotten,
    Happened,
    Heard,
    Left,
    Listening,
    Made,
    Offered,
    Recalled,
    SettledBy,
    Told,
)
from .transcript import Transcript

__all__ = ["FAULTS", "Fault", "Hall", "View"]

log = logging.getLogger(__name__)

ROOMS = 200  # conversations whose transcripts are kept; the longest quiet goes first
FAULTS = 20
AT_ONCE = 500  # arrivals between two pictures
WORK = 10.0  # seconds that a picture may take


@dataclass(frozen=True, slots=True)
class Fault:
    """A turn that ended badly; `at` is seconds since the epoch."""

    conversation: Conversation
    text: str
    at: float


@dataclass(frozen=True, slots=True)
class View:
    """How everything looked a moment ago."""

    rooms: Mapping[str, Room] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()
    version: int = 0
    is_over: bool = False


class Hall:
    """The transcripts of all conversations, and who looks at them.

    `waiting` says which messages of a conversation wait for their turn (`Broker.waiting`), `forget_files` deletes what
    came with its messages: a disk's time, which the page waits for.
    """

    def __init__(self, arrivals: Arrivals, clock: Clock) -> None:
        self.arrivals = arrivals
        self.beat = Beat("chat-web")
        self.view = View()
        self.waiting: Callable[[Conversation], Container[MessageRef]] = lambda _: ()
        self.forget_files: Callable[[Conversation], object] = lambda _: None
        self._clock = clock
        self._transcripts: OrderedDict[str, Transcript] = OrderedDict()
        self._rooms: dict[str, Room] = {}
        self._faults: tuple[Fault, ...] = ()
        self._bells: set[SimpleQueue[None]] = set()

    def run(self) -> None:
        """Take what arrives until a None does. The thread `chat-web`."""
        is_over = False
        while not is_over:
            arrival = self.arrivals.get()
            self.beat.owes(time.monotonic(), WORK)
            touched, is_over = self._batch(arrival)
            for key in touched & self._transcripts.keys():
                self._rooms[key] = self._transcripts[key].room()
            self.view = View(MappingProxyType(dict(self._rooms)), self._faults, self.view.version + 1, is_over)
            for bell in self._bells:
                bell.put(None)
            self.beat.rests()

    def _batch(self, arrival: Arrival) -> tuple[set[str], bool]:
        """Take one arrival, and what has come since: a flood makes few pictures. Return whose, and if it is over."""
        touched: set[str] = set()
        count = 0
        while arrival is not None:
            try:
                touched |= self._take(arrival)
            except Exception:  # the top of a thread: one odd event must not end the page
                log.exception("the page could not show something")
            count += 1
            if count == AT_ONCE:
                return touched, False
            try:
                arrival = self.arrivals.get_nowait()
            except Empty:
                return touched, False
        return touched, True

    def _take(self, arrival: Arrival) -> set[str]:
        """Return the key of the conversation that has changed, if one has."""
        match arrival:
            case Listening(bell):
                self._bells.add(bell)
                return set()
            case Left(bell):
                self._bells.discard(bell)
                return set()
            case Heard(note):
                self._transcript(note.conversation).hear(note, self._clock.time())
                return {note.conversation.key}
            case Happened(conversation, event):
                self._transcript(conversation).take(event, self._clock.time())
                if isinstance(event, TurnEnded) and event.outcome not in WELL:
                    self._fault(conversation, event.reason or event.outcome)
                return {conversation.key}
            case AskedOf(question):
                self._transcript(question.conversation).ask(question)
                return {question.conversation.key}
            case SettledBy(question, text):
                self._transcript(question.conversation).settle(question, text)
                return {question.conversation.key}
        return self._aside(arrival)

    def _aside(self, arrival: Arrival) -> set[str]:
        match arrival:
            case Told(conversation, text, ok):
                self._transcript(conversation).tell(text, ok=ok)
                self._transcript(conversation).reconcile(self.waiting(conversation))
                return {conversation.key}
            case Offered(conversation, text, whose):
                self._transcript(conversation).tell(text, ok=True, lifts=whose)
                return {conversation.key}
            case Fell(conversation, text):
                self._fault(conversation, text)
                return set()
            case Dropped(conversation):
                self._transcript(conversation).reconcile(self.waiting(conversation))
                return {conversation.key}
            case Forgotten(conversation, done):
                self._rooms.pop(conversation.key, None)
                if conversation.key in self._transcripts:
                    self._transcripts[conversation.key].clear()
                self._forget(conversation, done)
            case Recalled(conversation, Inbound() as note, at):
                self._transcript(conversation).hear(note, at)
                return {conversation.key}
            case Recalled(conversation, event, at) if not isinstance(event, Inbound):
                self._transcript(conversation).take(event, at)
                return {conversation.key}
            case Made(conversation, file):
                self._transcript(conversation).take(_media(file.name, file.data, file.mime), self._clock.time())
                return {conversation.key}
        return set()

    def _forget(self, conversation: Conversation, done: Future[None]) -> None:
        try:
            self.forget_files(conversation)
            done.set_result(None)
        finally:  # whoever has ordered it waits for this
            if not done.done():
                done.set_exception(StoreError("files could not be deleted"))

    def _fault(self, conversation: Conversation, text: str) -> None:
        fault = Fault(conversation, one_line(text or "ended", 300), self._clock.time())
        self._faults = (fault, *self._faults[: FAULTS - 1])

    def _transcript(self, conversation: Conversation) -> Transcript:
        """The conversation's transcript, which is now the one used last."""
        key = conversation.key
        if key not in self._transcripts:
            self._transcripts[key] = Transcript(conversation)
            if len(self._transcripts) > ROOMS:
                gone, _ = self._transcripts.popitem(last=False)
                self._rooms.pop(gone, None)
        self._transcripts.move_to_end(key)
        return self._transcripts[key]


def _media(name: str, data: bytes, mime: str) -> Media:
    import base64

    return Media("resource", mime, base64.b64encode(data).decode("ascii"), uri=name)
