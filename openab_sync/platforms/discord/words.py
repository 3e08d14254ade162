"""Words: what people wrote, as the agent gets it. Pure text in, pure text out.

Our own name and the roles that wake us go, other roles become `@(role)`, other people stay `<@id>` so that the agent
can name them; both forms of a mention are known (`<@1>` and `<@!1>`, FIELD G8). In code nothing is a mention.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ...core.commands import find_command
from ...text.clean import one_line, plain

__all__ = ["EXPORT", "Ours", "asked", "cut", "order_in", "quoted", "unquoted"]

EXPORT = "/export"  # the one order that is this platform's own
MOST_QUOTED = 800  # characters of a message that somebody replied to

# Code first, so that what looks like a mention in it is passed over.
_CODE = r"(?P<code>```.*?```|``[^`].*?``|`[^`\n]+`)"
_PARTS = re.compile(_CODE + r"|<@!?(?P<user>\d{1,20})>|<@&(?P<role>\d{1,20})>", re.DOTALL)
_GAP = "\x00"  # stands where a mention was: no message of Discord's has it


@dataclass(frozen=True, slots=True)
class Ours:
    """What calls us in a text: our id, and the roles whose mention does."""

    us: str
    roles: frozenset[str] = frozenset()

    def are_called(self, text: str) -> bool:
        """Whether a text names us, or a role that wakes us, outside of code."""
        return any(self._is_call(part) for part in _PARTS.finditer(text))

    def prompt(self, text: str) -> str:
        """Return the text as the agent gets it; "" if nothing but calls was in it."""
        replaced = _PARTS.sub(self._replaced, text)
        pieces = replaced.split(_GAP)
        joined = pieces[0]
        for piece in pieces[1:]:
            joined = _joined(joined, piece)
        return joined.strip()

    def _replaced(self, part: re.Match[str]) -> str:
        if part["code"] is not None:
            return part[0]
        if self._is_call(part):
            return _GAP
        return "@(role)" if part["role"] is not None else f"<@{part['user']}>"

    def _is_call(self, part: re.Match[str]) -> bool:
        if part["user"] is not None:
            return part["user"] == self.us
        return part["role"] is not None and part["role"] in self.roles


def _joined(left: str, right: str) -> str:
    """Close the gap that a mention leaves: one space where words stood on both sides, none at a line's end."""
    left, right = left.rstrip(" \t"), right.lstrip(" \t")
    at_edge = not left or left.endswith("\n") or not right or right.startswith("\n")
    return left + right if at_edge else f"{left} {right}"


def order_in(text: str) -> tuple[str, str] | None:
    """Return the command and its argument if the whole text is one of ours; None if it is for the agent.

    Only exact names count (FIELD F16), and a command that takes nothing with something behind it is a sentence.
    """
    head, _, argument = text.partition(" ")
    if not head.startswith("/") or "\n" in head:
        return None
    spec, argument = find_command(head[1:]), argument.strip()
    if head == EXPORT and not argument:
        return EXPORT[1:], ""
    if spec is None or (argument and not spec.argument):
        return None
    is_free_text = spec.name == "queue"  # the new text of a waiting message may have any number of lines
    return None if "\n" in argument and not is_free_text else (spec.name, argument)


def cut(text: str, most: int = MOST_QUOTED) -> str:
    """Return the text, ended by … if it is longer than `most` characters; user-perceived characters stay whole."""
    text = plain(text).strip()
    if len(text) <= most:
        return text
    lines = text[:most].rsplit("\n", 1)
    if len(lines) == 2 and len(lines[0]) > most // 2:
        return f"{lines[0].rstrip()}\n…"
    whole = [*text[: most + 1].split("\n")]
    room = most - sum(len(line) + 1 for line in whole[:-1])
    return "\n".join([*whole[:-1], one_line(whole[-1], max(1, room))])


def quoted(text: str) -> str:
    """Return the text with a quote's mark before each line."""
    return "\n".join(f"> {line}".rstrip() for line in text.split("\n"))


def unquoted(text: str) -> str:
    """Return what `quoted` was given, up to white space at the ends of its lines."""
    return "\n".join(_marked_lines(text))


def _marked_lines(text: str) -> Iterator[str]:
    for line in text.split("\n"):
        if line.startswith(">"):
            yield line[1:].removeprefix(" ")


def asked(text: str) -> str:
    """Return what is asked, without the command's word where somebody wrote `/ask` or `/do` as text."""
    if text.startswith("/ask "):
        return text.removeprefix("/ask ").strip()
    return f"/{text.removeprefix('/do ').strip().removeprefix('/')}" if text.startswith("/do ") else text
