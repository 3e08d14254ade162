"""How a question looks on Discord: all of it in the message or in a file with it, the agent's options as buttons.

Nothing of what would happen is hidden: what does not fit into the message comes as a file. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import discord

from ...core.events import PermissionOption
from ...core.message import Person
from ...core.port import Question
from ...text.clean import one_line
from ...text.fences import Fence, step
from ...text.split import split
from .controls import finished
from .ids import made

__all__ = ["DECIDED", "MOST", "PINGED", "Shown", "name_of", "over_text", "people_of", "shown", "view_of"]

PAGE = 2000
LABEL = 80  # characters on a button
ROW, ROWS, CHOICES = 5, 5, 25
MOST = ROWS * CHOICES  # options that a message can offer in selects
DECIDED = 250  # characters of how a question ended
ROOM = 300  # characters kept free for the end of the question: who decided, and how
PINGED = 5  # people

STYLES = {
    "allow_once": discord.ButtonStyle.success,
    "allow_always": discord.ButtonStyle.primary,
    "reject_once": discord.ButtonStyle.danger,
    "reject_always": discord.ButtonStyle.danger,
}
MARKS = {"allow_once": "🟢", "allow_always": "🔵", "reject_once": "🔴", "reject_always": "🔴"}
OTHER = "⚪"  # a kind that we do not know


@dataclass(frozen=True, slots=True)
class Shown:
    """A question as a message: its text, and the file with all of it where the text is not all."""

    text: str
    file: str = ""


def shown(question: Question) -> Shown:
    """Return a question as a message of at most 2000 characters, with a file if that is not all of it."""
    head = f"🔐 **{discord.utils.escape_markdown(one_line(question.title, 200))}**"
    detail = _closed(question.detail)
    names = "\n".join(_long_names(question.options))
    asked = " ".join(f"<@{person.id}>" for person in people_of(question)[:PINGED])
    tail = [part for part in (names, asked) if part]
    whole = "\n".join(part for part in (head, detail, *tail) if part)
    if len(whole) <= PAGE - ROOM:
        return Shown(whole)
    file = "\n\n".join(part for part in (f"# {question.title}", question.detail, names) if part)
    note = "⚠️ **This is only the beginning: all of it is in the file `details.md`. Read it before you decide.**"
    fixed = f"{head}\n{note}\n{asked}"
    room = PAGE - ROOM - len(fixed) - 2
    text = "\n\n".join(part for part in (detail, names) if part)
    return Shown("\n".join(part for part in (head, split(text, room)[0], note, asked) if part), file)


def over_text(question: Question, text: str) -> str:
    """Return the message of a question that is over. Its file, if it has one, stays."""
    return f"{shown(question).text}\n{one_line(text, ROOM - 1)}"


def _closed(text: str) -> str:
    """Return a text that leaves no block of code open: it would swallow what follows."""
    inside: Fence | None = None
    for line in text.split("\n"):
        inside = step(line, inside)
    return text if inside is None else f"{text}\n{inside.mark}"


def _long_names(options: Sequence[PermissionOption]) -> list[str]:
    """The whole text of what does not fit on its button."""
    named = [(number, option.kind, name_of(option)) for number, option in enumerate(options, 1)]
    return [
        f"{number}. {MARKS.get(kind, OTHER)} {discord.utils.escape_markdown(one_line(name, len(name)))}"
        for number, kind, name in named
        if one_line(name, LABEL) != name
    ]


def name_of(option: PermissionOption) -> str:
    """Return what an option is called."""
    return option.name.strip() or option.option_id.strip() or "?"


def view_of(options: Sequence[PermissionOption], token: str) -> discord.ui.View:
    """Return the options as buttons, or as selects if they are too many."""
    if len(options) > ROW * ROWS:
        return finished(*(_select(options, token, start) for start in range(0, len(options), CHOICES)))
    return finished(
        *(
            discord.ui.Button(
                label=one_line(name_of(option), LABEL),
                style=STYLES.get(option.kind, discord.ButtonStyle.secondary),
                custom_id=made("ask", token, str(index)),
                row=index // ROW,
            )
            for index, option in enumerate(options)
        )
    )


def _select(options: Sequence[PermissionOption], token: str, start: int) -> discord.ui.Select[Any]:
    part = options[start : start + CHOICES]
    return discord.ui.Select(
        custom_id=made("choose", token, str(start // CHOICES)),
        placeholder=f"Answers {start + 1} to {start + len(part)}",
        options=[
            discord.SelectOption(
                label=one_line(name_of(option), 100),
                value=str(start + number),
                emoji=MARKS.get(option.kind, OTHER),
            )
            for number, option in enumerate(part)
        ],
    )


def people_of(question: Question) -> list[Person]:
    """Return the people it is asked of: bots do not press buttons."""
    return [person for person in question.asked_of if not person.is_bot]
