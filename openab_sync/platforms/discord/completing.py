"""What a command offers while it is being typed: at most 25 choices of at most 100 characters. Pure.

A value that is longer than Discord takes is offered by a token, and found again by it.
"""

from __future__ import annotations

from collections.abc import Iterable

from discord import app_commands

from ...core.command_sessions import tag_of
from ...text.clean import one_line

__all__ = ["meant", "offered"]

MOST = 25
LONGEST = 100
TOKEN = "="  # before a tag that stands for a long value


def offered(found: Iterable[tuple[str, str]], typed: str) -> list[app_commands.Choice[str]]:
    """Return the (label, value) pairs that what is typed so far may mean, those that begin with it first."""
    wanted = typed.strip().lower()
    begin: list[app_commands.Choice[str]] = []
    hold: list[app_commands.Choice[str]] = []
    for label, value in found:
        words = label.lower(), value.lower()
        if value and any(wanted in word for word in words):
            fits = begin if any(word.startswith(wanted) for word in words) else hold
            fits.append(app_commands.Choice(name=one_line(label, LONGEST) or "—", value=_short(value)))
    return (begin + hold)[:MOST]


def meant(values: Iterable[str], word: str) -> str:
    """Return the value that a token stands for; any other word is itself."""
    if not word.startswith(TOKEN):
        return word
    return next((value for value in values if _short(value) == word), word)


def _short(value: str) -> str:
    return value if len(value) <= LONGEST else TOKEN + tag_of(value)
