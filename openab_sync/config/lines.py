"""On which line of a TOML document each key stands.

`tomllib` forgets lines; an error without one sends people searching. This is a reader of positions only: it understands
just enough TOML to know which key begins where, takes for granted that `tomllib` has accepted the text, and says
nothing where it loses its way. It does not parse values and never raises. Pure.
"""

from __future__ import annotations

import bisect
import re
import tomllib
from collections.abc import Mapping

__all__ = ["Path", "find_lines"]

Path = tuple[str | int, ...]

_SPACE = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BLANK = re.compile(r"[ \t]*")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_QUOTED = re.compile(r'"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'')
_STRING = re.compile(r'"""(?:\\.|[^\\])*?"{3,5}|\'\'\'.*?\'{3,5}|' + _QUOTED.pattern, re.DOTALL)
_SCALAR = re.compile(r"[^,\]}#\r\n]+")
_TOKEN = re.compile(rf"{_STRING.pattern}|#[^\n]*|[\[\]{{}}]|[^\[\]{{}}\"'#]+|.", re.DOTALL)

# Nothing of ours nests deeper; what does is stepped over without recursion.
_DEEPEST = 12


def find_lines(text: str) -> Mapping[Path, int]:
    """Return the line, counted from 1, on which each key, table and array element of `text` first appears.

    Elements of arrays (of tables too) are counted from 0, as in `("agent", "mcp_servers", 0, "name")`.
    """
    scanner = _Scanner(text)
    scanner.run()
    return scanner.lines


class _Lost(Exception):
    """The text is not what was expected here: go on with the next line."""


class _Scanner:
    def __init__(self, text: str) -> None:
        self.lines: dict[Path, int] = {}
        self._text = text
        self._pos = 0
        self._newlines = [match.start() for match in re.finditer("\n", text)]
        self._last: dict[Path, int] = {}  # array of tables -> index of the table being read
        self._table: Path = ()  # the table that keys now belong to

    def run(self) -> None:
        self._skip(_SPACE)
        while self._pos < len(self._text):
            try:
                self._header() if self._peek() == "[" else self._pair(self._table)
            except _Lost:
                end = self._text.find("\n", self._pos)
                self._pos = len(self._text) if end < 0 else end
            self._skip(_SPACE)

    # ---- statements ----

    def _header(self) -> None:
        start, double = self._pos, self._text.startswith("[[", self._pos)
        self._pos += 2 if double else 1
        *parents, name = self._keys()
        self._expect("]]" if double else "]")
        path = (*self._resolve(parents), name)
        if double:
            self._note(path, start)
            self._last[path] = self._last.get(path, -1) + 1
        self._table = self._resolve([*parents, name])
        for depth in range(1, len(self._table) + 1):
            self._note(self._table[:depth], start)

    def _resolve(self, keys: list[str]) -> Path:
        path: Path = ()
        for key in keys:
            path = (*path, key)
            if path in self._last:
                path = (*path, self._last[path])
        return path

    def _pair(self, table: Path) -> None:
        start = self._pos
        path = table
        for key in self._keys():
            path = (*path, key)
            self._note(path, start)
        self._expect("=")
        self._value(path)

    def _keys(self) -> list[str]:
        keys = [self._key()]
        while self._peek() == ".":
            self._pos += 1
            keys.append(self._key())
        return keys

    def _key(self) -> str:
        self._skip(_BLANK)
        match = _BARE.match(self._text, self._pos) or _QUOTED.match(self._text, self._pos)
        if match is None:
            raise _Lost
        self._pos = match.end()
        self._skip(_BLANK)
        token = match.group()
        return _unquote(token) if token[0] in "\"'" else token

    # ---- values ----

    def _value(self, path: Path) -> None:
        self._skip(_BLANK)
        opening = self._peek()
        if opening in ("[", "{") and len(path) > _DEEPEST:
            self._step_over()
        elif opening == "[":
            self._array(path)
        elif opening == "{":
            self._inline_table(path)
        elif not self._skip(_STRING) and not self._skip(_SCALAR):
            raise _Lost

    def _array(self, path: Path) -> None:
        index = 0
        self._pos += 1
        while not self._closes("]"):
            self._note((*path, index), self._pos)
            self._value((*path, index))
            self._comma("]")
            index += 1

    def _inline_table(self, path: Path) -> None:
        self._pos += 1
        while not self._closes("}"):
            self._pair(path)
            self._comma("}")

    def _closes(self, bracket: str) -> bool:
        self._skip(_SPACE)
        if self._peek() != bracket:
            return False
        self._pos += 1
        return True

    def _comma(self, closing: str) -> None:
        self._skip(_SPACE)
        if self._peek() != closing:
            self._expect(",")

    def _step_over(self) -> None:
        depth = 0
        for match in _TOKEN.finditer(self._text, self._pos):
            depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(match.group(), 0)
            self._pos = match.end()
            if depth == 0:
                return
        raise _Lost

    # ---- the text ----

    def _note(self, path: Path, position: int) -> None:
        self.lines.setdefault(path, bisect.bisect_left(self._newlines, position) + 1)

    def _peek(self) -> str:
        return self._text[self._pos : self._pos + 1]

    def _skip(self, pattern: re.Pattern[str]) -> bool:
        match = pattern.match(self._text, self._pos)
        if match is not None:
            self._pos = match.end()
        return match is not None

    def _expect(self, mark: str) -> None:
        self._skip(_BLANK)
        if not self._text.startswith(mark, self._pos):
            raise _Lost
        self._pos += len(mark)


def _unquote(token: str) -> str:
    try:
        name = tomllib.loads(f"k = {token}")["k"]
    except ValueError as error:
        raise _Lost from error
    return str(name)
