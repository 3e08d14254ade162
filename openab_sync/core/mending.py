"""Mending: the replies of one conversation that a restart has cut off, brought to their end.

An interrupted turn becomes a finished one first, on disk: what had been said, a sentence that says what happened, and
buttons. From there both go the same way: what stands in the chat is compared (`retrace`), what is missing is delivered
(`Delivery`, with the nonces that the dead process would have used), the signs on people's messages are made true, and
the reply is closed. A crash in the middle of it finds the same again.

**Threads**: one of the recovery's, which blocks here: in the journal, and for a bounded time in what the chat answers.
**Locks**: none.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import replace
from typing import TypeVar, cast, get_args

from ..acp.events import Said
from ..clock import Clock, Deadline
from ..errors import ChatError, ChatRefused, ChatTimeout, StoreError
from ..store import Delivery as Kept
from ..store import End, ReplyRow
from .delivery import Address, Delivery
from .house import House
from .ledger import read_note
from .message import Conversation, Inbound, MessageRef, Person
from .port import ChatPort, Controls, File, Outcome, Seen, TurnEnded, TurnStarted
from .retrace import INTERRUPTED, SILENT, drafted, interrupted, retraced, unknown_turn

__all__ = ["Mending", "NotYet", "Patience", "Stopped", "note_of", "whole_note"]

log = logging.getLogger(__name__)

T = TypeVar("T")

READING = 120.0  # seconds for the history of a conversation: more than a platform gives itself
DELIVERY = 180.0  # seconds for all that is missing of one reply
SIGN = 30.0  # seconds for a reaction
WRITING = 10.0  # seconds for the journal
SLACK = 60.0  # seconds by which the clocks of a chat service and of this machine may differ


class Stopped(Exception):
    """We are leaving: what is not mended is left for the next start."""


class NotYet(Exception):
    """The chat service does not answer: it may later."""


class Patience:
    """Waits of the recovery's threads: for a condition, for so many seconds at most, and not beyond the end."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ended = False
        self._bells: set[threading.Event] = set()  # of threads that wait; add and discard are atomic

    def end(self) -> None:
        """Have everybody who waits, now or later, stop. Any thread."""
        self._ended = True
        for bell in list(self._bells):
            bell.set()

    def until(self, is_so: Callable[[], bool], bell: threading.Event, seconds: float) -> bool:
        """Wait until `is_so`, looking whenever the bell is set; False if the time is over. Raise Stopped."""
        deadline = Deadline(self._clock, seconds)
        self._bells.add(bell)
        try:
            while not is_so():
                if self._ended:
                    raise Stopped
                if deadline.expired:
                    return False
                bell.wait(deadline.left)
                bell.clear()
        finally:
            self._bells.discard(bell)
        return True

    def result(self, future: Future[T], seconds: float) -> T:
        """Wait for a Future of the chat or the journal. Raise what it fails with, ChatError if it takes too long."""
        bell = threading.Event()
        future.add_done_callback(lambda _: bell.set())
        if not self.until(future.done, bell, seconds):
            raise ChatError("it took too long")
        return future.result()


