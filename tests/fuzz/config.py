"""A configuration file: the input is its text."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from openab_sync.config.agents import resolve
from openab_sync.config.check import check
from openab_sync.config.document import Document, dotted, parse
from openab_sync.config.lines import Path, find_lines
from openab_sync.config.schema import Config
from openab_sync.errors import ConfigError

__all__ = ["one_input"]

SECRET = "hunter2"
ENVIRON = {"NAME": SECRET, "EMPTY": ""}
DEEPEST = 12  # deeper keys are stepped over when lines are looked for


def one_input(data: bytes) -> None:
    """A configuration or one readable sentence with a line; each key has its line; no secret is told."""
    try:
        document = parse("c.toml", data)
    except ConfigError as error:
        _check_error(error, data)
        return
    _check_lines(document, data)
    try:
        config, warnings = check(document, ENVIRON)
        resolve(config.agent)
    except ConfigError as error:
        _check_error(error, data)
        return
    assert msgspec.convert(msgspec.to_builtins(config), Config) == config
    assert all(SECRET not in warning for warning in warnings) or SECRET.encode() in data


def _check_error(error: ConfigError, data: bytes) -> None:
    text = str(error)
    assert not any(character < " " for character in text), text
    assert SECRET not in text or SECRET.encode() in data, text
    assert error.line is None or 1 <= error.line <= data.count(b"\n") + 1, text


def _check_lines(document: Document, data: bytes) -> None:
    lines = find_lines(data.decode("utf-8-sig"))
    last = data.count(b"\n") + 1
    for path in _paths(document.data, ()):
        assert path in lines, dotted(path)
        assert 1 <= lines[path] <= last, dotted(path)


def _paths(value: object, path: Path) -> Iterator[Path]:
    if path:
        yield path
    inner: list[tuple[str | int, object]] = []
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value))
    for key, item in inner if len(path) < DEEPEST else ():
        yield from _paths(item, (*path, key))
