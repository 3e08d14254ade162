"""Elicitation: a form or an address that an agent wants a person to see, read and answered. Pure.

What agents send is a small JSON schema: flat, of texts, numbers, yes or no, and choices. What does not fit is refused,
never guessed. Answers are checked against it before they go out, but for its patterns: a regular expression of
somebody else's is not run here; the agent checks again.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from .events import Choice, Elicited, Field, FieldKind, RequestId

__all__ = ["CANCEL", "DECLINE", "Value", "accept", "checked", "completed", "read", "span"]

Value = str | int | float | bool | list[str]

CANCEL: dict[str, object] = {"action": "cancel"}
DECLINE: dict[str, object] = {"action": "decline"}

MOST_FIELDS = 50  # of a form: far more than anybody fills in
MOST_CHOICES = 500
LONGEST = 4000  # characters of a text that is shown
LONGEST_URL = 2000
KINDS: dict[str, FieldKind] = {"string": "text", "number": "number", "integer": "integer", "boolean": "boolean"}


def accept(content: Mapping[str, Value] | None) -> dict[str, object]:
    """Return the result of an elicitation that a person has agreed to; an address has no content."""
    return {"action": "accept"} if content is None else {"action": "accept", "content": dict(content)}


def read(name: RequestId, params: Mapping[str, object], modes: tuple[str, ...]) -> Elicited:
    """Return what is asked for. Raise ValueError, with a reason for the agent, for what cannot be served."""
    mode, message = params.get("mode"), params.get("message")
    if not isinstance(mode, str) or mode not in modes:
        raise ValueError("this mode was not offered")
    text = message[:LONGEST] if isinstance(message, str) else ""
    if mode == "form":
        return Elicited(name, "form", text, _fields(params.get("requestedSchema")))
    url, key = params.get("url"), params.get("elicitationId")
    if not isinstance(url, str) or not isinstance(key, str) or not key:
        raise ValueError("url and elicitationId are wanted")
    return Elicited(name, "url", text, (), _address(url), key)


def completed(params: Mapping[str, object]) -> str:
    """Return the id of an elicitation that is complete, "" if there is none."""
    key = params.get("elicitationId")
    return key if isinstance(key, str) else ""


def _address(url: str) -> str:
    """An address as it is shown and opened: nothing in it may look like something else."""
    if len(url) > LONGEST_URL or not url.isascii() or not url.isprintable() or any(char in url for char in ' <>"`\\'):
        raise ValueError("url is no address that could be shown")
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("https", "http") and bool(parts.hostname) and parts.username is None
    except ValueError:
        good = False
    if not good:
        raise ValueError("url must begin with https:// or http:// and a host")
    return url


# The fields of a form.


def _fields(schema: object) -> tuple[Field, ...]:
    properties = schema.get("properties", {}) if isinstance(schema, dict) else None
    if not isinstance(schema, dict) or not isinstance(properties, dict) or len(properties) > MOST_FIELDS:
        raise ValueError(f"requestedSchema must be an object with at most {MOST_FIELDS} properties")
    required = schema.get("required")
    names = required if isinstance(required, list) else []
    return tuple(_field(name, part, is_required=name in names) for name, part in properties.items())


def _field(name: str, part: object, *, is_required: bool) -> Field:
    if not isinstance(part, dict):
        raise ValueError(f"the property {name[:80]!r} is no schema")
    kind = KINDS.get(str(part.get("type")))
    choices, limits = tuple(_choices(part)), ("minimum", "maximum")
    if part.get("type") == "array":
        items = part.get("items")
        kind, choices, limits = "choices", tuple(_choices(items)), ("minItems", "maxItems")
    elif kind == "text":
        kind, limits = ("choice" if choices else "text"), ("minLength", "maxLength")
    if kind is None or len(choices) > MOST_CHOICES or (kind == "choices" and not choices):
        raise ValueError(f"the property {name[:80]!r} is of a kind that is not known here")
    title, about = part.get("title"), part.get("description")
    return Field(
        name,
        kind,
        title if isinstance(title, str) and title.strip() else name,
        about[:LONGEST] if isinstance(about, str) else "",
        is_required,
        _default(part.get("default"), kind),
        choices,
        _number(part.get(limits[0])),
        _number(part.get(limits[1])),
    )


def _choices(part: object) -> Iterator[Choice]:
    """The values of an enumeration: plain, or with titles (`oneOf`, in arrays `anyOf`)."""
    given: dict[str, Any] = part if isinstance(part, dict) else {}
    plain, titled = given.get("enum"), given.get("oneOf") or given.get("anyOf")
    for value in plain if isinstance(plain, list) else ():
        if isinstance(value, str):
            yield Choice(value, value)
    for entry in titled if isinstance(titled, list) else ():
        value = entry.get("const") if isinstance(entry, dict) else None
        if isinstance(value, str):
            name, about = entry.get("title"), entry.get("description")
            yield Choice(value, name if isinstance(name, str) else value, about if isinstance(about, str) else "")


def _default(value: object, kind: FieldKind) -> tuple[str, ...]:
    """A default as it would be typed or chosen."""
    if kind == "choices":
        return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()
    if isinstance(value, bool):
        return ("yes" if value else "no",) if kind == "boolean" else ()
    return (str(value),) if isinstance(value, str | int | float) else ()


def _number(value: object) -> float | None:
    good = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if good and isinstance(value, int | float) else None


# Answers.


def checked(field: Field, given: tuple[str, ...]) -> Value | None:
    """Return what was typed or chosen as the agent gets it, None for nothing. Raise ValueError with a sentence."""
    words = tuple(word.strip() for word in given if word.strip())
    if not words:
        if field.is_required:
            raise ValueError(f"{field.title} is needed.")
        return None
    if field.kind == "choices":
        return _chosen_many(field, words)
    text = given[0] if field.kind == "text" else words[0]
    return _READERS[field.kind](field, text)


def _text(field: Field, text: str) -> str:
    if not _within(field, len(text)):
        raise ValueError(f"{field.title} must have {span(field)} characters.")
    return text


def _numeric(field: Field, text: str) -> int | float:
    try:
        value = int(text) if field.kind == "integer" else float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f"{field.title} must be a {'whole ' if field.kind == 'integer' else ''}number.")
    if not _within(field, value):
        raise ValueError(f"{field.title} must be {span(field)}.")
    return value


def _yes_or_no(field: Field, text: str) -> bool:
    said = {"yes": True, "y": True, "true": True, "on": True, "no": False, "n": False, "false": False, "off": False}
    if text.lower() not in said:
        raise ValueError(f"{field.title} must be yes or no.")
    return said[text.lower()]


def _chosen(field: Field, text: str) -> str:
    by_value = [choice.value for choice in field.choices if choice.value == text]
    by_name = [choice.value for choice in field.choices if choice.name.casefold() == text.casefold()]
    if not by_value and len(by_name) != 1:
        raise ValueError(f"{field.title} has no choice {text[:60]}.")
    return (by_value or by_name)[0]


def _chosen_many(field: Field, words: tuple[str, ...]) -> list[str]:
    values = list(dict.fromkeys(_chosen(field, word) for word in words))
    if not _within(field, len(values)):
        raise ValueError(f"{field.title} takes {span(field)} choices.")
    return values


_READERS = {"text": _text, "number": _numeric, "integer": _numeric, "boolean": _yes_or_no, "choice": _chosen}


def _within(field: Field, value: float) -> bool:
    return (field.least is None or value >= field.least) and (field.most is None or value <= field.most)


def span(field: Field) -> str:
    """Return between what a value lies, or how long or many it may be, in words; "" without bounds."""
    least = "" if field.least is None else f"{field.least:.10g}"
    most = "" if field.most is None else f"{field.most:.10g}"
    if least and most:
        return f"{least} to {most}"
    if not least and not most:
        return ""
    return f"at least {least}" if least else f"at most {most}"
