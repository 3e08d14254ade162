"""Tells the service manager that has started us how it goes: systemd's protocol, a line a datagram (`man sd_notify`).

Where nobody has asked for it (no `$NOTIFY_SOCKET`) nothing is sent. A manager that does not read loses what is sent:
nothing here blocks, and nothing raises.

**Threads**: one, the main thread.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Mapping

from .clock import Clock

__all__ = ["Notifier"]

log = logging.getLogger(__name__)


class Notifier:
    """The line to the service manager."""

    def __init__(self, environ: Mapping[str, str], clock: Clock) -> None:
        self._clock = clock
        self._address = _address(environ.get("NOTIFY_SOCKET", ""))
        self._every = _watchdog(environ) / 2  # seconds; it wants to hear of us twice in its time
        self._next_at = clock.monotonic()

    @property
    def is_watched(self) -> bool:
        """Whether the manager ends a service that it does not hear `alive` of."""
        return bool(self._address) and self._every > 0

    def ready(self, status: str) -> None:
        """All is started; `status` is for people who look at the service."""
        self._send("READY=1", f"STATUS={status}")

    def stopping(self) -> None:
        """It ends now, and takes the time it takes."""
        self._send("STOPPING=1", "STATUS=stopping")

    def alive(self) -> None:
        """It is well: said as often as the manager wants to hear it, however often this is called."""
        now = self._clock.monotonic()
        if self.is_watched and now >= self._next_at:
            self._next_at = now + self._every
            self._send("WATCHDOG=1")

    def _send(self, *lines: str) -> None:
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as line:
                line.setblocking(False)
                line.sendto("\n".join(lines).encode(), self._address)
        except OSError as error:
            log.debug("the service manager could not be told %s: %s", lines[0], error)


def _address(name: str) -> str:
    """A socket in the file system, or an abstract one, written with an `@`; "" for anything else."""
    if name.startswith("@"):
        return "\0" + name[1:]
    return name if name.startswith("/") else ""


def _watchdog(environ: Mapping[str, str]) -> float:
    """Seconds after which the manager ends us if it hears nothing; 0 if it does not, or if another process is meant."""
    micros, pid = environ.get("WATCHDOG_USEC", ""), environ.get("WATCHDOG_PID", str(os.getpid()))
    return int(micros) / 1e6 if micros.isdecimal() and pid == str(os.getpid()) else 0.0
