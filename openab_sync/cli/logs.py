"""Where log lines go: to stderr, and into a file if there is to be one; for people, with colour on a terminal, or JSON.

Only what is broken is shown; what happens, too, in a service; or everything with --debug.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from typing import Any, TypeVar

import click

from ..config.log import LogConfig, set_levels
from ..errors import ConfigError
from ..text.clean import plain

__all__ = ["log_options", "serve", "set_up", "show_all", "with_options"]

FORMAT = "%(asctime)s %(levelname)s %(threadName)s %(name)s: %(message)s"
COLOURS = {"DEBUG": "2", "WARNING": "33", "ERROR": "31", "CRITICAL": "1;31"}

F = TypeVar("F", bound=Callable[..., Any])


class _Text(logging.Formatter):
    """A line for people. What agents are called and wrote is part of some, so each is cleaned for the terminal."""

    def __init__(self, redact: Callable[[str], str], *, is_coloured: bool = False) -> None:
        super().__init__(FORMAT)
        self._redact = redact
        self._is_coloured = is_coloured

    def format(self, record: logging.LogRecord) -> str:
        line = self._redact(plain(super().format(record)))
        colour = COLOURS.get(record.levelname) if self._is_coloured else None
        if colour is None:
            return line
        return line.replace(f" {record.levelname} ", f" \x1b[{colour}m{record.levelname}\x1b[0m ", 1)


class _Json(logging.Formatter):
    """An object on a line: time, level, logger, thread (a session's is its conversation's), message, error."""

    def __init__(self, redact: Callable[[str], str]) -> None:
        super().__init__()
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        found = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "thread": self._clean(record.threadName or ""),
            "message": self._clean(record.getMessage()),
        }
        kind, _, conversation = found["thread"].partition("-")
        if kind == "session":
            found["conversation"] = conversation
        if record.exc_info:
            found["error"] = self._clean(self.formatException(record.exc_info))
        return json.dumps(found, ensure_ascii=False)

    def _clean(self, text: str) -> str:
        return self._redact(plain(text))


class _Stderr(logging.Handler):
    """Writes to whatever `sys.stderr` is at that moment: the line editor stands in for it while it runs.

    A line that cannot be written is lost: no session ends because nobody reads its log.
    """

    def emit(self, record: logging.LogRecord) -> None:
        try:
            if sys.stderr is not None:  # as it is when the process was started without one
                sys.stderr.write(self.format(record) + "\n")
        except (OSError, ValueError):  # nobody reads it any more, or it was closed
            self.handleError(record)


class _File(RotatingFileHandler):
    """A file for this user only."""

    def _open(self) -> TextIOWrapper:
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        return open(descriptor, self.mode, encoding=self.encoding)  # type: ignore[return-value]  # a text mode


def set_up(*, debug: bool) -> None:
    """Set up logging for this process: `logging` must not have been set up before."""
    handler = _Stderr()
    handler.setFormatter(_Text(str))
    logging.basicConfig(level=logging.DEBUG if debug else logging.ERROR, handlers=[handler])
    # The line editor runs on asyncio, which logs that it does.
    logging.getLogger("asyncio").setLevel(logging.WARNING)


def serve(redact: Callable[[str], str], log: LogConfig) -> None:
    """Show from now on what a service does, as `log` says, and of its libraries what is odd.

    Every line goes through `redact`. Raise ConfigError for a file that cannot be written.
    """
    root = logging.getLogger()
    root.setLevel(min(root.level, logging.WARNING))
    set_levels(log)
    is_terminal = sys.stderr is not None and sys.stderr.isatty() and not os.environ.get("NO_COLOR")
    for handler in root.handlers:
        if isinstance(handler, _Stderr):
            handler.setFormatter(_shape(log, redact, is_coloured=is_terminal))
    if log.file:
        root.addHandler(_file(log, redact))


def show_all() -> None:
    """Show everything from now on, as with `debug`."""
    logging.getLogger().setLevel(logging.DEBUG)


def log_options(command: F) -> F:
    """Give a command the options that say what is logged and how; `with_options` makes use of them."""
    kinds = click.option("--log-format", type=click.Choice(["text", "json"]), help="Lines for people, or for programs.")
    files = click.option("--log-file", metavar="PATH", help="A file that gets every line as well; it is rotated.")
    level = "What is logged: debug, info, warning or error; NAME=LEVEL for one logger. May be given several times."
    levels = click.option("--log-level", "log_levels", metavar="[NAME=]LEVEL", multiple=True, help=level)
    return levels(kinds(files(command)))


def with_options(
    log: LogConfig, log_format: str | None, log_file: str | None, log_levels: tuple[str, ...]
) -> LogConfig:
    """Return `log` with what the command line says. Raise click.BadParameter for a level that is none."""
    import msgspec

    changed: dict[str, Any] = {"loggers": dict(log.loggers)}
    if log_format is not None:
        changed["format"] = log_format
    if log_file is not None:
        changed["file"] = log_file
    for given in log_levels:
        name, _, level = given.rpartition("=")
        if level not in ("debug", "info", "warning", "error"):
            raise click.BadParameter(f"{level} is no level: debug, info, warning, error.", param_hint="--log-level")
        if name:
            changed["loggers"][name] = level
        else:
            changed["level"] = level
    return msgspec.structs.replace(log, **changed)


def _shape(log: LogConfig, redact: Callable[[str], str], *, is_coloured: bool = False) -> logging.Formatter:
    return _Json(redact) if log.format == "json" else _Text(redact, is_coloured=is_coloured)


def _file(log: LogConfig, redact: Callable[[str], str]) -> logging.Handler:
    try:
        path, size = os.path.expanduser(log.file), int(log.file_mb * 2**20)
        found = _File(path, maxBytes=size, backupCount=log.file_count, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{log.file} cannot be written: {error.strerror}", key="log.file") from error
    found.setFormatter(_shape(log, redact))
    return found
