"""A log line for everything an agent sends that is not the protocol, but no flood of them.

So many lines a minute are written as they come; what is beyond is counted and told with the next line that is. Session
thread only.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from ..acp.events import Noise
from ..clock import Clock
from ..text.clean import one_line

__all__ = ["NoiseLog"]

log = logging.getLogger(__name__)

LINES = 20  # a minute
MINUTE = 60.0  # seconds
WHAT, SAMPLE = 300, 200  # characters of each that a line shows


class NoiseLog:
    """Logs `Noise`, limited."""

    __slots__ = ("_clock", "_held", "_redact", "_since", "_written")

    def __init__(self, clock: Clock, redact: Callable[[str], str]) -> None:
        self._redact = redact
        self._clock = clock
        self._since = clock.monotonic()
        self._written = 0
        self._held = 0

    def __call__(self, who: object, noise: Noise) -> None:
        """Write a line about `noise` from `who`, unless there were too many in this minute."""
        now = self._clock.monotonic()
        if now - self._since >= MINUTE:
            self._since, self._written = now, 0
        if self._written >= LINES:
            self._held += 1
            return
        self._written += 1
        more = f" (and {self._held} more like it were not logged)" if self._held else ""
        self._held = 0
        # Redacted before it is cut: half a secret is one, too. Names in it are the agent's: they must not start a line.
        what = one_line(self._redact(noise.what), WHAT)
        log.warning("%s: %s%s", who, what, more)
        # The sample may hold an answer or a prompt: never above DEBUG.
        if log.isEnabledFor(logging.DEBUG):
            log.debug("%s: %s: %r", who, what, self._redact(noise.sample)[:SAMPLE])
