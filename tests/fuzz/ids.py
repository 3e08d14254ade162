"""What comes back of a button or a form: the first line is a custom id, the rest is JSON that a form was sent with."""

from __future__ import annotations

import json

from openab_sync.core.events import Choice, Field
from openab_sync.core.port import Form
from openab_sync.platforms.discord.ids import KINDS, made, read
from openab_sync.platforms.discord.modals import page_of, pages, read_page

__all__ = ["one_input"]

TEXT = 4000  # characters that Discord takes in a field
LONGEST = 100  # characters that Discord keeps of an id
CHOICES = (Choice("red", "Red"), Choice("blue", "Blue"))
FORM = Form(
    "Robin",
    (
        Field("name", "text", "Name", most=50),
        Field("is_new", "boolean", "New"),
        Field("colour", "choice", "Colour", choices=CHOICES),
        Field("colours", "choices", "Colours", choices=CHOICES),
        Field("age", "integer", "Age"),
        Field("more", "text", "More"),
    ),
)
OFFERED = {"is_new": {"yes", "no"}, "colour": {"red", "blue"}, "colours": {"red", "blue"}}


def one_input(data: bytes) -> None:
    """What is read is what was made, whatever else is not ours; a form gives fields of that page and nothing else."""
    first, _, rest = data.partition(b"\n")
    text = first.decode("utf-8", "replace")
    known = read(text)
    if known is not None:
        assert len(text) <= LONGEST
        assert known.kind in KINDS
        assert made(known.kind, *known.parts) == text
        assert all(part.isascii() and ":" not in part for part in known.parts)
        shapes = zip(known.parts, KINDS[known.kind], strict=True)
        assert all(part.isdecimal() for part, shape in shapes if shape.startswith("[0-9]{"))
    try:
        sent = json.loads(rest)
    except (ValueError, RecursionError):
        sent = {"components": rest.decode("utf-8", "replace")}
    _check_form(sent)


def _check_form(sent: object) -> None:
    for number in range(pages(FORM)):
        given = read_page(FORM, number, sent)
        assert [*given] == [field.name for field in page_of(FORM, number)]
        assert all(len(word) <= TEXT for words in given.values() for word in words)
        assert all({*words} <= OFFERED[name] for name, words in given.items() if name in OFFERED)
