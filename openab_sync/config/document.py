"""One TOML document: its text, its data, and errors that point into it.

Bytes in, `Document` or `ConfigError` out. It does not know what keys mean (`check.py`) nor where bytes come from
(`load.py`). Pure.
"""

from __future__ import annotations

import json
import re
import tomllib
from functools import cached_property
from typing import Any

from ..errors import ConfigError
from .lines import Path, find_lines

__all__ = ["Document", "dotted", "is_secret", "parse", "shown"]

_AT_LINE = re.compile(r" \(at line (\d+), column \d+\)$")
_BARE = re.compile(r"[A-Za-z0-9_-]+")

# A value whose name or whose table has such a name is never shown.
_SECRET = re.compile(
    r"^(env|headers)$|token$|secret|passw|credential|authorization|api_?key|private_key", re.IGNORECASE
)


class Document:
    """What a file (or URL) holds. `name` is what people call it; it holds no secret."""

    def __init__(self, name: str, text: str, data: dict[str, Any]) -> None:
        self.name, self.data = name, data
        self._text = text

    @cached_property
    def _lines(self) -> dict[Path, int]:
        return dict(find_lines(self._text))

    def error(self, path: Path, message: str, hint: str | None = None) -> ConfigError:
        """Return (not raise) the error that says `message` about the key at `path`, with its line if it has one."""
        line = next((self._lines[path[:n]] for n in range(len(path), 0, -1) if path[:n] in self._lines), None)
        return ConfigError(message, file=self.name, key=dotted(path), line=line, hint=hint)


def parse(name: str, raw: bytes) -> Document:
    """Read `raw` as TOML. Raise ConfigError naming `name`, and the line where it is known."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ConfigError("is not UTF-8 text", file=name, line=line) from error
    try:
        return Document(name, text, tomllib.loads(text))
    except RecursionError as error:
        raise ConfigError("is nested too deeply", file=name) from error
    except ValueError as error:  # TOMLDecodeError, or a number with more digits than Python reads
        raise _syntax_error(name, text, str(error)) from error


def _syntax_error(name: str, text: str, message: str) -> ConfigError:
    at = _AT_LINE.search(message)
    if at is None:
        return ConfigError(f"is not TOML: {message}", file=name)
    line = int(at.group(1))
    rows = text.split("\n")
    bare = line <= len(rows) and re.search(r"=\s*\$\{", rows[line - 1])
    hint = 'variables stand in strings: key = "${NAME}"' if bare else None
    return ConfigError(f"is not TOML: {message[: at.start()]}", file=name, line=line, hint=hint)


def dotted(path: Path) -> str:
    """Return `path` as people write it: `agent.mcp_servers[0].name`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += ("." if text else "") + (part if _BARE.fullmatch(part) else json.dumps(part, ensure_ascii=False))
    return text


def is_secret(path: Path) -> bool:
    """Whether what stands at `path` is never shown: a token, a password, anything in a table of such."""
    return any(isinstance(part, str) and _SECRET.search(part) for part in path)


def shown(value: object, path: Path) -> str:
    """Return what stands at `path` in a few words; of a secret only what kind of value it is."""
    secret = is_secret(path)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return "a string" if secret else json.dumps(_short(value), ensure_ascii=False)
    if isinstance(value, int | float):
        return "a number" if secret else _short(_number(value))
    return "a table" if isinstance(value, dict) else "an array" if isinstance(value, list) else "a date or time"


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:59] + "…"


def _number(value: float) -> str:
    try:
        return str(value)
    except ValueError:  # more digits than Python prints
        return "a very large number"
