"""Tables: GitHub's tables rewritten for chats that have none.

`convert` takes a whole text; `TableStream` takes a growing one and hands out what can no longer change. `convert` is a
stream fed once, so both agree, however the text arrives.

markdown-it decides what a table is. It is asked only about runs of neighbouring lines with a `|` outside blocks of
code, and with no rules but those for tables and indented code: quotes, lists and HTML are text, which stays as it is
byte for byte, and nothing hostile can make it slow. Two things differ from GitHub on purpose: a line without `|` ends
a table (there it would be a row), and cells beyond the header's count join the last column (there they vanish; mostly
they are a `|` that somebody forgot to escape).

This room does not cut pages and does not look at markdown other than tables, fences and, in cells, inline marks.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from wcwidth import wcswidth

from .fences import Fence, fence, step

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

__all__ = ["Mode", "TableStream", "convert"]

Mode = Literal["code", "bullets", "off"]

# A line with no `|` in its first _LONG characters, or longer than _WIDE, is text: it need not be waited for.
_LONG = 400
_WIDE = 20_000
# A table is rewritten at this size (characters) and the rest of it left alone: holding more would only cost.
_HELD = 50_000
# Columns wider than this are not filled up with spaces: one long cell must not make every row long.
_COLUMN = 60
# Cells longer than this keep their marks: the inline grammar is not linear.
_CELL = 500

_RULE = frozenset("|-: \t\r\n")
_PIPE = re.compile(r"(?<!\\)\|")
_MARKS = re.compile(r"[`*_~\[<\\&!]")
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)


def convert(text: str, mode: Mode) -> str:
    """Return `text` with its tables rewritten.

    `code`: as blocks of code with aligned columns. `bullets`: as a line `• Header: Value` for each cell, with a blank
    line between rows. `off`: unchanged. All other text is returned as it is.
    """
    if mode == "off" or "|" not in text:
        return text
    stream = TableStream(mode)
    return stream.feed(text) + stream.flush()


class TableStream:
    """Tables rewritten while the text is being written; see `convert` for `mode`. Not thread-safe."""

    __slots__ = ("_begun", "_fence", "_held", "_mode", "_pieces", "_run", "_size")

    def __init__(self, mode: Mode) -> None:
        self._mode: Mode = mode
        self._fence: Fence | None = None
        self._run: list[str] = []  # whole lines that may be a table, each with its newline
        self._held = 0  # characters in them
        self._pieces: list[str] = []  # the line being written
        self._size = 0  # characters in it
        self._begun = False  # its head has been handed out: it is text whatever follows

    def __repr__(self) -> str:
        return f"<TableStream {self._mode} held={self._held + self._size}>"

    def feed(self, text: str) -> str:
        """Append `text` and return what can no longer change.

        Held back are lines at the end that may be a table, and the unfinished last line (a long one only in part).
        """
        *lines, last = text.split("\n")
        done = [self._line_done(line) for line in lines]
        if last:
            self._pieces.append(last)
            self._size += len(last)
            done.append(self._line_grown())
        return "".join(done)

    def tail(self) -> str:
        """Return how the text held back looks now. Changes nothing."""
        line = "".join(self._pieces)
        if self._begun or not self._is_row(line):
            return self._drawn(self._run) + line
        return self._drawn([*self._run, line])

    def flush(self) -> str:
        """Return the text held back and forget it. More may be fed; it does not continue a table."""
        text = self.tail()
        self._run, self._held = [], 0
        if self._pieces and not self._begun:
            self._begin()
        self._pieces, self._size = [], 0
        return text

    # ---- lines ----

    def _line_done(self, rest: str) -> str:
        """Take the end of a line and return what it releases."""
        line = "".join([*self._pieces, rest])
        begun, self._begun = self._begun, False
        self._pieces, self._size = [], 0
        if begun:
            return line + "\n"
        if self._is_row(line):
            return self._row(line + "\n")
        self._fence = step(line[:_LONG], self._fence)
        return self._release() + line + "\n"

    def _line_grown(self) -> str:
        """Return what the unfinished line releases."""
        if self._begun:
            return self._words()
        if self._size <= _LONG or (self._size <= _WIDE and self._is_row(self._line_head())):
            return ""
        return self._begin() + self._words()

    def _line_head(self) -> str:
        return "".join(self._pieces[:_LONG])  # no piece is empty

    def _begin(self) -> str:
        """Declare the unfinished line to be text and return the lines before it."""
        self._fence = step(self._line_head()[:_LONG], self._fence)
        self._begun = True
        return self._release()

    def _words(self) -> str:
        """Return the words of the unfinished line but the last, which may still grow; a huge one too."""
        line = "".join(self._pieces)
        cut = line.rfind(" ") + 1
        if len(line) - cut > _LONG:
            cut = len(line)
        self._pieces, self._size = ([line[cut:]], len(line) - cut) if cut < len(line) else ([], 0)
        return line[:cut]

    def _is_row(self, line: str) -> bool:
        """Say whether `line` may belong to a table."""
        return self._mode != "off" and self._fence is None and len(line) <= _WIDE and "|" in line[:_LONG]

    def _row(self, line: str) -> str:
        """Hold `line`, and return the one before it if that cannot head a table; return the run if it is too big."""
        done = ""
        if len(self._run) == 1 and not _RULE.issuperset(line):
            done = self._release()
        self._run.append(line)
        self._held += len(line)
        return done + self._release() if self._held > _HELD else done

    def _release(self) -> str:
        run, self._run, self._held = self._run, [], 0
        return self._drawn(run)

    def _drawn(self, run: Sequence[str]) -> str:
        return "".join(run) if len(run) < 2 else "".join(_rewritten(run, self._mode))


@dataclass(frozen=True, slots=True)
class _Table:
    """A table as written: cells still have their marks; every row is as long as the header."""

    header: list[str]
    rows: list[list[str]]
    aligns: list[str]


def _rewritten(lines: Sequence[str], mode: Mode) -> Iterator[str]:
    """Yield `lines` (with their newlines) with the tables among them rewritten."""
    done = 0
    for start, end, aligns in _tables(lines):
        yield from lines[done:start]
        header, _, *rows = [_cells(line, len(aligns)) for line in lines[start:end]]
        table = _Table(header, rows, aligns)
        drawn = _code(table) if mode == "code" else _bullets(table)
        if drawn:
            yield drawn + ("\n" if lines[end - 1].endswith("\n") else "")
        else:
            yield from lines[start:end]
        done = end
    yield from lines[done:]


def _tables(lines: Sequence[str]) -> Iterator[tuple[int, int, list[str]]]:
    """Yield the first line, the line behind the last, and the alignments of each table in `lines`."""
    start = end = 0
    aligns: list[str] = []
    # The parser takes a lone CR for the end of a line; for us it is white space.
    for token in _parser().parse("".join(lines).replace("\r", " ")):
        if token.type == "table_open" and token.map:
            start, end = token.map
            aligns = []
        elif token.type == "th_open":
            aligns.append(str(token.attrGet("style") or "").removeprefix("text-align:"))
        elif token.type == "table_close":
            yield start, end, aligns


def _cells(line: str, count: int) -> list[str]:
    """Return the `count` cells of a row: missing ones are empty, surplus ones join the last."""
    cells = [cell.strip().replace("\\|", "|") for cell in _split_cells(line.strip())]
    cells += [""] * (count - len(cells))
    return [*cells[: count - 1], " | ".join(cells[count - 1 :])]


def _split_cells(row: str) -> list[str]:
    cells = _PIPE.split(row)
    if not cells[0]:
        cells.pop(0)
    if cells and not cells[-1]:
        cells.pop()
    return cells


# ---- drawing ----


def _bullets(table: _Table) -> str:
    groups = [
        "\n".join(_bullet(*pair) for pair in zip(table.header, row, strict=True) if pair[1]) for row in table.rows
    ]
    if not any(groups):
        groups = ["\n".join(f"• {head}" for head in table.header if head)]
    return "\n\n".join(group for group in groups if group)


def _bullet(head: str, value: str) -> str:
    return f"• {head}: {value}" if head else f"• {value}"


def _code(table: _Table) -> str:
    lines = [[_bare(cell) for cell in row] for row in (table.header, *table.rows)]
    if not any(cell for row in lines for cell in row):
        return ""
    widths = [min(_COLUMN, max(1, *map(_width, column))) for column in zip(*lines, strict=True)]
    drawn = [_row_text(row, widths, table.aligns) for row in lines]
    drawn.insert(1, "-+-".join("-" * width for width in widths))
    return fence("\n".join(drawn))


def _row_text(row: Sequence[str], widths: Sequence[int], aligns: Sequence[str]) -> str:
    cells = [_padded(cell, width, align) for cell, width, align in zip(row, widths, aligns, strict=True)]
    return " | ".join(cells).rstrip()


def _padded(cell: str, width: int, align: str) -> str:
    space = max(0, width - _width(cell))
    left = {"right": space, "center": space // 2}.get(align, 0)
    return " " * left + cell + " " * (space - left)


def _width(text: str) -> int:
    """Return the columns that `text` takes in a terminal; control characters count as one."""
    width = wcswidth(text)
    return width if width >= 0 else len(text)


def _bare(cell: str) -> str:
    """Return a cell without inline marks: `**bold**` is bold, `[text](url)` is text (url)."""
    text = _BREAK.sub(" ", cell)
    if len(text) <= _CELL and _MARKS.search(text):
        text = "".join(_words(_inline_parser().parseInline(text)[0].children or []))
    return " ".join(text.split())


def _words(tokens: Sequence[Token]) -> Iterator[str]:
    label, url = "", ""
    for token in tokens:
        if token.type == "link_open":
            label, url = "", str(token.attrGet("href") or "")
        elif token.type == "link_close":
            yield "" if url in (label, f"mailto:{label}") else f" ({url})"
        elif token.type == "image":
            yield f"{token.content} ({token.attrGet('src')})".lstrip()
        else:
            label += token.content
            yield token.content


@functools.cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt  # slow to import, and many conversations have no table

    return MarkdownIt("zero").enable(["table", "code"]).disable("inline")


@functools.cache
def _inline_parser() -> MarkdownIt:
    from markdown_it import MarkdownIt  # as above

    return MarkdownIt("commonmark").enable("strikethrough")
