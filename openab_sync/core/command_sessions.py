"""Commands about the agent's own: the sessions it remembers, and its slash commands.

A session's id is a credential: whoever knows it can resume the session (FIELD I7). People see and name sessions by a
tag that is made of the id and does not give it away. Only sessions of the conversation's own folder are listed, and
none that another conversation is using is taken from it. Those that a conversation has not had are shown to admins
only: their titles are what others have talked about.

The functions run on the caller's thread, or on the session's once its agent is there; none of them blocks.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import replace

from ..acp.events import StoredSession
from ..errors import OpenabError
from ..text.clean import one_line
from .admission import Trust
from .desk import Call, CommandAnswer, now, opened, pass_on, sentence, then
from .house import ListSessions, Memory, Reset, SessionPage, SessionSnapshot, promise
from .message import Conversation
from .rights import SENTENCES

__all__ = ["do", "going_on", "listed", "sessions", "tag_of"]

_PAGES = 20  # asked for at most; an agent whose list never ends must not keep anybody
_SHOWN = 100  # sessions


def tag_of(session_id: str) -> str:
    """Return the short name of a session that people see: the same for the same id, and not the id."""
    return hashlib.blake2b(session_id.encode("utf-8", "replace"), digest_size=5).hexdigest()


def sessions(call: Call) -> Future[CommandAnswer]:
    """Show the sessions the agent remembers, or go on with one of them."""
    verb, _, tag = call.argument.partition(" ")
    if verb not in ("", "resume") or bool(verb) != bool(tag.strip()):
        return now(CommandAnswer("Write /sessions or /sessions resume TAG.", ok=False))

    def answer(page: SessionPage) -> Future[CommandAnswer]:
        if not verb:
            return now(CommandAnswer("\n".join(_lines(call, page)) or "The agent remembers no sessions here."))
        wanted = next((item for item in page.sessions if tag_of(item.session_id) == tag.strip().lower()), None)
        if wanted is None:
            return now(CommandAnswer(f"There is no session {one_line(tag, 40)}: /sessions lists them.", ok=False))
        if not page.can_resume:
            return now(CommandAnswer("This agent cannot go on with an earlier session.", ok=False))
        return going_on(call, wanted)

    return _then_page(listed(call), answer)


def listed(call: Call) -> Future[SessionPage]:
    """Return what the agent remembers of the conversation's folder and the asker may see, within reason.

    The agent is started if it is not there. The Future fails with AgentRefused for one that does not tell, or with
    whatever else kept it from telling.
    """
    result: Future[SessionPage] = promise()
    found: list[StoredSession] = []

    def ask(cursor: str, pages: int) -> None:
        order = ListSessions(cursor)
        order.done.add_done_callback(lambda done: told(order, done, pages))
        try:
            call.desk.pool.order(call.conversation, order)
        except OpenabError as refusal:
            result.set_exception(refusal)

    def told(order: ListSessions, done: Future[str], pages: int) -> None:
        if (error := done.exception()) is not None:
            result.set_exception(error)
            return
        page = order.page.result()
        found.extend(item for item in page.sessions if _is_theirs(call, item))
        if page.cursor and page.cursor != order.cursor and pages < _PAGES and len(found) < _SHOWN:
            ask(page.cursor, pages + 1)
        else:
            result.set_result(SessionPage(tuple(found), page.cursor, page.can_resume))

    ask("", 1)
    return result


def going_on(call: Call, stored: StoredSession, asked_in: Conversation | None = None) -> Future[CommandAnswer]:
    """Have the conversation go on with a session of the agent's, which takes the place of its own.

    `asked_in` is the conversation whose session it may be, if it goes on in another.
    """
    if not _is_theirs(replace(call, conversation=asked_in or call.conversation), stored):
        return now(CommandAnswer(SENTENCES[Trust.ADMIN], ok=False))
    for other in call.desk.look().sessions:
        if other.acp_session_id == stored.session_id:
            where = "this conversation" if other.conversation == call.conversation else str(other.conversation)
            return now(CommandAnswer(f"That session is in use already, by {where}.", ok=False))
    session = call.desk.session(call.conversation)
    if session is not None and session.turn_started is not None:
        return now(CommandAnswer("The agent is at work here: /cancel it first.", ok=False))
    memory = Memory(stored.session_id, (), stored.cwd, used=call.desk.clock.time())
    try:
        return then(call.desk.pool.order(call.conversation, Reset(call.by, memory)), CommandAnswer)
    except OpenabError as refusal:
        return now(CommandAnswer(refusal.user_text(), ok=False))


def _is_theirs(call: Call, stored: StoredSession) -> bool:
    return call.view.trust >= Trust.ADMIN or call.desk.pool.memories.has_had(call.conversation.key, stored.session_id)


def _lines(call: Call, page: SessionPage) -> Iterator[str]:
    mine = call.desk.session(call.conversation)
    for item in page.sessions:
        here = mine is not None and mine.acp_session_id == item.session_id
        when = f", {one_line(item.updated_at, 20)}" if item.updated_at else ""
        title = one_line(call.view.title(item.title), 80) or "without a title"
        yield f"{'●' if here else '○'} {tag_of(item.session_id)}: {title}{when}"
    if page.cursor:
        yield "… and more."


def _then_page(
    future: Future[SessionPage], answer: Callable[[SessionPage], Future[CommandAnswer]]
) -> Future[CommandAnswer]:
    result: Future[CommandAnswer] = promise()

    def done(source: Future[SessionPage]) -> None:
        error = source.exception()
        pass_on(now(CommandAnswer(sentence(error), ok=False)) if error else answer(source.result()), result)

    future.add_done_callback(done)
    return result


# The agent's own commands.


def do(call: Call) -> Future[CommandAnswer]:
    """Show the agent's own commands. They are given by writing them: a message goes to the agent as it is."""
    if call.argument:
        name = one_line(call.argument, 80).removeprefix("/")
        return now(CommandAnswer(f"Write /{name} as a message of its own: it goes to the agent as it is.", ok=False))

    def answer(session: SessionSnapshot | None) -> Future[CommandAnswer]:
        own = session.commands if session else ()
        lines = [
            f"/{item.name}{f' [{one_line(item.hint, 40)}]' if item.hint else ''} — {one_line(item.description, 100)}"
            for item in own
        ]
        return now(CommandAnswer("\n".join(lines) or "This agent has no commands of its own."))

    return opened(call, answer)
