"""Forms to fill in and addresses to open, as agents want it: made questions, and what becomes of the answers. Pure.

A platform gets a `Question` with a `Form`. It shows the fields, or the address to one person alone, and returns what
was typed or chosen, as words; here the words become what the agent gets. Nothing that the agent writes in a form is
shown as a link: its texts stand in blocks of code.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from ..acp import elicitation
from ..acp.events import Elicited, Field, PermissionOption
from ..text.clean import one_line, plain
from ..text.tools import fence
from .port import Decision, Form, Question

__all__ = [
    "DECLINE",
    "DISMISS",
    "FILL",
    "OPEN",
    "asked_as",
    "bounds",
    "caution",
    "hint",
    "host_of",
    "is_told",
    "problems",
    "result_of",
]

FILL = PermissionOption("fill", "Fill in", "allow_once")
OPEN = PermissionOption("open", "Show the address", "allow_once")
DECLINE = PermissionOption("decline", "Decline", "reject_once")
DISMISS = PermissionOption("cancel", "Dismiss", "")

TITLE = 150  # characters
Given = Mapping[str, tuple[str, ...]]


def asked_as(asked: Elicited, agent: str) -> tuple[str, str, tuple[PermissionOption, ...], Form]:
    """Return title, detail, answers and form of the question that an elicitation is put as."""
    form = Form(agent, asked.fields, asked.url, plain(asked.message).strip())
    if asked.mode == "url":
        head = f"{agent} asks you to open a page on {host_of(asked.url)}"
        return one_line(head, TITLE), _block(asked.message), (OPEN, DECLINE, DISMISS), form
    lines = [plain(asked.message).strip(), *(f"• {hint(field)}" for field in asked.fields)]
    head = f"{agent} wants to know something"
    return one_line(head, TITLE), _block("\n".join(line for line in lines if line)), (FILL, DECLINE, DISMISS), form


def _block(text: str) -> str:
    text = plain(text).strip()
    return fence(text) if text else ""


def hint(field: Field) -> str:
    """Return what a field is for, in one line: its title, what it takes, whether it is needed."""
    kinds = {"number": "a number", "integer": "a whole number", "boolean": "yes or no"}
    takes = kinds.get(field.kind, "")
    if field.choices:
        names = ", ".join(one_line(choice.name, 60) for choice in field.choices)
        takes = f"{'any' if field.kind == 'choices' else 'one'} of: {names}"
    notes = [note for note in (takes, "" if field.is_required else "may be left out") if note]
    about = f" — {one_line(field.description, 300)}" if field.description else ""
    more = f" ({'; '.join(notes)})" if notes else ""
    return one_line(field.title, 100) + more + about


def bounds(field: Field) -> str:
    """Return how long, many or large what is given may be, "" where that is left open."""
    span, unit = elicitation.span(field), {"text": " characters", "choices": " choices"}.get(field.kind, "")
    return span and span + unit


def host_of(url: str) -> str:
    """Return the host of an address."""
    return urlsplit(url).hostname or ""


def caution(url: str) -> str:
    """Return what people should know about an address before they open it, "" for nothing."""
    notes = []
    if any(part.startswith("xn--") for part in host_of(url).split(".")):
        notes.append("its name is written in other letters than it seems")
    if not url.startswith("https://"):
        notes.append("what you enter there is not encrypted on its way")
    return f"⚠️ Careful: {', and '.join(notes)}." if notes else ""


# What people answered.


def is_told(question: Question, option_id: str) -> bool:
    """Say whether an answer needs what only the place where the question stands can show: a form, or an address."""
    return question.form is not None and option_id in (FILL.option_id, OPEN.option_id)


def problems(fields: Sequence[Field], given: Given) -> list[str]:
    """Return what is wrong with the words that were typed or chosen, a sentence each."""
    return [problem for field in fields if (problem := _problem(field, given))]


def _problem(field: Field, given: Given) -> str:
    try:
        elicitation.checked(field, given.get(field.name, ()))
    except ValueError as error:
        return str(error)
    return ""


def result_of(asked: Elicited, decision: Decision) -> dict[str, object]:
    """Return what the agent gets for what a person decided. What is not in order is none of the answers: cancelled."""
    if decision.option_id == DECLINE.option_id:
        return elicitation.DECLINE
    if decision.option_id == OPEN.option_id and asked.mode == "url":
        return elicitation.accept(None)
    given = decision.values
    if decision.option_id != FILL.option_id or asked.mode != "form" or given is None or problems(asked.fields, given):
        return elicitation.CANCEL
    read = {field.name: elicitation.checked(field, given.get(field.name, ())) for field in asked.fields}
    return elicitation.accept({name: value for name, value in read.items() if value is not None})
