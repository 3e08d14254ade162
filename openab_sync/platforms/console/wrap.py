"""Lines broken between words at the width of the terminal, where there is one.

Knows colours (`style`), wide characters and indentation. A word wider than the terminal is left to it: an address that
it breaks by itself can still be copied whole. Pure but for `columns`, which asks the terminal.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from typing import TextIO

from wcwidth import iter_graphemes, wcswidth

__all__ = ["Wrapped", "columns", "wrapped"]

_TOKEN = re.compile(r"\x1b\[[0-9;]*m|[ \t]+|[^ \t\x1b]+|\x1b")
_RESET = "\x1b[0m"
_TAB = 8
_HELD = 200  # characters of a word that has no end yet


def columns(stream: TextIO) -> int:
    """Return how wide the terminal behind `stream` is, 0 if there is none. Any thread; never blocks."""
    try:
        return os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):  # a file, a pipe; a stream without a descriptor
        return 0


def wrapped(text: str, width: int) -> str:
    """Return `text` with newlines where words would stand beyond `width` columns; as it is if that is 0.

    Rows go on at the indentation of their line. Doing it again changes nothing, and more text behind it changes only
    the last row: text that comes in pieces can be wrapped with what the row held before.
    """
    if width <= 0:
        return text
    return "\n".join(_broken(line, width) for line in text.split("\n"))


class Wrapped:
    """Wraps text that comes in pieces and cannot be taken back: the word that has no end yet waits for it."""

    def __init__(self, width: Callable[[], int]) -> None:
        self._width = width
        self._row = ""  # what stands in the last row
        self._word = ""  # what waits

    def feed(self, text: str) -> str:
        """Return what is to be written now."""
        text = self._word + text
        full = wrapped(self._row + text, self._width())
        # Else the terminal has become narrower: what stands there stays.
        new = full[len(self._row) :] if full.startswith(self._row) else text
        cut = max(new.rfind(" "), new.rfind("\n") + 1)  # the space waits with the word: it goes if that begins a row
        if self._width() <= 0 or len(new) - cut > _HELD:
            cut = len(new)
        return self._put(new[:cut], new[cut:])

    def begin(self) -> None:
        """What comes next begins a row: somebody else has ended the last one."""
        self._row = ""

    def flush(self) -> str:
        """Return what waits: something else is to be written."""
        return self._put(self._word, "")

    def _put(self, text: str, word: str) -> str:
        self._row, self._word = (self._row + text).rpartition("\n")[2], word
        return text


def _broken(line: str, width: int) -> str:
    if len(line) <= width and line.isascii() and "\t" not in line:
        return line
    rows = _Rows(width)
    for token in _TOKEN.findall(line):
        if token.startswith("\x1b"):
            rows.paint(token)
        elif token[0] in " \t":
            rows.gap += token
        else:
            for unit in _units(token):
                rows.put(unit)
    return rows.text()


def _units(word: str) -> Iterator[str]:
    """Yield what is not broken: a word, but each wide character for itself, for its language has no spaces."""
    if word.isascii():
        yield word
        return
    run = ""
    for cluster in iter_graphemes(word):
        if wcswidth(cluster) < 2:
            run += cluster
            continue
        if run:
            yield run
        run = ""
        yield cluster
    if run:
        yield run


class _Rows:
    """One line while it is broken into rows."""

    def __init__(self, width: int) -> None:
        self.gap = ""  # white space that is written only if a word follows in the same row
        self._width = width
        self._rows = [""]
        self._column = 0
        self._indent = ""
        self._is_empty = True  # nothing but indentation in this row
        self._paint = ""  # colours that are on

    def paint(self, code: str) -> None:
        """Change the colour."""
        self._paint = "" if code in {_RESET, "\x1b[m"} else self._paint + code
        self._rows[-1] += code

    def put(self, unit: str) -> None:
        """Write what is not broken."""
        size = len(unit) if unit.isascii() else max(0, wcswidth(unit))
        start = _after(self._column, self.gap)
        if self._is_empty and len(self._rows) == 1:
            self._indent = self.gap if start <= self._width // 2 else ""
        if not self._is_empty and start + size > self._width:
            self._rows[-1] += _RESET if self._paint else ""
            self._rows.append(self._paint + self._indent)
            start, self.gap = _after(0, self._indent), ""
        self._rows[-1] += self.gap + unit
        self._column = start + size if start + size <= self._width else (start + size) % self._width
        self.gap, self._is_empty = "", False

    def text(self) -> str:
        """Return the rows; white space at the end of the line stays, for text that comes in pieces."""
        return "\n".join(self._rows) + self.gap


def _after(column: int, gap: str) -> int:
    """Return the column behind white space that begins at `column`."""
    for part in gap:
        column = column + 1 if part == " " else (column // _TAB + 1) * _TAB
    return column
