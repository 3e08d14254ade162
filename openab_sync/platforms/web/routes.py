"""The page's routes: the page itself, what it is told, what people do on it. The status server puts a door before them.

    GET  /                         the page, and its parts below /page/ (and /favicon.ico, which browsers ask for)
    GET  /web/stream               server-sent events (see `stream`); 503 when too many look: then the page asks
    GET  /web/look                 the same, once
    GET  /web/files/KEY/ENTRY      a file that an agent made
    POST /web/conversations        a new conversation
    POST /web/uploads              a file begins; POST /web/uploads/ID: a piece of it; DELETE: it is not wanted
    POST /web/messages             {conversation, text, files}
    POST /web/take-back            {conversation, message}
    POST /web/answers              {question, option, values}; `values` of a form: {field: [words]}. 422: `fields` is
                                   {field: what is wrong}
    POST /web/addresses            {question}: the address that somebody is asked to open
    POST /web/orders               {conversation, name, argument}

Who may is the server's to say: `access` on a view is its word for that. Errors are {"error": "a sentence"}.

**Threads**: those of the web server.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.resources import files
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, TypeVar

from flask import Blueprint, Response, request

from ...core.commands import find_command
from ...core.message import Conversation
from ...errors import FileRefused
from ...media.kinds import kind_of
from ...media.outgoing import outgoing
from .chat import TEXT, conversation_of
from .entries import Sent
from .port import PLATFORM
from .stream import look, stream
from .uploads import PIECE

if TYPE_CHECKING:
    from .platform import Web

__all__ = ["routes"]

TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
V = TypeVar("V", bound=Callable[..., Any])


class _Wrong(Exception):
    """What was sent cannot be used; said with a code."""

    def __init__(self, sentence: str, code: int = 400) -> None:
        super().__init__(sentence)
        self.code = code


def routes(web: Web) -> Blueprint:
    """Return the routes of a platform that has been started."""
    pages = Blueprint("web", __name__)
    pages.register_error_handler(_Wrong, lambda wrong: _json({"error": f"{wrong}"}, wrong.code))
    _the_page(pages)
    _looking(pages, web)
    _doing(pages, web)
    _answering(pages, web)
    _uploading(pages, web)
    return pages


def _plain(view: V) -> V:
    """Anybody on this machine may have it, elsewhere whoever has a key: it is the same for all and says nothing."""
    view.__dict__["access"] = "state"
    return view


def _the_page(pages: Blueprint) -> None:
    folder = files(__package__) / "static"
    parts = {item.name: item.read_bytes() for item in folder.iterdir() if PurePosixPath(item.name).suffix in TYPES}

    def part(name: str) -> Response:
        if name not in parts:
            raise _Wrong("There is no such part of the page.", 404)
        kind = TYPES[PurePosixPath(name).suffix]
        return Response(parts[name], mimetype=kind, headers={"Cache-Control": "no-cache"})

    @pages.get("/")
    @_plain
    def page() -> Response:
        return part("index.html")

    @pages.get("/favicon.ico")
    @_plain
    def icon() -> Response:
        return part("icon.svg")

    @pages.get("/page/<name>")
    @_plain
    def piece(name: str) -> Response:
        return part(name)


def _looking(pages: Blueprint, web: Web) -> None:
    @pages.get("/web/look")
    def once() -> Response:
        return _json(look(web.sights, _wanted()))

    @pages.get("/web/stream")
    def live() -> Response:
        if not web.seats.take():
            return _json({"error": "Too many pages look at once: this one has to ask instead."}, 503)
        answer = Response(
            stream(web.sights, _wanted()), mimetype="text/event-stream", headers={"X-Accel-Buffering": "no"}
        )
        answer.call_on_close(web.seats.give_back)
        return answer

    @pages.get("/web/files/<key>/<int:entry>")
    def file(key: str, entry: int) -> Response:
        room = web.hall.view.rooms.get(key)
        found = [item.content for item in room.entries if item.id == entry] if room is not None else []
        content = found[0] if found else None
        if not isinstance(content, Sent) or content.data is None:
            raise _Wrong("That file is not kept any more.", 404)
        name, data = outgoing(content.name, content.data, content.mime)
        is_picture = kind_of(data).what == "image"
        shown = "inline" if is_picture else "attachment"
        headers = {"Content-Security-Policy": "default-src 'none'; sandbox", "Cache-Control": "private, max-age=3600"}
        answer = Response(data, mimetype=kind_of(data).mime if is_picture else "application/octet-stream")
        answer.headers.update(headers)
        answer.headers.set("Content-Disposition", shown, filename=name)
        return answer


def _doing(pages: Blueprint, web: Web) -> None:
    @pages.post("/web/conversations")
    def begin() -> Response:
        return _json({"conversation": web.chat.open().key}, 201)

    @pages.post("/web/messages")
    def write() -> Response:
        data = _data()
        text, keys = _text(data, "text", TEXT), data.get("files", [])
        if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
            raise _Wrong("`files` is a list of uploads.")
        if not text.strip() and not keys:
            raise _Wrong("There is nothing to send.")
        place = _conversation(data)
        if place.platform != PLATFORM:
            raise _Wrong("People write into that conversation where it is, not here.", 409)
        written = web.chat.write(place, text, keys)
        code = 409 if written.state == "refused" else 200
        told = {"conversation": written.conversation.key, "state": written.state, "text": written.text}
        return _json({**told, "error": written.text} if code == 409 else told, code)

    @pages.post("/web/take-back")
    def take_back() -> Response:
        data = _data()
        if not web.chat.take_back(_conversation(data), _text(data, "message", 200)):
            raise _Wrong("The agent has taken it already.", 409)
        return _json({})

    @pages.post("/web/orders")
    def order() -> Response:
        data = _data()
        name = _text(data, "name", 40)
        if find_command(name) is None:
            raise _Wrong("There is no such command.", 404)
        return _json({"text": web.chat.order(_conversation(data), name, _text(data, "argument", 10_000))}, 202)


def _answering(pages: Blueprint, web: Web) -> None:
    @pages.post("/web/answers")
    def answer() -> Response:
        data = _data()
        question, option, values = _text(data, "question", 200), _text(data, "option", 1000), _values(data)
        if wrong := web.chat.complaints(question, option, values):
            return _json({"error": " ".join(wrong.values()), "fields": wrong}, 422)
        if not web.chat.answer(question, option, values):
            raise _Wrong("That question is not open any more.", 409)
        return _json({})

    @pages.post("/web/addresses")
    def address() -> Response:
        found = web.chat.address(_text(_data(), "question", 200))
        if found is None:
            raise _Wrong("There is no address to be opened here.", 404)
        return _json(dict(zip(("url", "host", "caution"), found, strict=True)))


def _uploading(pages: Blueprint, web: Web) -> None:
    @pages.post("/web/uploads")
    def begin_upload() -> Response:
        data = _data()
        return _tried(lambda: {"upload": web.uploads.begin(_conversation(data), _text(data, "name", 1000))}, 201)

    @pages.post("/web/uploads/<key>")
    def add_piece(key: str) -> Response:
        piece = request.get_data()
        if len(piece) > PIECE:
            raise _Wrong(f"A piece has at most {PIECE} bytes.", 413)
        return _tried(lambda: {"size": web.uploads.add(key, piece)})

    @pages.delete("/web/uploads/<key>")
    def forget_upload(key: str) -> Response:
        web.uploads.forget(key)
        return _json({})


def _tried(do: Callable[[], dict[str, Any]], code: int = 200) -> Response:
    try:
        return _json(do(), code)
    except FileRefused as refused:
        raise _Wrong(f"The file {refused}.", 409) from refused


# What was sent.


def _data() -> dict[str, Any]:
    data = request.get_json(silent=True)
    if not isinstance(data, dict):
        raise _Wrong("A JSON object is wanted.")
    return data


def _text(data: dict[str, Any], name: str, most: int) -> str:
    value = data.get(name, "")
    if not isinstance(value, str) or len(value) > most:
        raise _Wrong(f"`{name}` is a text of at most {most} characters.")
    return value


def _values(data: dict[str, Any]) -> dict[str, tuple[str, ...]] | None:
    """What was typed or chosen in a form, by field."""
    given = data.get("values")
    if given is None:
        return None
    if not isinstance(given, dict) or not all(
        isinstance(words, list) and all(isinstance(word, str) for word in words) for words in given.values()
    ):
        raise _Wrong("`values` has a list of texts for each field.")
    return {name: tuple(words) for name, words in given.items()}


def _conversation(data: dict[str, Any]) -> Conversation:
    place = conversation_of(_text(data, "conversation", 200))
    if place is None:
        raise _Wrong("`conversation` names none: it looks like `web:1a2b3c4d`.")
    return place


def _wanted() -> tuple[str, int]:
    """Which conversation a page shows, and what it has of it: a stream that was lost says it in a header."""
    after = request.headers.get("Last-Event-ID") or request.args.get("after", "")
    return request.args.get("room", ""), int(after) if after.isascii() and after.isdecimal() and len(after) < 16 else 0


def _json(data: Any, code: int = 200) -> Response:
    return Response(json.dumps(data, ensure_ascii=False), code, mimetype="application/json")
