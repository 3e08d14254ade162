"""What the page gets: entries and rooms as JSON, texts of agents as harmless HTML. Pure.

    entry   {"id", "kind", …}; the page has one way of drawing for each kind
    room    {"key", "version", "after", "title", "who", "entries": those that changed after version `after`,
             "first": no entry before this one is there any more, "gone": nor are these}

Drawing a text is the dear part: it is kept for the entry as it is, and done again when the entry has changed.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

from ...core.events import Field
from ...core.forms import bounds, is_told
from ...core.port import Form
from ...text.clean import one_line, plain
from .entries import Asked, Call, Entry, LinkTo, Message, Plan, Room, Sent, Sentence, Stopped, Words
from .markdown import html, safe_uri
from .port import PLATFORM

__all__ = ["Json", "chosen", "drawn_entry", "drawn_question", "drawn_room"]

Json = dict[str, Any]

PICTURES = {"image/png", "image/jpeg", "image/gif", "image/webp"}
SHOWN = 400  # lines of a change
LINE = 100  # characters above which a text of a form gets several lines


def drawn_room(room: Room, after: int = 0) -> Json:
    """Return what has changed in a room since version `after`; 0 for all of it."""
    return {
        "key": room.conversation.key,
        "version": room.version,
        "after": after,
        "first": room.entries[0].id if room.entries else 0,
        "gone": list(room.gone),
        "title": room.title,
        "who": room.who,
        "entries": [drawn_entry(room.conversation.key, entry) for entry in room.entries if entry.version > after],
    }


def drawn_entry(key: str, entry: Entry) -> Json:
    """Return an entry of the conversation `key`."""
    return {"id": entry.id, **_content(key, entry)}


def _content(key: str, entry: Entry) -> Json:
    match entry.content:
        case Message(id, who, text, files, fate):
            return {"kind": "message", "message": id, "who": who, "text": text, "files": list(files), "fate": fate}
        case Words(kind, text, goes_on):
            return {"kind": kind, "html": _html(text), "goes_on": goes_on}
        case Call() as call:
            return _call(call)
        case Plan(steps):
            return {"kind": "plan", "steps": [{"text": step.content, "status": step.status} for step in steps]}
        case Sent(name, mime, size, data):
            url = f"web/files/{key}/{entry.id}" if data is not None else ""
            return {"kind": "file", "name": name, "mime": mime, "size": size, "url": url}
        case LinkTo(name, uri):
            return {"kind": "link", "name": name, "uri": uri, "is_safe": safe_uri(uri)}
        case Sentence(text, ok, lifts):
            return {"kind": "notice", "text": text, "ok": ok, "lifts": lifts}
        case Asked() as asked:
            return {"kind": "question", **drawn_question(asked)}
        case Stopped(outcome, reason, footer, seconds, about):
            how = {"outcome": outcome, "reason": reason, "footer": footer, "seconds": round(seconds, 1)}
            return {"kind": "end", **how, "about": list(about)}


def drawn_question(asked: Asked) -> Json:
    """Return a question with its options as the agent offers them."""
    question = asked.question
    is_here = question.conversation.platform == PLATFORM
    offered = [one for one in question.options if is_here or not is_told(question, one.option_id)]
    options = [{"id": option.option_id, "name": option.name, "kind": option.kind} for option in offered]
    return {
        "question": question.id,
        "conversation": question.conversation.key,
        "title": question.title,
        "html": _html(question.detail),
        "options": options,
        "settled": asked.settled,
        "form": _form(question.form) if question.form is not None and is_here and not asked.settled else None,
    }


def _form(form: Form) -> Json:
    """A form's fields, or only that there is an address: that is asked for by whoever wants to see it."""
    fields = [_field(field) for field in form.fields]
    return {"message": form.message, "fields": fields, "is_address": bool(form.url)}


def _field(field: Field) -> Json:
    """A field; its choices go by their numbers (`chosen`): their values are for the agent alone."""
    numbers = {one.value: str(number) for number, one in enumerate(field.choices)}
    default = [numbers.get(word, "") for word in field.default] if field.choices else list(field.default)
    return {
        "name": field.name,
        "kind": field.kind,
        "title": one_line(field.title, 200),
        "about": plain(field.description),
        "bounds": bounds(field),
        "is_needed": field.is_required,
        "default": default,
        "is_long": field.kind == "text" and (field.most is None or field.most > LINE),
        "choices": [
            {"value": numbers[one.value], "name": one_line(one.name, 200), "about": one_line(one.description, 300)}
            for one in field.choices
        ],
    }


def chosen(form: Form, values: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """Return what was typed or chosen on the page, as `core.forms` reads it. A number that is no choice stays one."""
    read = {}
    for field in form.fields:
        numbers = {str(number): one.value for number, one in enumerate(field.choices)}
        read[field.name] = tuple(numbers.get(word, word) for word in values.get(field.name, ()))
    return read


def _call(call: Call) -> Json:
    changes = []
    for path, diff in call.changes:
        lines = diff.split("\n") if diff else []
        changes.append({"path": path, "lines": lines[:SHOWN], "more": max(0, len(lines) - SHOWN)})
    return {
        "kind": "tool",
        "title": call.title,
        "tool": call.kind,
        "state": call.state,
        "places": list(call.places),
        "changes": changes,
        "output": call.output,
    }


_html = functools.lru_cache(maxsize=2000)(html)
