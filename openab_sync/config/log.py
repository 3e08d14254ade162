"""What is logged: `[log]`, and how the loggers are told. Where the lines go is the command line's business."""

from __future__ import annotations

import logging
from typing import Annotated, Literal

import msgspec

__all__ = ["Level", "LogConfig", "set_levels"]

Level = Literal["debug", "info", "warning", "error"]

PACKAGE = __name__.partition(".")[0]


class LogConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a service logs: `[log]`."""

    level: Level = "info"
    """What openab-sync itself logs; of its libraries only what is odd."""
    loggers: dict[str, Level] = {}
    """Other levels for single loggers, by name: `"openab_sync.store"`, `"discord"`."""
    format: Literal["text", "json"] = "text"
    """Lines for people, or an object on each line for programs."""
    file: str = ""
    """A file that gets every line as well; empty: none."""
    file_mb: Annotated[float, msgspec.Meta(gt=0, le=100_000)] = 10.0
    """Megabytes after which a new one is begun."""
    file_count: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 5
    """Older files that are kept: FILE.1 is the newest of them."""

    def __post_init__(self) -> None:
        if "" in self.loggers:
            raise ValueError("loggers: a logger has a name")


def set_levels(log: LogConfig, before: LogConfig | None = None) -> None:
    """Have everything logged as `log` says, and no longer as `before` said. With --debug everything is logged anyway.

    Any thread.
    """
    for name in before.loggers if before is not None else ():
        logging.getLogger(name).setLevel(logging.NOTSET)
    root = logging.getLogger()
    if root.level <= logging.DEBUG:
        return
    for name, level in {PACKAGE: log.level, **log.loggers}.items():
        logging.getLogger(name).setLevel(level.upper())
