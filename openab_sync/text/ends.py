"""Ends: the last lines of a text, as markdown that stands by itself. Pure; for texts of a few pages."""

from __future__ import annotations

from .fences import Fence, step
from .split import split

__all__ = ["last_lines"]


def last_lines(text: str, room: int) -> str:
    """Return as many of the last lines of `text` as fit into `room` characters.

    They begin with a paragraph if that costs no more than three quarters of the room. A block of code that is cut is
    opened again. If not even one line fits, it is the end of the last one, as text. There must be something to read.
    Raise ValueError if `room` is below 1.
    """
    lines = text.split("\n")
    fences = _fences(lines)
    size, line_start, paragraph = -1, "", ""
    for at in range(len(lines) - 1, -1, -1):
        size += len(lines[at]) + 1
        if size > room:
            break
        fence = fences[at]
        if _closes(lines[at], fence):
            continue  # what it closes would be empty
        head = f"{fence.opener}\n" if fence is not None else ""
        if size + len(head) <= room and lines[at].strip():
            line_start = head + "\n".join(lines[at:])
            if fence is None and (at == 0 or not lines[at - 1].strip()):
                paragraph = line_start
    found = paragraph if len(paragraph) * 4 >= room or not line_start else line_start
    if found.strip():
        return found.rstrip()
    ink = [
        line.rstrip() for line, fence in zip(lines, fences, strict=True) if line.strip() and not _closes(line, fence)
    ]
    return split(ink[-1][-room:], room)[-1]


def _closes(line: str, fence: Fence | None) -> bool:
    return fence is not None and fence.closes(line)


def _fences(lines: list[str]) -> list[Fence | None]:
    """Return the block of code that is open before each line."""
    found: list[Fence | None] = []
    fence: Fence | None = None
    for line in lines:
        found.append(fence)
        fence = step(line, fence)
    return found
