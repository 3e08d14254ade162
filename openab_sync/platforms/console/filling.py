"""Answering the oldest question of a conversation, line by line: one line for an option, several for a form. Pure.

    option ──► done                                      a permission
    "Fill in" ──► each field in turn ──► all of it is shown ──► send, or the number of what is to be changed ──► done
    "Show the address" ──► the address, whole ──► yes ──► done

While a form is being filled in every line is part of it; orders (`/…`) are not lines of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ...core.events import Field
from ...core.forms import DECLINE, FILL, OPEN, caution, hint, host_of, problems
from ...core.port import Question
from .words import chosen

__all__ = ["Filling", "Step"]

SEND, LEAVE = "send", "decline"


@dataclass(frozen=True, slots=True)
class Step:
    """What a line did: what to say, and the option that was chosen in the end, "" as long as there is none."""

    said: str = ""
    option_id: str = ""
    values: Mapping[str, tuple[str, ...]] | None = field(default=None, repr=False)
    is_understood: bool = True


NOTHING = Step(is_understood=False)


class Filling:
    """How far one answer is. One thread only."""

    def __init__(self) -> None:
        self._question = ""  # whose form is being filled in
        self._values: dict[str, tuple[str, ...]] = {}
        self._at: int | None = None  # the field that is asked for; None: all of them are there

    def take(self, question: Question, text: str) -> Step:
        """Take a line that was typed while `question` is the oldest one."""
        if self._question == question.id:
            is_address = question.form is not None and bool(question.form.url)
            return self._confirmed(text) if is_address else self._typed(question, text)
        option = chosen(text, question.options)
        if option is None:
            return NOTHING
        if question.form is None or option.option_id not in (FILL.option_id, OPEN.option_id):
            return Step(option_id=option.option_id)
        self._question, self._values = question.id, {}
        if option.option_id == OPEN.option_id:
            url = question.form.url
            lines = (url, f"It is on {host_of(url)}.", caution(url), "Type yes to open it yourself, or no to decline.")
            return Step("\n".join(line for line in lines if line))
        return self._next(question, 0)

    # A form.

    def _typed(self, question: Question, text: str) -> Step:
        fields = question.form.fields if question.form else ()
        if text.strip().lower() == f"/{LEAVE}" or (self._at is None and text.strip().lower() == LEAVE):
            return self._end(DECLINE.option_id)
        if self._at is None:
            return self._reviewed(question, fields, text.strip().lower())
        asked = fields[self._at]
        given = _words(asked, text)
        if complaints := problems([asked], {asked.name: given}):
            return Step(complaints[0])
        is_change = asked.name in self._values
        self._values[asked.name] = given
        return self._review(fields) if is_change else self._next(question, self._at + 1)

    def _next(self, question: Question, at: int) -> Step:
        fields = question.form.fields if question.form else ()
        if at >= len(fields):
            return self._review(fields)
        self._at = at
        return Step(_prompt(fields[at]))

    def _review(self, fields: tuple[Field, ...]) -> Step:
        self._at = None
        lines = [f"{n}. {one.title}: {_named(one, self._values[one.name]) or '–'}" for n, one in enumerate(fields, 1)]
        return Step("\n".join([*lines, f"Type {SEND}, the number of what is to be changed, or {LEAVE}."]))

    def _reviewed(self, question: Question, fields: tuple[Field, ...], word: str) -> Step:
        if word == SEND:
            return self._end(FILL.option_id, dict(self._values))
        if word.isascii() and word.isdecimal() and 1 <= int(word) <= len(fields):
            return self._next(question, int(word) - 1)
        return Step(f"Type {SEND}, a number from 1 to {len(fields)}, or {LEAVE}.")

    # An address.

    def _confirmed(self, text: str) -> Step:
        word = text.strip().lower()
        if word in ("yes", "y"):
            return self._end(OPEN.option_id)
        return self._end(DECLINE.option_id) if word in ("no", "n", LEAVE) else Step("Type yes or no.")

    def _end(self, option_id: str, values: Mapping[str, tuple[str, ...]] | None = None) -> Step:
        self._question, self._at = "", None
        return Step("", option_id, values)


def _prompt(asked: Field) -> str:
    lines = [hint(asked)]
    for number, choice in enumerate(asked.choices, 1):
        lines.append(f"   {number}. {choice.name}{f' — {choice.description}' if choice.description else ''}")
    extra = ["a number or a name"] if asked.choices else []
    extra += ["a comma between several"] if asked.kind == "choices" else []
    extra += [f"= for {_named(asked, asked.default)}"] if asked.default else []
    extra += [] if asked.is_required else ["- to leave it out"]
    return "\n".join([*lines, *([f"   ({'; '.join(extra)})"] if extra else [])])


def _words(asked: Field, text: str) -> tuple[str, ...]:
    if text.strip() == "=" and asked.default:
        return asked.default
    if text.strip() == "-" and not asked.is_required:
        return ()
    if not asked.choices:
        return (text,)
    parts = text.split(",") if asked.kind == "choices" else [text]
    return tuple(_picked(asked, part.strip()) for part in parts)


def _picked(asked: Field, word: str) -> str:
    """Return the choice that is meant, by its name as it is shown (which may hide something) or by its number."""
    named = [one.value for one in asked.choices if word == one.value or word.casefold() == one.name.casefold()]
    if not named and word.isascii() and word.isdecimal() and 1 <= int(word) <= len(asked.choices):
        return asked.choices[int(word) - 1].value
    return named[0] if len(named) == 1 else word


def _named(asked: Field, values: tuple[str, ...]) -> str:
    """Return what was chosen as it is shown to people."""
    names = {one.value: one.name for one in asked.choices}
    return ", ".join(names.get(value, value) for value in values)
