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
    try:
        # First: a message that is being answered may wait a second time, and both are meant.
        done = desk.pool.order(ref.conversation, Cancel(by, about=ref, alone=alone))
    except OpenabError as error:
        waited = desk.pool.withdraw(ref, by)
        answer.set_result(WITHDRAWN if waited else CommandAnswer(error.user_text(), ok=False))
        return answer
    waited = desk.pool.withdraw(ref, by)  # in the line, or behind a session that ends: no mailbox has looked there
    done.add_done_callback(lambda done: answer.set_result(_meaning(done, waited)))
    return answer


def _meaning(done: Future[str], waited: bool) -> CommandAnswer:
    text = "" if done.exception() is not None else done.result()  # its session may end before it can obey
    if text.startswith(CANCELLING):
        return CommandAnswer(CANCELLING)
    return WITHDRAWN if waited or text == BEFORE else OVER
