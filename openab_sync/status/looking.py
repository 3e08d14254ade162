"""The API, looking: sessions, conversations, questions. From snapshots, so it answers whatever the house is doing."""

from __future__ import annotations

from flask import Blueprint, Response, g

from ..core.message import Conversation
from . import shapes, views
from .answers import refuse, reply
from .guard import Access
from .health import not_ready
from .routes import Route, serve
from .sources import Sources

__all__ = ["NONE", "conversation_of", "house_page", "looking", "session_page"]

NONE = "There is no such conversation here."

SESSIONS = Route("GET", "/api/sessions", Access.STATE, "Every session", list[shapes.SessionRow])
SESSION = Route("GET", "/api/sessions/<key>", Access.STATE, "One session, with its last turns", shapes.SessionPage)
CONVERSATIONS = Route(
    "GET", "/api/conversations", Access.STATE, "Conversations, also without a session", list[shapes.ConversationRow]
)
QUESTIONS = Route("GET", "/api/questions", Access.CONTENT, "What people are asked just now", list[shapes.QuestionRow])


def looking(sources: Sources) -> Blueprint:
    """Return the routes."""
    pages = Blueprint("looking", __name__)

    @serve(pages, SESSIONS)
    def sessions() -> Response:
        return reply(house_page(sources, content=g.caller.has_key).sessions)

    @serve(pages, SESSION)
    def session(key: str) -> Response:
        page = session_page(sources, key, content=g.caller.has_key)
        return refuse(404, "There is no session of that name.") if page is None else reply(page)

    @serve(pages, CONVERSATIONS)
    def conversations() -> Response:
        return reply(list(_conversations(sources).values()))

    @serve(pages, QUESTIONS)
    def questions() -> Response:
        return reply(house_page(sources, content=True).questions)

    return pages


def house_page(sources: Sources, *, content: bool) -> shapes.House:
    """Return everything at once."""
    house, now = sources.broker.snapshot(), sources.clock.monotonic()
    clean, rss, reasons = sources.redact, sources.memory(), list(not_ready(sources))
    return shapes.House(
        [views.row(session, now, rss, clean, content=content) for session in house.sessions],
        [shapes.Waiting(key) for key in house.waiting],
        [views.question(item, item.conversation.key, clean) for item in views.open_questions(house) if content],
        shapes.Ready(not reasons, reasons),
    )


def session_page(sources: Sources, key: str, *, content: bool) -> shapes.SessionPage | None:
    """Return one session, None if there is no such one."""
    house, now = sources.broker.snapshot(), sources.clock.monotonic()
    found = next((session for session in house.sessions if session.conversation.key == key), None)
    if found is None:
        return None
    page = shapes.SessionPage(views.row(found, now, sources.memory(), sources.redact, content=content), [], [])
    if content:
        page.turns = [views.turn(turn, key, now, sources.redact) for turn in found.turns]
        page.waiting = views.asked(sources.broker.waiting(found.conversation), sources.redact)
    return page


def conversation_of(sources: Sources, key: str) -> Conversation | None:
    """Return a conversation that is known here, None for any other."""
    found = _conversations(sources).get(key)
    return None if found is None else Conversation(found.platform, key.partition(":")[2])


def _conversations(sources: Sources) -> dict[str, shapes.ConversationRow]:
    house = sources.broker.snapshot()
    rows = {
        key: shapes.ConversationRow(key, key.partition(":")[0], "remembered", memory.cwd, memory.used or None)
        for key, memory in sources.remembered()
    }
    rows |= {key: shapes.ConversationRow(key, key.partition(":")[0], "waiting") for key in house.waiting}
    for session in house.sessions:
        where = session.conversation
        rows[where.key] = shapes.ConversationRow(where.key, where.platform, str(session.state), session.cwd)
    return {key: row for key, row in rows.items() if row.platform in sources.ports}
