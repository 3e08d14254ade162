"""Letting one message go unanswered, whatever has become of it meanwhile: it waits, it is being answered, it is done.

Any thread; never blocks. What it means is found out where the message is: under the lock of its mailbox, so that no
turn but its own is ever cancelled.
"""

from __future__ import annotations

from concurrent.futures import Future

from ..errors import OpenabError
from .desk import CommandAnswer, Desk
from .ending import BEFORE, CANCELLING
from .house import Cancel, promise
from .message import MessageRef, Person

__all__ = ["revoked"]

WITHDRAWN = CommandAnswer("Withdrawn.")
OVER = CommandAnswer("That turn is over.", ok=False)


def revoked(desk: Desk, ref: MessageRef, by: Person, *, alone: bool) -> Future[CommandAnswer]:
    """Take back `ref`, or cancel the turn that answers it; with `alone` only one that answers nothing else."""
    answer: Future[CommandAnswer] = promise()
    if desk.pool.withdraw(ref):
        answer.set_result(WITHDRAWN)
        return answer
    order = Cancel(by, about=ref, alone=alone)
    try:
        desk.pool.order(ref.conversation, order).add_done_callback(lambda done: answer.set_result(_meaning(done)))
    except OpenabError as error:
        answer.set_result(CommandAnswer(error.user_text(), ok=False))
    return answer


def _meaning(done: Future[str]) -> CommandAnswer:
    if done.exception() is not None:  # its session ended before it could obey
        return OVER
    text = done.result()
    if text.startswith(CANCELLING):
        return CommandAnswer(CANCELLING)
    return WITHDRAWN if text == BEFORE else OVER
