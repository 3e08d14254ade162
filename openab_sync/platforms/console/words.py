"""What the person types, read: an order, an answer, or a message for the agent; and what Ctrl-C means. Pure.

Only exact names are orders: everything else that begins with a slash is the agent's (FIELD F16).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from ...core.events import PermissionOption

__all__ = ["OWN", "Interrupts", "Order", "chosen", "mistyped", "nearly", "order"]

OWN: tuple[tuple[str, str, str], ...] = (
    ("new", "[NAME]", "begin another conversation; the others go on"),
    ("switch", "[NAME]", "go to another conversation, or list them"),
    ("answer", "[NAME] N", "answer an agent's question"),
    ("quit", "", "leave (also Ctrl-D, or Ctrl-C twice)"),
)
"""The orders of the terminal itself: name, argument, help. The core has its own."""

ALIKE = 0.75  # of two words, by difflib, when one is taken for the other mistyped …
LONGER = 2  # … and they differ in length by no more letters
TWICE = 2.0  # seconds between two Ctrl-C that are meant as one


@dataclass(frozen=True, slots=True)
class Order:
    """`/name argument`."""

    name: str
    argument: str = ""


def order(text: str, known: Collection[str]) -> Order | None:
    """Return the order that `text` is, or None: a message for the agent."""
    name, _, argument = text.strip().partition(" ")
    if not name.startswith("/") or name[1:].lower() not in known or "\n" in name:
        return None
    return Order(name[1:].lower(), argument.strip())


def chosen(text: str, options: Sequence[PermissionOption]) -> PermissionOption | None:
    """Return the option meant by `text`: its number (from 1), its name or its id; None if none is."""
    text = text.strip().casefold()
    if text.isascii() and text.isdecimal() and 1 <= int(text) <= len(options):
        return options[int(text) - 1]
    named = [option for option in options if text in {option.name.casefold(), option.option_id.casefold()}]
    return named[0] if len(named) == 1 else None


def nearly(text: str, options: Sequence[PermissionOption]) -> bool:
    """Whether `text`, which chooses nothing, was meant to: a number, or the beginning of an option's name or id."""
    text = text.strip().casefold()
    if text.isascii() and text.isdecimal():
        return True
    names = [word.casefold() for option in options for word in (option.name, option.option_id)]
    return bool(text) and any(name.startswith(text) for name in names)


def mistyped(text: str, ours: Collection[str], agents: Collection[str]) -> str | None:
    """Return the order of ours that `text` was meant to be, or None: it is one already, the agent's, or neither.

    A longer word is another word: `/modelsfoo` is the agent's.
    """
    name = text.strip().partition(" ")[0]
    word = name[1:].lower()
    if not name.startswith("/") or "\n" in name or word in ours or name[1:] in agents:
        return None
    near = [known for known in ours if abs(len(known) - len(word)) <= LONGER]
    return next(iter(get_close_matches(word, near, 1, ALIKE)), None)


class Interrupts:
    """Ctrl-C: once cancels the running turn, twice leaves; what is typed in between begins anew."""

    __slots__ = ("_last",)

    def __init__(self) -> None:
        self._last: float | None = None

    def press(self, now: float, *, busy: bool) -> Literal["cancel", "hint", "leave"]:
        """Return what a Ctrl-C at `now` (seconds) means. The second one leaves if it is quick or nothing runs."""
        last, self._last = self._last, now
        if last is not None and (now - last <= TWICE or not busy):
            return "leave"
        return "cancel" if busy else "hint"

    def forget(self) -> None:
        """Something was typed: the next Ctrl-C is a first one."""
        self._last = None
