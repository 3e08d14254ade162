"""Colours of the terminal, or none of them. Pure; knows what a role looks like, not where it is used."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["Style", "wants_colour"]

BOLD, DIM, RED, GREEN, YELLOW, CYAN = "1", "2", "31", "32", "33", "36"


def wants_colour(environ: Mapping[str, str], *, is_tty: bool) -> bool:
    """Whether to colour: a terminal that is not dumb, and nobody who asked for none (https://no-color.org)."""
    return is_tty and not environ.get("NO_COLOR") and environ.get("TERM", "") not in {"", "dumb"}


class Style:
    """Paints text by role; every line is closed for itself, so that lines can be labelled or cut between."""

    __slots__ = ("is_coloured",)

    def __init__(self, *, coloured: bool) -> None:
        self.is_coloured = coloured

    def strong(self, text: str) -> str:
        """Something to notice."""
        return self._paint(BOLD, text)

    def faint(self, text: str) -> str:
        """Something on the side."""
        return self._paint(DIM, text)

    def bad(self, text: str) -> str:
        """Something that failed, or that a change takes away."""
        return self._paint(RED, text)

    def good(self, text: str) -> str:
        """Something that a change adds."""
        return self._paint(GREEN, text)

    def ask(self, text: str) -> str:
        """Something that waits for an answer."""
        return self._paint(YELLOW, text)

    def mark(self, text: str) -> str:
        """A place: a label, a position in a file."""
        return self._paint(CYAN, text)

    def diff(self, text: str) -> str:
        """A unified diff, line by line."""
        return "\n".join(self._diff_line(line) for line in text.split("\n"))

    def _diff_line(self, line: str) -> str:
        if line.startswith(("+++", "---")):
            return self.strong(line)
        paints = {"+": self.good, "-": self.bad, "@": self.mark}
        return paints[line[0]](line) if line[:1] in paints else line

    def _paint(self, code: str, text: str) -> str:
        if not self.is_coloured:
            return text
        return "\n".join(f"\x1b[{code}m{line}\x1b[0m" if line else "" for line in text.split("\n"))
