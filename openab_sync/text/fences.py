"""Fences: the lines that open and close a block of code.

For everybody in this package who must know whether a line is code. The grammar is CommonMark's (section 4.5): three or
more backticks or tildes, indented by three spaces at most, closed by at least as many of the same. Fences inside
quotes and fences indented more deeply are text here.

This room does not parse anything else of markdown and keeps no state of its own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["Fence", "fence", "step"]

_OPENER = re.compile(r" {0,3}(`{3,}(?=[^`]*\Z)|~{3,})")
_RUN = re.compile(r"`+")


@dataclass(frozen=True, slots=True)
class Fence:
    """An open block of code: the line that opened it and its run of backticks or tildes."""

    opener: str
    mark: str

    def closes(self, line: str) -> bool:
        """Say whether `line` ends this block."""
        text = line.rstrip()
        run = text.lstrip(" ")
        return len(text) - len(run) <= 3 and len(run) >= len(self.mark) and not run.strip(self.mark[0])


def step(line: str, inside: Fence | None) -> Fence | None:
    """Return the block that is open after `line` (without its newline), given the one that was open before."""
    if inside is not None:
        return None if inside.closes(line) else inside
    found = _OPENER.match(line)
    return Fence(line.rstrip(), found[1]) if found else None


def fence(text: str, info: str = "") -> str:
    """Return `text` as a block of code that nothing in it can close.

    `info` names the language; backticks and line breaks in it are dropped. There is no newline at the end.
    """
    mark = "`" * max(3, 1 + max((len(run) for run in _RUN.findall(text)), default=0))
    name = " ".join(info.replace("`", "").split())
    end = "" if not text or text.endswith("\n") else "\n"
    return f"{mark}{name}\n{text}{end}{mark}"
