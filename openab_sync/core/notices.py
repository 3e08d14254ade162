"""Sentences of ours that belong to no turn, and the mark that says "got it" on a message.

Fire and forget: a notice that the chat refuses costs a log line. Any thread; never blocks.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, TypeVar

from ..errors import ChatRefused, OpenabError
from ..text.clean import one_line
from ..text.marks import literal
from .ending import reset_text
from .house import Cancel, House, Reset, promise
from .ledger import numbers
from .line import Place
from .message import Conversation, Inbound, MessageRef, Person
from .port import ChatPort, Controls, Notice, TurnEnded

if TYPE_CHECKING:
    from .session import Session

__all__ = [
    "GOES_ON",
    "UNRECORDED",
    "break_off",
    "drop",
    "forget_mark",
    "mark",
    "name",
    "nothing",
    "offer_lift",
    "refuse",
    "say_refused",
    "tell",
    "tell_dropped",
    "tell_refused",
    "turn_away",
    "unmark",
]

log = logging.getLogger(__name__)

NAME = 80  # characters of a person's name

GOES_ON = "I am being restarted: what waits here goes on afterwards, by itself."

UNRECORDED = (
    "That this begins could not be written down yet, because the disk does not answer: if I am killed before it does, "
    "this message may be answered again."
)

T = TypeVar("T")


def tell(
    port: ChatPort, conversation: Conversation, text: str, reply_to: MessageRef | None = None, nonce: str = ""
) -> Future[MessageRef] | Future[None]:
    """Say a sentence in a conversation; the Future is done when it stands there, or never will.

    `nonce`: as `ChatPort.post` has it.
    """
    if port.limits(conversation).live == "events":
        port.event(conversation, Notice(text))
        return nothing()
    said = port.post(conversation, text, reply_to=reply_to, nonce=nonce)
    _watch(said, conversation)
    return said


def refuse(house: House, port: ChatPort, note: Inbound, text: str, marked: Future[None] | None = None) -> None:
    """Tell whoever wrote a message why it will not be answered; that is written down first, if the disk answers.

    The mark goes after it has come (`marked`): a chat service may swap two requests that are on their way together.
    """
    if port.limits(note.conversation).live == "events":  # what it shows comes in the order in which it is called
        house.ledger.refuse(numbers([note]), text)
        say_refused(house, port, note, text, marked)
        return
    written = house.hourglass.bounded(house.ledger.refuse(numbers([note]), text))
    written.add_done_callback(lambda _: say_refused(house, port, note, text, marked))


def say_refused(house: House, port: ChatPort, note: Inbound, text: str, marked: Future[None] | None = None) -> None:
    """As `tell_refused`. If the chat does not answer they are told later, or at the next start."""

    def look(done: Future[bool]) -> None:
        if not done.result() and note.delivery:  # else nothing tells whether they have read it
            house.owe_refusal(note, text)

    tell_refused(house, port, note, text, marked).add_done_callback(look)


def tell_refused(
    house: House, port: ChatPort, note: Inbound, text: str, marked: Future[None] | None = None
) -> Future[bool]:
    """Tell whoever wrote a message that it is refused, once however often this is called, and take its mark away.

    It is over when they were told and the mark is gone, and not before. The Future says whether it is; it never fails.
    """
    gone: Future[None] = promise()
    is_over: Future[bool] = promise()
    marking = marked or nothing()
    marking.add_done_callback(
        lambda _: unmark(house, port, note.ref).add_done_callback(lambda _: gone.set_result(None))
    )
    nonce = f"refused {note.delivery} {note.ref.id}" if note.delivery else ""
    told = tell(port, note.conversation, text, note.ref, nonce)

    def over(_: object) -> None:
        knows = not told.cancelled() and isinstance(told.exception(), ChatRefused | None)
        if knows:
            house.ledger.fail(numbers([note]))
        is_over.set_result(knows)

    told.add_done_callback(lambda _: gone.add_done_callback(over))
    return is_over


def offer_lift(
    port: ChatPort, conversation: Conversation, text: str, whose: str, reply_to: MessageRef | None = None
) -> None:
    """Say something about a limit, with a button by which an admin lifts it for `whose` (a person or conversation)."""
    if port.limits(conversation).controls:
        _watch(port.post(conversation, text, reply_to=reply_to, controls=Controls(lift=whose)), conversation)
    else:
        tell(port, conversation, f"{text} (For admins: /limits lift.)", reply_to)


def break_off(port: ChatPort, session: Session, text: str) -> None:
    """Say why a session has ended that cannot say so itself, and end its turn where the platform waits for that."""
    is_running = session.snapshot.turn_started is not None
    if is_running and port.limits(session.conversation).live == "events":
        refs = tuple(note.ref for note in session.mailbox.begun)
        port.event(session.conversation, TurnEnded(refs, "stalled", text))
    else:
        tell(port, session.conversation, text)


def mark(house: House, port: ChatPort, ref: MessageRef) -> Future[None]:
    """Show on a message that it was accepted; the Future is done when it shows, or will not."""
    return _react(house, port, ref, on=True)


def unmark(house: House, port: ChatPort, ref: MessageRef) -> Future[None]:
    """Take the mark back; the Future is done when it is gone, or will not go."""
    return _react(house, port, ref, on=False)


def forget_mark(house: House, port: ChatPort, note: Inbound) -> None:
    """The message was withdrawn and will not be answered: write it down, and take the mark back."""
    house.ledger.withdraw(numbers([note]))
    unmark(house, port, note.ref)


def tell_dropped(ports: Mapping[str, ChatPort], notes: Sequence[Inbound], by: Person | None) -> None:
    """Tell those whose messages somebody else has dropped: one reply to each author, to the first of theirs.

    Whoever dropped their own knows; so does everybody where it is not a person (no id: the message itself is gone).
    """
    if by is None or not by.id:
        return
    theirs: dict[str, list[Inbound]] = {}
    for note in notes:
        theirs.setdefault(note.sender.id, []).append(note)
    theirs.pop(by.id, None)
    for first, *more in theirs.values():
        what = f"this message and {len(more)} more of yours" if more else "this message"
        who = literal(one_line(by.name or by.id, NAME))
        port = ports[first.conversation.platform]
        tell(port, first.conversation, f"Dropped by {who}: {what} will not be answered.", first.ref)


def name(port: ChatPort, conversation: Conversation, title: str) -> None:
    """Give a conversation the title that its agent has found; the platform decides what becomes of it."""
    _watch(port.rename(conversation, title), conversation, "a title was not given")


def drop(house: House, ports: Mapping[str, ChatPort], notes: Sequence[Inbound], by: Person | None) -> None:
    """Messages that waited will not be answered, because somebody ordered so: show it, and tell their authors."""
    for note in notes:
        forget_mark(house, ports[note.conversation.platform], note)
    tell_dropped(ports, notes, by)


def turn_away(house: House, port: ChatPort, place: Place, error: OpenabError) -> None:
    """Tell people that what they wrote will not be answered, and whoever ordered something why it was not done.

    A reset is done all the same: there is nothing left to forget. A platform that draws by itself gets the end of each
    turn that will not be.
    """
    for note in place.notes:
        refuse(house, port, note, error.user_text())
        # Whoever waits for the end of its turn must not wait for ever.
        if port.limits(place.conversation).live == "events":
            port.event(place.conversation, TurnEnded((note.ref,), "failed"))
    for order in place.orders:
        if isinstance(order, Cancel | Reset):
            for note in order.dropped:
                forget_mark(house, port, note)
            tell_dropped({place.conversation.platform: port}, order.dropped, order.by)
        if isinstance(order, Reset):
            order.done.set_result(reset_text(order))
        else:
            order.done.set_exception(error)


def _react(house: House, port: ChatPort, ref: MessageRef, *, on: bool) -> Future[None]:
    if port.limits(ref.conversation).reactions and house.config.reactions.enabled:
        future = port.react(ref, house.config.reactions.emojis.queued, on)
        _watch(future, ref.conversation)
        return future
    return nothing()


def nothing() -> Future[None]:
    """Return a Future that is done."""
    done: Future[None] = Future()
    done.set_result(None)
    return done


def _watch(future: Future[T], conversation: Conversation, complaint: str = "a notice was not delivered") -> None:
    future.add_done_callback(lambda done: _complain(done, conversation, complaint))


def _complain(future: Future[T], conversation: Conversation, complaint: str) -> None:
    error = None if future.cancelled() else future.exception()
    if error is not None:
        log.warning("%s: %s: %s", conversation, complaint, error)
