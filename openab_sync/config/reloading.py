"""Reads the configuration again while everything runs: what can applies at once, the rest is named.

A configuration that cannot be used changes nothing.
The main thread's; blocks for as long as reading takes (a disk; a URL up to about 10 s).
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from ..errors import ConfigError
from .live import Live, Renewal, renewed
from .log import set_levels
from .schema import Config

__all__ = ["Reloading"]

log = logging.getLogger(__name__)


class Reloading:
    """The configuration as it was written, and how it is read again."""

    def __init__(
        self, live: Live, written: Config, read: Callable[[], Config], adapt: Callable[[Config], Config]
    ) -> None:
        """`live` is what everybody reads, made of `written` by `adapt`, which raises ConfigError for what cannot be."""
        self._live, self._written, self._read, self._adapt = live, written, read, adapt

    def reload(self) -> tuple[bool, str]:
        """Read again; return whether that went well, and what came of it in words for people. Nothing is raised."""
        try:
            new = self._read()
            self._adapt(new)  # what could not be started, half a file say, is not taken by halves either
            renewal = renewed(self._written, new)
            config = self._adapt(renewal.config)
        except ConfigError as error:
            log.error("the configuration was read again, and nothing changed: %s", error)
            return False, f"Nothing changed: {error}"
        set_levels(config.log, self._live.config.log)
        self._written = renewal.config
        self._live.renew(config)
        text = told(renewal)
        log.info("the configuration was read again. %s", text.replace("\n", " "))
        return True, text


def told(renewal: Renewal) -> str:
    """Return a line for what applies now, and one for what does not."""
    lines = [f"Applies from now on: {', '.join(renewal.now)}."] if renewal.now else []
    if renewal.later:
        lines.append(f"Changed as well, but only a restart applies it: {', '.join(renewal.later)}.")
    return "\n".join(lines) or "Nothing has changed."
