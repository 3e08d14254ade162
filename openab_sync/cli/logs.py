"""Where log lines go: to stderr. Only what is broken; what happens, too, in a service; or everything with --debug."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable

from ..config.log import LogConfig, set_levels
from ..text.clean import plain

__all__ = ["serve", "set_up", "show_all"]

FORMAT = "%(asctime)s %(levelname)s %(threadName)s %(name)s: %(message)s"


class _Stderr(logging.Handler):
    """Writes to whatever `sys.stderr` is at that moment: the line editor stands in for it while it runs.

    What agents are called and what they wrote is part of some lines, so they are cleaned for the terminal. A line that
    cannot be written is lost: no session ends because nobody reads its log. `redact` takes secrets out.
    """

    redact: Callable[[str], str] = staticmethod(str)

    def emit(self, record: logging.LogRecord) -> None:
        try:
            if sys.stderr is not None:  # as it is when the process was started without one
                sys.stderr.write(self.redact(plain(self.format(record))) + "\n")
        except (OSError, ValueError):  # nobody reads it any more, or it was closed
            self.handleError(record)


def set_up(*, debug: bool) -> None:
    """Set up logging for this process: `logging` must not have been set up before."""
    handler = _Stderr()
    handler.setFormatter(logging.Formatter(FORMAT))
    logging.basicConfig(level=logging.DEBUG if debug else logging.ERROR, handlers=[handler])
    # The line editor runs on asyncio, which logs that it does.
    logging.getLogger("asyncio").setLevel(logging.WARNING)


def serve(redact: Callable[[str], str], log: LogConfig) -> None:
    """Show from now on what a service does, as `log` says, and of its libraries what is odd.

    Every line goes through `redact`.
    """
    root = logging.getLogger()
    root.setLevel(min(root.level, logging.WARNING))
    set_levels(log)
    for handler in root.handlers:
        if isinstance(handler, _Stderr):
            handler.redact = redact


def show_all() -> None:
    """Show everything from now on, as with `debug`."""
    logging.getLogger().setLevel(logging.DEBUG)
