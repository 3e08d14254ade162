"""What is logged: `[log]`, and how the loggers are told. Where the lines go is the command line's business."""

from __future__ import annotations

import logging
from typing import Literal

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
