"""The desk: what a command may use, what comes of it, and the Futures that carry the answers.

Any thread; nothing here blocks. Futures are made here and completed on whichever thread has the answer.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field

from ..clock import Clock
from ..config.permissions import PermissionsConfig
from ..errors import OpenabError
from .admission import Trust
from .audit import NO_AUDIT, Audit
from .budget import Budget, unconfigured
from .hourglass import Hourglass, unwatched
from .house import HouseSnapshot, Open, SessionSnapshot, promise
from .message import Conversation, Person
from .pool import SessionPool
from .retention import Retention

__all__ = ["EVERYTHING", "Call", "CommandAnswer", "Desk", "View", "now", "opened", "pass_on", "sentence", "then"]


@dataclass(frozen=True, slots=True)
class CommandAnswer:
    """What came of a command."""

    text: str
    ok: bool = True


@dataclass(frozen=True, slots=True)
class Desk:
    """What a command may use."""

    pool: SessionPool
    look: Callable[[], HouseSnapshot]
    clock: Clock
    permissions: Callable[[], PermissionsConfig] = PermissionsConfig  # what is configured now
    retention: Retention | None = None
    """What forgets; none where nothing outlives the process."""
    budget: Budget = field(default_factory=unconfigured)
    audit: Audit = NO_AUDIT
    hourglass: Hourglass = field(default_factory=unwatched)

    def session(self, conversation: Conversation) -> SessionSnapshot | None:
        """Return how the conversation's session looks, None if it has none."""
        return next((item for item in self.look().sessions if item.conversation == conversation), None)


@dataclass(frozen=True, slots=True)
class View:
    """What whoever asks may see and do, as their platform knows it.

    `trust` is how far they are trusted in the conversation that they are in (`rights`); whoever asks at a terminal is
    an admin. `sees` is asked on the caller's thread, before a command returns. A title that begins with `head` (what
    the platform writes before people's words, "" for nothing) is none: the agent has made it of its first prompt. Who
    `approves` may answer an agent's questions in everybody's turns.
    """

    sees: Callable[[Conversation], bool] = lambda _: True
    head: str = ""
    approves: bool = False
    trust: Trust = Trust.ADMIN

    def title(self, title: str) -> str:
        """Return what an agent calls a session; "" if that is no title."""
        return "" if self.head and title.lstrip().startswith(self.head) else title


EVERYTHING = View(approves=True)


@dataclass(frozen=True, slots=True)
class Call:
    """One command being carried out."""

    desk: Desk
    conversation: Conversation
    name: str
    argument: str
    by: Person
    view: View = EVERYTHING


# Futures.


def now(answer: CommandAnswer) -> Future[CommandAnswer]:
    """Return a Future that is done: the answer."""
    future: Future[CommandAnswer] = promise()
    future.set_result(answer)
    return future


def then(future: Future[str], make: Callable[[str], CommandAnswer]) -> Future[CommandAnswer]:
    """Return the Future of the answer that `make` makes of what an order said, or of why it failed."""
    result: Future[CommandAnswer] = promise()

    def done(source: Future[str]) -> None:
        error = source.exception()
        if error is None:
            result.set_result(make(source.result()))
        else:
            result.set_result(CommandAnswer(sentence(error), ok=False))

    future.add_done_callback(done)
    return result


def pass_on(source: Future[CommandAnswer], result: Future[CommandAnswer]) -> None:
    """Have `result` become what `source` becomes; neither fails."""
    source.add_done_callback(lambda done: result.set_result(done.result()))


def sentence(error: BaseException) -> str:
    """Return an error as people see it."""
    return error.user_text() if isinstance(error, OpenabError) else f"That did not work: {error}"


def opened(call: Call, answer: Callable[[SessionSnapshot | None], Future[CommandAnswer]]) -> Future[CommandAnswer]:
    """Have the conversation's agent there (it is started if it is not), then answer with how its session looks."""
    result: Future[CommandAnswer] = promise()

    def there(opening: Future[str]) -> None:
        error = opening.exception()
        if error is not None:
            result.set_result(CommandAnswer(sentence(error), ok=False))
            return
        try:
            answered = answer(call.desk.session(call.conversation))
        except OpenabError as refusal:  # the pool closed or filled up meanwhile
            answered = now(CommandAnswer(refusal.user_text(), ok=False))
        pass_on(answered, result)

    call.desk.pool.order(call.conversation, Open()).add_done_callback(there)
    return result