class Mending:
    """One conversation."""

    def __init__(self, house: House, port: ChatPort, conversation: Conversation, patience: Patience) -> None:
        self._house, self._port, self._conversation, self._patience = house, port, conversation, patience
        self._limits = port.limits(conversation)
        self._gives_up = True

    def mend(self, replies: Sequence[ReplyRow], waiting: Sequence[Kept], *, gives_up: bool = True) -> Kept | None:
        """Bring `replies` to their end, in order. Blocks. Raise Stopped; NotYet if it is not to give them up.

        Return the one of `waiting` that had been begun though nobody had written that down, None if there is none: it
        was interrupted, too.
        """
        self._gives_up = gives_up
        since = min((*(row.began for row in replies), *(kept.accepted for kept in waiting)))
        may_stand = replies or any(kept.note for kept in waiting)  # what was not complete has no turn
        seen = self._seen(since - SLACK) if may_stand else ()
        turn = unknown_turn(seen or (), [row.turn for row in replies])
        begun = waiting[0] if waiting and turn else None
        if begun is not None:
            replies = [*replies, ReplyRow(turn, begun.fact.conversation, "running", began=since, deliveries=(begun,))]
        known = {page.message for row in replies for page in row.pages if page.message}
        for row in replies:
            mine = None if seen is None else [one for one in seen if one.ref.id not in known]
            known |= self._mend(row, seen, mine)
        return begun

    def _seen(self, since: float) -> Sequence[Seen] | None:
        """What of ours stands there since then; None if that cannot be known."""
        try:
            return self._patience.result(self._port.ours(self._conversation, since), READING)
        except ChatError as error:
            if not self._gives_up and not isinstance(error, ChatRefused):
                raise NotYet(str(error)) from error
            log.warning("%s: what stands there cannot be read: %s", self._conversation, error)
            return None

    def _mend(self, row: ReplyRow, seen: Sequence[Seen] | None, loose: Sequence[Seen] | None) -> set[str]:
        """Bring one reply to its end; return the ids of its messages. `loose`: what is nobody's page that we know."""
        notes = tuple(note_of(kept) for kept in row.deliveries)
        if row.state == "running":
            if notes:
                self._house.ledger.start(row.turn, notes)  # nobody may have written that down
            log.info("%s: turn %s was interrupted", self._conversation, row.turn)
            pages = retraced(row, loose, self._house.clock.time(), self._limits)
            is_posted = self._limits.live != "events"
            reason = INTERRUPTED if is_posted or row.draft else SILENT
            row = replace(row, state="finished", outcome="interrupted", reason=reason)
            if row.draft and not pages and is_posted:  # nobody has seen anything of it
                pages, files = drafted(row.draft, self._limits)
                row = replace(row, files=files, draft="")
            row = replace(row, pages=interrupted(pages, seen or (), self._limits))
            self._write(row, notes)
        else:
            pages = retraced(row, loose, self._house.clock.time(), self._limits)
            row = replace(row, pages=pages)
        if not notes:  # they were forgotten meanwhile
            self._house.ledger.close(row.turn, well=False)
            return set()
        if self._limits.live == "events":
            self._show(row, notes)
            well, messages = True, set[str]()
        else:
            well, messages = self._deliver(row, notes, seen)
        self._sign(notes, well=well and row.outcome == "done")
        self._house.ledger.close(row.turn, well=well)
        return messages

    def _show(self, row: ReplyRow, notes: Sequence[Inbound]) -> None:
        """Have a platform that draws by itself see the turn, which ended with the process before this one."""
        refs, outcome = tuple(note.ref for note in notes), row.outcome
        self._port.event(self._conversation, TurnStarted(refs))
        if row.draft:
            self._port.event(self._conversation, Said(row.draft))
        known = cast(Outcome, outcome if outcome in get_args(Outcome) else "failed")
        self._port.event(self._conversation, TurnEnded(refs, known, row.reason))

    def _write(self, row: ReplyRow, notes: Sequence[Inbound]) -> None:
        """Have it on disk that a turn is over, before anybody sees so."""
        end = End(row.outcome, row.reason, row.pages, row.files, row.draft)
        with suppress(StoreError, ChatError):  # the disk takes nothing: the next start finds it as we did
            self._patience.result(self._house.ledger.finish(row.turn, notes, end), WRITING)

    def _deliver(self, row: ReplyRow, notes: Sequence[Inbound], seen: Sequence[Seen] | None) -> tuple[bool, set[str]]:
        """Deliver what is missing; return whether all of it is there, and the ids of its messages."""
        bell = threading.Event()
        address = Address(self._conversation, notes[0].ref, row.turn)
        delivery = Delivery(address, self._port, self._house.clock, bell.set)
        delivery.restore(row.pages, edits=seen is None and self._limits.live == "edit")
        texts = [page.text for page in row.pages]
        delivery.want([], texts, is_final=True, controls=self._controls(row, notes))
        delivery.confirm(row.pages)
        there = {name for one in seen or () for name in one.files}
        for file in row.files:
            if file.name in there:  # it was out, and nobody could write that down any more
                self._house.ledger.sent(row.turn, file.number)
            else:
                delivery.upload(file.after, File(file.name, file.data, file.mime), number=file.number)
        written = delivery.rows()

        def step() -> bool:
            nonlocal written
            delivery.land()
            if not self._gives_up and isinstance(delivery.failure, ChatTimeout):
                raise NotYet(str(delivery.failure))  # before people are told that it is lost
            delivery.start()
            rows = delivery.rows()
            if changed := [page for page, before in zip(rows, written, strict=True) if page != before]:
                self._house.ledger.draw(row.turn, changed)
                written = rows
            return delivery.is_settled

        in_time = self._patience.until(step, bell, DELIVERY)
        well = in_time and delivery.failure is None
        if not well:
            if not (self._gives_up or in_time):
                raise NotYet("it took too long")
            log.warning("%s: turn %s could not be delivered: %s", self._conversation, row.turn, delivery.failure)
        return well, {page.message for page in delivery.rows() if page.message}

    def _controls(self, row: ReplyRow, notes: Sequence[Inbound]) -> Controls | None:
        if not self._limits.controls:
            return None
        if row.outcome in {"done", "cancelled"}:
            return Controls()
        people = tuple(dict.fromkeys(note.sender for note in notes if not note.sender.is_bot))
        about = tuple(note.ref for note in notes)
        return Controls(retry=True, discard=row.outcome == "interrupted", turn=row.turn, about=about, people=people)

    def _sign(self, notes: Sequence[Inbound], *, well: bool) -> None:
        """Have each message carry the sign that it would have in the end, and none that says that something goes on."""
        config = self._house.config.reactions
        if not (config.enabled and self._limits.reactions):
            return
        last = "" if config.remove_after_reply else config.emojis.done if well else config.emojis.error
        for note in notes:
            try:
                self._patience.result(self._port.sign(note.ref, last), SIGN)
            except ChatError as error:
                log.info("%s: a message does not show what became of it: %s", self._conversation, error)


def whole_note(kept: Kept) -> Inbound | None:
    """Return a message as it was handed in; None if it was not complete, or cannot be read any more."""
    try:
        return read_note(kept.note, kept.id) if kept.note else None
    except ValueError as error:  # another version's, or a damaged row: what it was accepted with is there all the same
        log.error("%s: message %s cannot be read as it was kept: %s", kept.fact.conversation, kept.fact.message, error)
        return None


def note_of(kept: Kept) -> Inbound:
    """Return a message as far as it is known."""
    whole = whole_note(kept)
    if whole is not None:
        return whole
    platform, _, place = kept.fact.conversation.partition(":")
    ref = MessageRef(Conversation(platform, place), kept.fact.message)
    return Inbound(ref, Person(kept.fact.author), kept.fact.text, delivery=kept.id)
