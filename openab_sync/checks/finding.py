"""A finding: one thing that was looked at, how it is, and what to do about it. Plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Finding", "Level", "fail", "ok", "warn"]

Level = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Finding:
    """`what` was looked at, `text` is how it is, `todo` what mends it ("" where nothing has to be)."""

    level: Level
    what: str
    text: str
    todo: str = ""


def ok(what: str, text: str) -> Finding:
    """It is as it should be."""
    return Finding("ok", what, text)


def warn(what: str, text: str, todo: str) -> Finding:
    """It works, but not as well as it could: `todo` says what would mend it."""
    assert todo, text
    return Finding("warn", what, text, todo)


def fail(what: str, text: str, todo: str) -> Finding:
    """It does not work: `todo` says what mends it."""
    assert todo, text
    return Finding("fail", what, text, todo)
