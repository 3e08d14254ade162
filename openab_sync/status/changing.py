"""The API, changing: cancel, reset, write into a conversation, answer a question.

**Threads**: each request waits here for the one thing that it has ordered, no longer than a few seconds; so few may
wait at once that threads are left for those who only look. **Locks**: a counter of those who wait, never waited for.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from concurrent.futures import Future
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import msgspec
from flask import Blueprint, Response, g, request

from ..core.desk import CommandAnswer
from ..core.forms import is_told
from ..core.message import Conversation, Inbound, MessageRef, Person
from ..core.notices import tell
from ..core.port import Notice
from ..errors import ChatError, ChatTimeout, StoreError
from . import shapes, views
from .answers import refuse, reply
from .guard import Access
from .looking import NONE, conversation_of
from .routes import Route, serve
from .sources import Sources

__all__ = ["changing"]

AT_ONCE = 4  # requests that wait for a session or a chat service
ORDERED = 5.0  # seconds for a session to carry out an order
POSTED = 15.0  # seconds for a chat service to take a message

T = TypeVar("T")
P = ParamSpec("P")

BUSY = {503: "Too many changes wait already, or nothing more is taken."}
LATER = {202: shapes.Done}
CANCEL = Route(
    "POST", "/api/sessions/<key>/cancel", Access.CHANGE, "Stop the running turn", shapes.Done, also=BUSY, others=LATER
)
RESET = Route(
    "POST", "/api/sessions/<key>/reset", Access.CHANGE, "End the agent, forget", shapes.Done, also=BUSY, others=LATER
)
MESSAGE = Route(
    "POST",
    "/api/sessions/<key>/message",
    Access.CHANGE,
    "Say something in a conversation: people there see it, the agent answers",
    shapes.Sent,
    202,
    shapes.MessageBody,
    also={
        **BUSY,
        409: "The chat service or the house refuses it.",
        429: "More messages than the limits allow.",
        504: "The chat service does not answer.",
    },
)
ANSWER = Route(
    "POST",
    "/api/questions/<question>",
    Access.CHANGE,
    "Answer a question that people are asked",
    shapes.Done,
    takes=shapes.AnswerBody,
    also={**BUSY, 409: "It is not open any more, is answered elsewhere, or the agent does not offer that."},
    others=LATER,
)


def changing(sources: Sources) -> Blueprint:
    """Return the routes."""
    pages = Blueprint("changing", __name__)
    room = threading.Semaphore(AT_ONCE)

    @serve(pages, CANCEL)
    @_bounded(room)
    def cancel(key: str) -> Response:
        return _command(sources, key, "cancel")

    @serve(pages, RESET)
    @_bounded(room)
    def reset(key: str) -> Response:
        return _command(sources, key, "reset")

    @serve(pages, MESSAGE)
    @_bounded(room)
    def message(key: str) -> Response:
        body = _body(shapes.MessageBody)
        if isinstance(body, Response):
            return body
        where = conversation_of(sources, key)
        return refuse(404, NONE) if where is None else _say(sources, where, body)

    @serve(pages, ANSWER)
    @_bounded(room)
    def answer(question: str) -> Response:
        body = _body(shapes.AnswerBody)
        if isinstance(body, Response):
            return body
        asked = next((item for item in views.open_questions(sources.broker.snapshot()) if item.id == question), None)
        if asked is None:
            return refuse(404, "That question is not open.")
        if body.option not in {option.option_id for option in asked.options}:
            return refuse(409, "The agent does not offer that answer.")
        if is_told(asked, body.option):
            return refuse(409, "A form is filled in, and an address opened, where the question stands.")
        return _done(sources.broker.answer(asked, body.option, _person()), refused=409)

    return pages


def _bounded(room: threading.Semaphore) -> Callable[[Callable[P, Response]], Callable[P, Response]]:
    """Let so many wait at once and send others away."""

    def bound(view: Callable[P, Response]) -> Callable[P, Response]:
        @wraps(view)
        def bounded(*args: P.args, **named: P.kwargs) -> Response:
            if not room.acquire(blocking=False):
                return refuse(503, "Too many changes are under way: try again in a moment.")
            try:
                return view(*args, **named)
            finally:
                room.release()

        return bounded

    return bound


def _body(kind: type[T]) -> T | Response:
    """Return the body of the request, or why it is none."""
    if request.mimetype != "application/json":
        return refuse(415, "The body has to be JSON: Content-Type: application/json.")
    try:
        return msgspec.json.decode(request.get_data(), type=kind)
    except (msgspec.DecodeError, ValueError) as error:  # what it is told may hold what was sent, as long as it likes
        return refuse(400, str(error)[:300])


def _person(name: str = "") -> Person:
    """Whoever has a key: nobody of the chat's."""
    return Person("status", name or ("the status page" if g.caller.visit else "the status API"))


def _command(sources: Sources, key: str, name: str) -> Response:
    where = conversation_of(sources, key)
    if where is None:
        return refuse(404, NONE)
    return _done(sources.broker.command(where, name, "", _person()), refused=503)


def _done(future: Future[CommandAnswer], refused: int) -> Response:
    try:
        answer = future.result(ORDERED)
    except TimeoutError:
        return reply(shapes.Done(True, "Ordered: the session has not come to it yet.", False), 202)
    return reply(shapes.Done(True, answer.text, True)) if answer.ok else refuse(refused, answer.text)


def _say(sources: Sources, where: Conversation, body: shapes.MessageBody) -> Response:
    by = _person(body.by.strip())
    if why := sources.broker.refusal(where, by):
        return refuse(429, why)
    try:
        ref = _post(sources, where, f"📨 {by.name}:\n{body.text}")
    except ChatTimeout as error:
        return refuse(504, error.user_text())
    except ChatError as error:
        return refuse(409, error.user_text())
    except TimeoutError:
        return refuse(504, "The chat service does not answer.")
    number, safe = sources.broker.accept(ref, by, body.text, {})
    try:
        safe.result(POSTED)
    except (StoreError, TimeoutError) as error:  # people have seen it: they are told, too, that nobody answers it
        why = error.user_text() if isinstance(error, StoreError) else "I cannot keep anything at the moment."
        sources.broker.dismiss(number, is_told=True)  # behind it in the journal: should the disk take it after all
        tell(sources.ports[where.platform], where, why, ref)
        return refuse(503, why)
    receipt = sources.broker.receive(Inbound(ref, by, body.text, delivery=number))
    if receipt.state == "refused":
        return refuse(409, receipt.text)
    return reply(shapes.Sent(receipt.state, receipt.position, receipt.text, ref.id), 202)


def _post(sources: Sources, where: Conversation, text: str) -> MessageRef:
    """Show people what is said, as much of it as goes into a message. Blocks for seconds. Raise ChatError."""
    port: Any = sources.ports[where.platform]
    limits = port.limits(where)
    if limits.live == "events":
        port.event(where, Notice(text))
        return MessageRef(where, f"status-{uuid.uuid4().hex}")
    shown = text if len(text) <= limits.page else text[: limits.page - 1] + "…"
    posted: Future[MessageRef] = port.post(where, shown, nonce=uuid.uuid4().hex[:25])
    return posted.result(POSTED)
