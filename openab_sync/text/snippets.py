"""Snippets: blocks of code that are too long for a page, taken out of a growing text to be sent as files.

What stays in the text is the head of such a block and a line that names the file. A block is held back while it could
still turn out to be too long, so what is handed out never has to be taken back; blocks that fit a page, and all other
text, come out as they went in. Each character is looked at a bounded number of times.

This room does not send anything and does not cut pages.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from .fences import Fence, step

__all__ = ["CodeStream", "Snippet"]

# What is shown of a block that became a file, at most: so many lines, so many characters, this part of a page.
_HEAD_LINES, _HEAD_CHARS, _HEAD_PART = 12, 600, 3
# An unfinished line that may open a block is waited for up to this many characters.
_LONG = 400

_MAY_OPEN = re.compile(r" {0,3}(?:`{0,2}\Z|`{3}[^`]*\Z|~{0,2}\Z|~{3})")
_WORD = re.compile(r"[^\s:{,;=]+")

# The ending of a file by what the block calls its language; endings themselves are known too.
_SAME = """
bat c cc conf cpp cs css csv cu dart diff ex exs f90 fs go gradle graphql h hpp hs html ini java jl js json jsonl jsx kt
less log lua m md ml mm nim nix patch php pl proto ps1 py r rb rs rst sass scala scss sh sol sql svg swift tex tf toml
ts tsv tsx txt v vb vim vue xml yaml zig
"""
_ENDINGS = {ending: ending for ending in _SAME.split()} | {
    "assembly": "asm", "asm": "asm", "bash": "sh", "batch": "bat", "c#": "cs", "c++": "cpp", "clojure": "clj",
    "console": "txt", "csharp": "cs", "docker": "dockerfile", "dockerfile": "dockerfile", "elixir": "ex",
    "erlang": "erl", "f#": "fs", "fish": "fish", "fortran": "f90", "fsharp": "fs", "golang": "go", "haskell": "hs",
    "hcl": "tf", "javascript": "js", "julia": "jl", "kotlin": "kt", "latex": "tex", "make": "mk", "makefile": "mk",
    "markdown": "md", "objective-c": "m", "objectivec": "m", "ocaml": "ml", "perl": "pl", "powershell": "ps1",
    "protobuf": "proto", "python": "py", "python3": "py", "restructuredtext": "rst", "ruby": "rb", "rust": "rs",
    "shell": "sh", "solidity": "sol", "terraform": "tf", "typescript": "ts", "udiff": "diff", "visualbasic": "vb",
    "yml": "yaml", "zsh": "zsh",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Snippet:
    """A block of code as a file: what stood between the fences, byte for byte."""

    name: str
    text: str


class _Where(Enum):
    """Where the text stands."""

    OUTSIDE = auto()
    HELD = auto()  # in a block that may still fit
    TAKEN = auto()  # in a block that becomes a file
    THROUGH = auto()  # in a block that stays text, whatever its length


class CodeStream:
    """Long blocks of code taken out of a text that is still being written. Not thread-safe.

    `limit` is what a page holds, in characters; `first` is the number in the name of the first file.
    """

    __slots__ = ("_again", "_begun", "_body", "_fence", "_held", "_length", "_limit", "_line", "_lines", "_number",
                 "_size", "_where", "taken")  # fmt: skip

    def __init__(self, limit: int, first: int = 1) -> None:
        self._limit = limit
        self._number = first
        self.taken: list[Snippet] = []  # the files so far, in order
        self._where = _Where.OUTSIDE
        self._fence: Fence | None = None
        self._held: list[str] = []  # the block so far, its opening line first; each line with its newline
        self._size = 0  # characters in it
        self._body: list[str] = []  # the lines of a block that becomes a file
        self._lines = 0  # how many those are
        self._again = False  # the block only goes on where a file has ended: empty, it is nothing
        self._line: list[str] = []  # the unfinished line, unless its head has been handed out (`_begun`)
        self._length = 0  # characters in it
        self._begun = False

    def __repr__(self) -> str:
        return f"<CodeStream {self._where.name} held={self._size + self._length} files={len(self.taken)}>"

    @property
    def holds_code(self) -> bool:
        """A block is held back that may become a file: as it looks now it may shrink."""
        return self._where is _Where.HELD

    def feed(self, text: str) -> str:
        """Append `text` and return what can no longer change. Files that it completes are in `taken`."""
        if self._is_plain(text):
            self._begun = not text.endswith("\n") if text else self._begun
            return text
        *lines, last = text.split("\n")
        done = [self._line_done(line) for line in lines]
        if last:
            done.append(self._line_grown(last))
        return "".join(done)

    def tail(self, more: str = "") -> str:
        """Return how the text held back looks now with `more` behind it. Changes nothing."""
        if self._is_plain(more):
            return more
        copy = self._copy()
        return copy.feed(more) + copy._rest()

    def least(self) -> str:
        """Return what will stay of the text held back, whatever comes."""
        return self._head(self._held) if self._where is _Where.HELD else self._rest()

    def settle(self) -> str:
        """End the file that is being written, if there is one; return what is to stand in its place.

        Text may still be fed: what goes on with the block becomes a block of its own.
        """
        if self._where is not _Where.TAKEN or self._fence is None:
            return ""
        line, fence = "".join(self._line), self._fence
        self._line, self._length = [], 0
        if fence.closes(line):
            self._begun = True
            return self._file_done()
        if line:
            self._take(line)
        text = self._file_done() + "\n"
        self._open(fence, fence.opener)
        self._again = True
        return text

    # ---- lines ----

    def _is_plain(self, text: str) -> bool:
        """Say whether `text` has nothing to do with code: nearly all text."""
        if self._where is not _Where.OUTSIDE or self._line or "```" in text or "~~~" in text:
            return False
        _, newline, last = text.rpartition("\n")
        return (self._begun and not newline) or not last or not _MAY_OPEN.match(last)

    def _line_done(self, rest: str) -> str:
        """Take the end of a line and return what it releases."""
        if self._begun:
            self._begun = False
            return rest + "\n"
        line = "".join([*self._line, rest])
        self._line, self._length = [], 0
        fence = self._fence
        if fence is None:
            return self._outside(line)
        if not fence.closes(line):
            return line + "\n" if self._where is _Where.THROUGH else self._code(line + "\n")
        return self._close(line + "\n")

    def _outside(self, line: str) -> str:
        fence = step(line, None)
        if fence is None:
            return line + "\n"
        if len(line) > _LONG:
            self._fence, self._where = fence, _Where.THROUGH
            return line + "\n"
        self._open(fence, line)
        return ""

    def _line_grown(self, piece: str) -> str:
        """Take a piece of the unfinished line and return what it releases."""
        if self._begun:
            return piece
        self._line.append(piece)
        self._length += len(piece)
        match self._where:
            case _Where.TAKEN:
                return ""
            case _Where.HELD:
                return self._grow_long() if self._is_too_long() else ""
        line = "".join(self._line)
        if self._may_fence(line):
            if self._length <= _LONG:
                return ""
            if self._where is _Where.OUTSIDE and (fence := step(line[:_LONG], None)):
                self._fence, self._where = fence, _Where.THROUGH
        self._line, self._length, self._begun = [], 0, True
        return line

    def _may_fence(self, line: str) -> bool:
        """Say whether the unfinished line may open the next block, or close this one."""
        if self._fence is None:
            return bool(_MAY_OPEN.match(line))
        return not line.strip().strip(self._fence.mark[0])

    # ---- blocks ----

    def _open(self, fence: Fence, line: str) -> None:
        self._fence, self._where = fence, _Where.HELD
        self._held, self._again = [line + "\n"], False
        self._size = len(line) + 1

    def _code(self, line: str) -> str:
        """Take a whole line of the block."""
        if self._where is _Where.TAKEN:
            self._take(line)
            return ""
        self._held.append(line)
        self._size += len(line)
        return self._grow_long() if self._is_too_long() else ""

    def _is_too_long(self) -> bool:
        assert self._fence is not None
        if 0 < self._length <= _LONG and self._may_fence("".join(self._line)):
            return False
        return self._size + self._length + len(self._fence.mark) > self._limit

    def _grow_long(self) -> str:
        """The block does not fit a page: from now on it is a file. Return what is shown of it."""
        head, lines = self._head(self._held), self._held[1:]
        self._where, self._held, self._size = _Where.TAKEN, [], 0
        self._body, self._lines = [], 0
        for line in lines:
            self._take(line)
        return head

    def _take(self, line: str) -> None:
        self._body.append(line)
        self._lines += 1

    def _close(self, line: str) -> str:
        """Take the line that closes the block and return what that releases."""
        where, self._where, fence, self._fence = self._where, _Where.OUTSIDE, self._fence, None
        if where is _Where.THROUGH:
            return line
        if where is _Where.TAKEN:
            self._fence = fence
            return self._file_done() + "\n"
        is_nothing = self._again and len(self._held) == 1
        text = "" if is_nothing else "".join([*self._held, line])
        self._held, self._size = [], 0
        return text

    def _file_done(self) -> str:
        line = self._mention()
        self.taken.append(Snippet(self._name(), "".join(self._body)))
        self._number += 1
        self._where, self._fence, self._body, self._lines = _Where.OUTSIDE, None, [], 0
        return line

    # ---- what is shown ----

    def _name(self) -> str:
        assert self._fence is not None
        return f"code-{self._number}.{_ending(self._fence)}"

    def _mention(self, suffix: str = "") -> str:
        return f"📎 {self._name()} ({self._lines} {'line' if self._lines == 1 else 'lines'}{suffix})"

    def _head(self, held: Sequence[str]) -> str:
        """Return the head of a block as a block of its own, "" if not even its first line is short enough."""
        assert self._fence is not None
        lines = "".join(_first(held[1:], min(_HEAD_CHARS, self._limit // _HEAD_PART)))
        return f"{held[0]}{lines}{self._fence.mark}\n" if lines.strip() else ""

    def _rest(self) -> str:
        """Return how the text held back looks now."""
        if self._where is _Where.TAKEN:
            return self._mention(" so far")
        if self._where is _Where.HELD and self._again and len(self._held) == 1 and not self._line:
            return ""
        return "".join([*self._held, *self._line])

    def _copy(self) -> CodeStream:
        """Return a stream in the same state but for the lines of a file, which would be too much to copy."""
        copy = CodeStream(self._limit, self._number)
        copy._where, copy._fence, copy._begun, copy._again = self._where, self._fence, self._begun, self._again
        copy._held, copy._size, copy._lines = self._held[:], self._size, self._lines
        # In a file an unfinished line may be as long as it likes; whatever it is, it closes nothing any more.
        copy._line = self._line[:] if self._length <= max(_LONG, self._limit) else ["…"]
        copy._length = sum(map(len, copy._line))
        return copy


def _first(lines: Sequence[str], chars: int) -> Iterator[str]:
    """Yield the first lines that together have at most so many characters."""
    left = chars
    for line in lines[:_HEAD_LINES]:
        left -= len(line)
        if left < 0:
            return
        yield line


def _ending(fence: Fence) -> str:
    found = _WORD.match(fence.opener.strip()[len(fence.mark) :].strip().lower())
    return _ENDINGS.get(found[0].strip("."), "txt") if found else "txt"
