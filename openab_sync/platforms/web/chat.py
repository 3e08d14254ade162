"""What people do on the page, handed to the front desk: write, answer, order, take back.

**Threads**: those of the web server. Everything goes to the broker and the hall and comes back at once; only files
(`uploads`), the journal and an answer's fate are waited for, briefly. **Locks**: none.
"""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from ...core.commands import find_command
from ...core.forms import FILL, caution, host_of, problems
from ...core.ledger import ON_DISK
from ...core.message import Conversation, Inbound, MessageRef, Person
from ...core.port import Decision, Question
from ...errors import OpenabError
from .drawing import chosen
from .hall import Hall
from .port import PLATFORM, Dropped, Heard, Told, WebPort
from .uploads import Uploads

if TYPE_CHECKING:
    from ...core.broker import HouseSnapshot, Receipt
    from ...core.commands import CommandAnswer
    from ...core.recovery import Recovery

__all__ = ["Chat", "Desk", "Written", "conversation_of"]

TEXT = 400_000  # characters of one message
ANSWER = 5.0  # seconds until a session has looked at an answer


class Desk(Protocol):
    """What the page needs of the broker. Any thread; never blocks."""

    @property
    def recovery(self) -> Recovery:
        """What was under way before a restart."""

    def accept(self, ref: MessageRef, by: Person, text: str, route: Mapping[str, str]) -> tuple[int, Future[None]]:
        """Write a message down: its number, and when it is safe."""

    def dismiss(self, number: int, *, is_told: bool) -> None:
        """A message that was written down will not be handed in."""

    def refusal(self, conversation: Conversation, by: Person) -> str:
        """Count a message; return why it is not taken, "" if it is within the limits."""

    def receive(self, note: Inbound) -> Receipt:
        """Take a message for an agent."""

    def withdraw(self, ref: MessageRef, by: Person | None = None) -> bool:
        """Take back a message that still waits; False if it does not."""

    def command(self, conversation: Conversation, name: str, argument: str, by: Person) -> Future[CommandAnswer]:
        """Carry out what a person orders."""

    def answer(self, question: Question, option_id: str, by: Person) -> Future[CommandAnswer]:
        """Answer an open question."""

    def waiting(self, conversation: Conversation) -> tuple[Inbound, ...]:
        """The messages that wait in a conversation."""

    def snapshot(self) -> HouseSnapshot:
        """Say how the house looks."""


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a message: where it is now, and a sentence if it was not plainly taken."""

    conversation: Conversation
    state: str
    text: str = ""


class Chat:
    """The people in front of the page: whoever has the key is one person."""

    def __init__(self, desk: Desk, hall: Hall, port: WebPort, uploads: Uploads, person: Person) -> None:
        self._desk = desk
        self._port = port
        self._hall = hall
        self._uploads = uploads
        self._person = person
        # Never used again, by no other process either: a journal knows messages by their ids.
        self._run = secrets.token_hex(4)
        self._ids = itertools.count(1)

    def open(self) -> Conversation:
        """Return a conversation that nobody has spoken in yet."""
        return Conversation(PLATFORM, secrets.token_hex(4))

    def write(self, conversation: Conversation, text: str, files: Sequence[str] = ()) -> Written:
        """Hand in a message, or carry out a command. Blocks as long as its files take."""
        name, _, argument = text.removeprefix("/").strip().partition(" ")
        if text.startswith("/") and not files and find_command(name) is not None:
            self.order(conversation, name, argument)
            return Written(conversation, "ordered")
        if not text.strip() and not files:
            return Written(conversation, "refused")
        if why := self._desk.refusal(conversation, self._person):
            return Written(conversation, "refused", why)
        received = self._uploads.settle(files, conversation)
        if not text.strip() and not received.attachments:
            return Written(conversation, "refused", " ".join(received.notes))
        ref = MessageRef(conversation, f"{self._run}-{next(self._ids)}")
        context = "\n".join(f"[{note}]" for note in received.notes)
        for sentence in received.notes:
            self._hall.arrivals.put(Told(conversation, sentence))
        number, safe = self._desk.accept(ref, self._person, text, {})
        try:
            safe.result(ON_DISK)
        except (OpenabError, TimeoutError) as error:
            self._desk.dismiss(number, is_told=True)
            reason = error.user_text() if isinstance(error, OpenabError) else "The disk does not answer."
            return Written(conversation, "refused", f"The message could not be kept: {reason}")
        note = Inbound(ref, self._person, text, received.attachments, context, delivery=number)
        return self._hand_in(note)

    def take_up(self, conversation: Conversation) -> None:
        """Hand in again what was accepted in a conversation before a restart. Any thread; never blocks."""
        try:
            for one in self._desk.recovery.waiting(conversation):
                # What was not complete yet has lost its files, if it had any: they came with the page's request.
                self._hand_in(one.note or Inbound(one.ref, self._person, one.text, delivery=one.number))
        finally:
            self._desk.recovery.handed_in(conversation)

    def _hand_in(self, note: Inbound) -> Written:
        conversation = note.conversation
        self._hall.arrivals.put(Heard(note))  # first: what comes of it stands below it
        receipt = self._desk.receive(note)
        # A refusal has been told as a notice by the broker itself.
        return Written(conversation, receipt.state, receipt.text)

    def answer(self, question_id: str, option_id: str, values: Mapping[str, tuple[str, ...]] | None = None) -> bool:
        """Answer a question, wherever it was asked; False if it is not open, or that is none of its options.

        `values` are what was typed in a form, and the numbers of what was chosen (`drawing.chosen`). A form that stands
        elsewhere is filled in there, and an address opened there: False. Blocks until the session of another
        platform's question has looked, briefly.
        """
        question = self._question(question_id)
        if question is None or option_id not in {option.option_id for option in question.options}:
            return False
        if question.conversation.platform == PLATFORM:
            given = chosen(question.form, values) if question.form is not None and values is not None else None
            return self._port.decide(question_id, Decision(option_id, self._person, given))
        return self._desk.answer(question, option_id, self._person).result(ANSWER).ok

    def complaints(
        self, question_id: str, option_id: str, values: Mapping[str, tuple[str, ...]] | None
    ) -> dict[str, str]:
        """Return what is wrong with what was typed into a form, a sentence for each such field."""
        question = self._question(question_id)
        if question is None or question.form is None or option_id != FILL.option_id:
            return {}
        given = chosen(question.form, values or {})
        return {field.name: text for field in question.form.fields for text in problems([field], given)}

    def address(self, question_id: str) -> tuple[str, str, str] | None:
        """Return the address that somebody is asked to open, its host, and what to know before; None if there is none.

        Only of the page's own questions: others are for those who are asked.
        """
        question = self._question(question_id)
        if question is None or question.form is None or not question.form.url:
            return None
        if question.conversation.platform != PLATFORM:
            return None
        url = question.form.url
        return url, host_of(url), caution(url)

    def _question(self, question_id: str) -> Question | None:
        return next((item for item in self._questions() if item.id == question_id), None)

    def _questions(self) -> Iterator[Question]:
        for room in self._hall.view.rooms.values():
            yield from (asked.question for asked in room.questions)
        for session in self._desk.snapshot().sessions:
            yield from (question for turn in session.turns for question in turn.questions)

    def order(self, conversation: Conversation, name: str, argument: str = "") -> str:
        """Give an order. Its answer appears in the conversation; in one that is not the page's own it is returned.

        Blocks for that, briefly: what takes longer is answered by what happens.
        """
        future = self._desk.command(conversation, name, argument, self._person)
        if conversation.platform == PLATFORM:
            future.add_done_callback(lambda done: self._hall.arrivals.put(_told(conversation, done)))
            return ""
        try:
            return future.result(ANSWER).text
        except TimeoutError:
            return ""

    def take_back(self, conversation: Conversation, message_id: str) -> bool:
        """Take back a message that still waits; False if it does not."""
        done = self._desk.withdraw(MessageRef(conversation, message_id), self._person)
        if done:
            self._hall.arrivals.put(Dropped(conversation))
        return done


def conversation_of(key: str) -> Conversation | None:
    """Return the conversation that `key` (`platform:id`) names, None if it names none."""
    platform, colon, name = key.partition(":")
    is_one = bool(platform and colon and name) and len(key) <= 200 and key.isprintable()
    return Conversation(platform, name) if is_one else None


def _told(conversation: Conversation, done: Future[CommandAnswer]) -> Told:
    answer = done.result()  # it never fails: what went wrong is an answer, too
    return Told(conversation, answer.text, answer.ok)
