"""What a program that logs somebody in shows them: addresses to open, codes to type there, questions that it waits on.

Fed with what a terminal shows, in pieces, as it comes; tells each address and each code once. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from .clean import plain

__all__ = ["Hint", "Watch"]

MOST = 16_384  # characters that are looked at together; what is older is over

_URL = re.compile(r"https?://[^\s<>\"'`\x00-\x20]+")
# A code is written in capitals and digits, in groups; or it stands behind the word.
_GROUPS = re.compile(r"(?<![\w/=&?-])[A-Z0-9]{3,5}(?:-[A-Z0-9]{3,5}){1,2}(?![\w-])")
_NAMED = re.compile(r"\b[Cc]ode\b[^\n]{0,40}?(?:[:=]\s*|\bis\s+)[\"'`]?([A-Z0-9]{6,10})(?![\w-])")
_ASKING = re.compile(r"[^\n]*[?:>]\s*$")


@dataclass(frozen=True, slots=True)
class Hint:
    """An address (`url`) or a code (`code`)."""

    kind: Literal["url", "code"]
    value: str


class Watch:
    """Watches what is shown."""

    def __init__(self) -> None:
        self._text = ""
        self._told: set[Hint] = set()

    def feed(self, text: str) -> list[Hint]:
        """Take in what has been shown; return what is new in it. What may go on is told when it has ended."""
        self._text = (self._text + text)[-MOST:]
        return self._news(is_over=False)

    def rest(self) -> list[Hint]:
        """Nothing more comes for the moment: what stands at the end is whole."""
        return self._news(is_over=True)

    @property
    def question(self) -> str:
        """The last line, if it looks as if an answer is waited for; "" if not."""
        match = _ASKING.search(plain(self._text).rstrip(" "))
        return match[0].strip() if match is not None else ""

    def _news(self, *, is_over: bool) -> list[Hint]:
        shown = plain(self._text)
        found = dict.fromkeys(hint for hint, end in _hints(shown) if is_over or end < len(shown))
        new = [hint for hint in found if hint not in self._told]
        self._told.update(new)
        return new


def _hints(shown: str) -> Iterator[tuple[Hint, int]]:
    for match in _URL.finditer(shown):
        yield Hint("url", match[0].rstrip(".,;:!?)]}")), match.end()
    without = _URL.sub(lambda match: " " * len(match[0]), shown)  # parts of an address are no codes
    for pattern in (_GROUPS, _NAMED):
        for match in pattern.finditer(without):
            code = match[match.lastindex or 0]
            if any(char.isdigit() for char in code) or "-" in code:
                yield Hint("code", code), match.end()
