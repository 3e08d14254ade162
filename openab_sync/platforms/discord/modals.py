"""An agent's form as forms of Discord's: five fields each, texts typed, choices chosen; and what comes back of them.

What comes back is never trusted: only fields that the form has are read, and only so much of each. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import discord

from ...core.events import Field
from ...core.forms import hint
from ...core.port import Form
from ...text.clean import one_line
from .controls import finished
from .ids import made

__all__ = ["PAGE_FIELDS", "address_view", "page_button", "page_modal", "page_of", "pages", "read_page"]

PAGE_FIELDS = 5  # fields that one form of Discord's holds
CHOICES = 25  # in one select; with more the choice is typed
TEXT = 4000  # characters that Discord takes in a field
LABEL, ABOUT, TITLE = 45, 100, 45
LONG = 100  # characters above which a text gets several lines
URL = 512  # characters of an address that a button opens
YES_NO = (("yes", "yes"), ("no", "no"))

Given = Mapping[str, tuple[str, ...]]


def pages(form: Form) -> int:
    """Return how many forms of Discord's it takes."""
    return -(-len(form.fields) // PAGE_FIELDS)


def page_of(form: Form, number: int) -> tuple[Field, ...]:
    """Return the fields of one of them, counted from 0."""
    return form.fields[number * PAGE_FIELDS : (number + 1) * PAGE_FIELDS]


def page_modal(form: Form, token: str, number: int, given: Given) -> discord.ui.Modal:
    """Return one page, with what was given before, else with the defaults. discord.py shows it and then forgets it."""
    part = f" ({number + 1} of {pages(form)})" if pages(form) > 1 else ""
    title = one_line(form.agent, TITLE - len(part)) + part
    modal = discord.ui.Modal(title=title, custom_id=made("form", token, str(number)))
    for index, field in enumerate(page_of(form, number)):
        words = given.get(field.name, field.default)
        item: discord.ui.Item[Any] = _select(field, index, words) if _is_chosen(field) else _text(field, index, words)
        about = one_line(hint(field), ABOUT)
        modal.add_item(discord.ui.Label(text=one_line(field.title, LABEL), description=about, component=item))
    modal.stop()
    return modal


def _is_chosen(field: Field) -> bool:
    return field.kind == "boolean" or 0 < len(field.choices) <= CHOICES


def _text(field: Field, index: int, words: Sequence[str]) -> discord.ui.TextInput[Any]:
    is_text = field.kind == "text"
    most = int(min(field.most, TEXT)) if is_text and field.most is not None and field.most >= 1 else TEXT
    is_long = (is_text and most > LONG) or field.kind == "choices"
    text = "\n".join(words)[:most]
    return discord.ui.TextInput(
        custom_id=f"f{index}",
        style=discord.TextStyle.paragraph if is_long else discord.TextStyle.short,
        default=text or None,
        required=field.is_required,
        max_length=most,
    )


def _select(field: Field, index: int, words: Sequence[str]) -> discord.ui.Select[Any]:
    named = YES_NO if field.kind == "boolean" else tuple((one.value, one.name) for one in field.choices)
    abouts = {one.value: one.description for one in field.choices}
    most = len(named) if field.kind == "choices" else 1
    if field.kind == "choices" and field.most is not None:
        most = max(1, min(most, int(field.most)))
    least = int(field.least or 1) if field.kind == "choices" else 1
    return discord.ui.Select(
        custom_id=f"f{index}",
        required=field.is_required,
        min_values=min(max(1, least), most) if field.is_required else 0,
        max_values=most,
        options=[
            discord.SelectOption(
                label=one_line(name, 100) or "–",
                value=str(number),
                description=one_line(abouts.get(value, ""), 100) or None,
                default=value in words,
            )
            for number, (value, name) in enumerate(named)
        ],
    )


def read_page(form: Form, number: int, data: object) -> dict[str, tuple[str, ...]]:
    """Return what was given in a page that somebody has sent, by field."""
    found: dict[str, tuple[str, ...]] = {}
    _collect(data, found, 6)
    return {field.name: _words(field, found.get(f"f{index}", ())) for index, field in enumerate(page_of(form, number))}


def _words(field: Field, given: tuple[str, ...]) -> tuple[str, ...]:
    if not _is_chosen(field):
        return tuple(given[0].splitlines()) if field.kind == "choices" and given else given
    values = [value for value, _ in YES_NO] if field.kind == "boolean" else [one.value for one in field.choices]
    numbers = [int(word) for word in given if word.isascii() and word.isdecimal() and len(word) <= 2]
    return tuple(values[number] for number in numbers if number < len(values))


def _collect(part: object, found: dict[str, tuple[str, ...]], depth: int) -> None:
    if not isinstance(part, dict) or not depth:
        return
    name, value, values = part.get("custom_id"), part.get("value"), part.get("values")
    if isinstance(name, str) and isinstance(value, str):
        found[name] = (value[:TEXT],)
    elif isinstance(name, str) and isinstance(values, list):
        found[name] = tuple(word for word in values[:CHOICES] if isinstance(word, str))
    inner = part.get("components")
    for one in (part.get("component"), *(inner if isinstance(inner, list) else ())):
        _collect(one, found, depth - 1)


def page_button(token: str, number: int, label: str) -> discord.ui.View:
    """Return the button that opens a page."""
    style = discord.ButtonStyle.primary
    return finished(discord.ui.Button(label=label, style=style, custom_id=made("fill", token, str(number))))


def address_view(token: str, url: str = "") -> discord.ui.View | None:
    """Return the button by which somebody agrees to open an address; with it, the one that opens it, if one can."""
    if url:
        return finished(discord.ui.Button(label="Open", url=url)) if len(url) <= URL else None
    label = "I want to open it"
    return finished(discord.ui.Button(label=label, style=discord.ButtonStyle.primary, custom_id=made("agree", token)))
