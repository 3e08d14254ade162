"""`/forget`: a person's own conversations, and all that is kept of them.

Without a word it says what it would do: that is the question whether one is sure. What somebody works at just now is
left alone and named. A disk that hangs is not waited for without an end. The functions run on the caller's thread, on
the journal's or on the janitor's; none of them blocks.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from ..errors import OpenabError
from .desk import Call, CommandAnswer, now, sentence
from .house import Reset, promise
from .message import Conversation
from .retention import Retention

if TYPE_CHECKING:
    from ..store import Theirs

__all__ = ["forget"]

USAGE = "Write /forget here or /forget all; /forget alone says what that would be."
KEPT = "messages, answers, files that came with them, and the agent's session"
NOTHING = "I keep no conversation of yours that is nobody else's."


def forget(call: Call) -> Future[CommandAnswer]:
    """Say what would be forgotten; or forget this conversation, or all that are the caller's alone."""
    word, retention = call.argument.lower(), call.desk.retention
    if word not in ("", "here", "all"):
        return now(CommandAnswer(USAGE, ok=False))
    if retention is None:
        return now(CommandAnswer("Nothing of what is said here outlives this program.", ok=False))
    result: Future[CommandAnswer] = promise()

    def found(done: Future[Theirs]) -> None:  # on the journal's thread, or the janitor's
        error = done.exception()
        if error is not None:
            result.set_result(CommandAnswer(sentence(error), ok=False))
        elif not word:
            result.set_result(CommandAnswer(_offer(call, done.result())))
        else:
            _forget(call, retention, done.result(), word, result)

    theirs = retention.of(call.conversation.platform, call.by.id)
    call.desk.hourglass.bounded(theirs).add_done_callback(found)
    return result


def _offer(call: Call, theirs: Theirs) -> str:
    here = call.conversation.key in theirs.own
    if not theirs.own:
        return NOTHING
    lines = [f"I keep {_count(theirs.own)} of yours in which nobody else has written: {KEPT}."]
    lines += [f"/forget here deletes what I keep of this one: {KEPT}."] if here else []
    lines += [f"/forget all deletes what I keep of all of them{', this one too' if here else ''}."]
    lines += ["What stands in the chat stays there; what the agent itself has kept is the agent's."]
    return "\n".join(lines)


def _forget(call: Call, retention: Retention, theirs: Theirs, word: str, result: Future[CommandAnswer]) -> None:
    key = call.conversation.key
    wanted = theirs.own if word == "all" else theirs.own & {key}
    if not wanted:
        others = word == "here" and key in theirs.shared
        text = "Others have written here as well: what they said is not yours alone." if others else NOTHING
        result.set_result(CommandAnswer(text, ok=False))
        return
    busy = {item.conversation.key for item in call.desk.look().sessions if item.turn_started is not None or item.inbox}
    busy |= set(call.desk.look().waiting)
    platform = call.conversation.platform
    chosen = [Conversation(platform, one.partition(":")[2]) for one in sorted(wanted - busy)]
    try:
        resets = [call.desk.pool.order(one, Reset(call.by)) for one in chosen]
    except OpenabError as error:
        result.set_result(CommandAnswer(error.user_text(), ok=False))
        return
    left = len(wanted & busy)

    def ended(_: int) -> None:
        gone = [call.desk.hourglass.bounded(one) for one in retention.forget(chosen)]
        _after(gone, lambda bad: result.set_result(_told(len(chosen), left, bad)))

    _after(resets, ended)


def _told(gone: int, left: int, bad: int) -> CommandAnswer:
    if bad:
        return CommandAnswer("Not all of it could be deleted: the disk does not take it. Please try again.", ok=False)
    text = f"Forgotten: {gone} conversation{'' if gone == 1 else 's'}."
    if left:
        text += f" {left} left: somebody waits for an answer there. /cancel-all first, then again."
    return CommandAnswer(text, ok=bool(gone))


def _after(futures: Sequence[Future[Any]], then: Callable[[int], None]) -> None:
    """Call `then` when all are done, on the thread of the last, with the number of those that failed."""
    if not futures:
        then(0)
        return
    count = itertools.count(1)  # `next` is atomic: one of them is the last

    def look(_: Future[Any]) -> None:
        if next(count) == len(futures):
            then(sum(1 for one in futures if one.exception() is not None))

    for one in futures:
        one.add_done_callback(look)


def _count(keys: frozenset[str]) -> str:
    return f"{len(keys)} conversation{'' if len(keys) == 1 else 's'}"
