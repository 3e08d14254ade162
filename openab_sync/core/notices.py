"""Sentences of ours that belong to no turn, and the mark that says "got it" on a message.

Fire and forget: a notice that the chat refuses costs a log line. Any thread; never blocks.
"""

from __future__ import annotations

import logging
from concurrent.futures import Future
from typing import TypeVar

from ..errors import OpenabError
from .ending import RESET_TEXT
from .house import Cancel, House, Reset
from .line import Place
from .message import Conversation, Inbound, MessageRef
from .port import ChatPort, Notice, TurnEnded

__all__ = ["forget_mark", "mark", "tell", "turn_away"]

log = logging.getLogger(__name__)

T = TypeVar("T")


def tell(port: ChatPort, conversation: Conversation, text: str, reply_to: MessageRef | None = None) -> None:
    """Say a sentence in a conversation."""
    if port.limits.live == "events":
        port.event(conversation, Notice(text))
    else:
        _watch(port.post(conversation, text, reply_to=reply_to), conversation)


def mark(house: House, port: ChatPort, note: Inbound) -> Future[None]:
    """Show on a message that it was accepted; the Future is done when it shows, or will not."""
    return _react(house, port, note, on=True)


def forget_mark(house: House, port: ChatPort, note: Inbound) -> None:
    """Take the mark back: the message was withdrawn and will not be answered."""
    _react(house, port, note, on=False)


def turn_away(house: House, port: ChatPort, place: Place, error: OpenabError) -> None:
    """Tell people that what they wrote will not be answered, and whoever ordered something why it was not done.

    A reset is done all the same: there is nothing left to forget. A platform that draws by itself gets the end of each
    turn that will not be.
    """
    for note in place.notes:
        forget_mark(house, port, note)
        tell(port, place.conversation, error.user_text(), note.ref)
        if port.limits.live == "events":  # whoever waits for the end of its turn must not wait for ever
            port.event(place.conversation, TurnEnded((note.ref,), "failed"))
    for order in place.orders:
        for note in order.dropped if isinstance(order, Cancel | Reset) else ():
            forget_mark(house, port, note)
        if isinstance(order, Reset):
            order.done.set_result(RESET_TEXT)
        else:
            order.done.set_exception(error)


def _react(house: House, port: ChatPort, note: Inbound, *, on: bool) -> Future[None]:
    if port.limits.reactions and house.config.reactions.enabled:
        future = port.react(note.ref, house.config.reactions.emojis.queued, on)
        _watch(future, note.conversation)
        return future
    nothing: Future[None] = Future()
    nothing.set_result(None)
    return nothing


def _watch(future: Future[T], conversation: Conversation) -> None:
    future.add_done_callback(lambda done: _complain(done, conversation))


def _complain(future: Future[T], conversation: Conversation) -> None:
    error = None if future.cancelled() else future.exception()
    if error is not None:
        log.warning("%s: a notice was not delivered: %s", conversation, error)
