"""Where log lines go: to stderr; only what is broken, or everything with --debug."""

from __future__ import annotations

import logging
import sys

__all__ = ["set_up"]

FORMAT = "%(asctime)s %(levelname)s %(threadName)s %(name)s: %(message)s"


class _Stderr(logging.Handler):
    """Writes to whatever `sys.stderr` is at that moment: the line editor stands in for it while it runs."""

    def emit(self, record: logging.LogRecord) -> None:
        sys.stderr.write(self.format(record) + "\n")


def set_up(*, debug: bool) -> None:
    """Set up logging for this process: `logging` must not have been set up before."""
    handler = _Stderr()
    handler.setFormatter(logging.Formatter(FORMAT))
    logging.basicConfig(level=logging.DEBUG if debug else logging.ERROR, handlers=[handler])
    # The line editor runs on asyncio, which logs that it does.
    logging.getLogger("asyncio").setLevel(logging.WARNING)
