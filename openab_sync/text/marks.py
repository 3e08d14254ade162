"""Marks: keeping markdown in names, titles and thoughts from reaching beyond them.

What an agent calls a file or a step is shown inside of our lines. A mark in it that nobody closes would take what
follows with it: a paragraph in bold, an answer behind a spoiler. For one-line labels, and for what is hidden.

This room does not look at the agent's own text: that is markdown and stays what it is.
"""

from __future__ import annotations

import re

from .clean import plain
from .split import split

__all__ = ["contained", "hidden", "literal"]

_MARK = re.compile(r"[`*_~|\\<]")
_PAIRS = ("`", "*", "**", "__", "~~", "||")
_ESCAPED = re.compile(r"([\\*_<])")
_JOINER = "\u200b"  # a space of no width: keeps two characters from being a mark, and a line from being blank
_LEAST = 20


def literal(label: str) -> str:
    """Return one line so that it reads as it is: unchanged, or as inline code if it has marks."""
    return f"`{label.replace('`', 'ˋ')}`" if _MARK.search(label) else label


def contained(label: str) -> str:
    """Return one line of markdown as it is if its marks come in pairs, else as inline code."""
    return literal(label) if any(label.count(mark) % 2 for mark in _PAIRS) else label


def hidden(text: str, size: int) -> str:
    """Return `text` behind spoilers of at most `size` characters each (20 at least), a blank line between them.

    Marks inside show as they are and hide no more than they should. No spoiler has a blank line in it, so whoever cuts
    a page at a paragraph cuts none in two. "" for nothing.
    """
    calm = plain(text).replace("`", "ˋ").replace("|", "│").replace("~~", f"~{_JOINER}~").strip("\n")
    if not calm.strip():
        return ""
    # Escaping makes a piece twice as long at most, and every line can be a blank one.
    pieces = split(calm, (max(size, _LEAST) - 4) // 2)
    return "\n\n".join(_spoiler(piece) for piece in pieces)


def _spoiler(piece: str) -> str:
    lines = [_ESCAPED.sub(r"\\\1", line) if line.strip() else _JOINER for line in piece.split("\n")]
    return f"||{chr(10).join(lines)}||"
