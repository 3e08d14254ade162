"""What goes wrong on purpose: a script of faults for requests that match. Decided under the world's lock."""

from __future__ import annotations

import asyncio
import fnmatch
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Fault", "Faults"]


@dataclass(eq=False)
class Fault:
    """What happens to the next `times` requests whose method and path match (`*` and `?` as in file names).

    Order: `latency` and `hold` first; then a `reset` connection or an answer with `status`; otherwise the request is
    served. With `lost` it is served first and the reply is lost: the connection is reset, or `status` is answered.
    An attachment's body ends after `partial` bytes, where that is not 0, with a reset.
    """

    method: str = "*"
    path: str = "*"
    times: int = 1
    status: int = 0
    code: int = 0
    message: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    latency: float = 0.0  # seconds, of real time
    reset: bool = False
    lost: bool = False
    retry_after: float = 0.05  # of a 429
    is_global: bool = False  # a 429 for all routes
    via: bool = True  # without: as a proxy or CDN answers, in HTML
    hold: bool = False  # until release()
    partial: int = 0
    when: Callable[[Any], bool] = lambda _form: True  # asked with the JSON body
    seen: int = field(default=0, init=False)  # requests that it has met
    _released: asyncio.Event = field(default_factory=asyncio.Event, init=False, repr=False)
    _loop: asyncio.AbstractEventLoop | None = field(default=None, init=False, repr=False)

    def matches(self, method: str, path: str, form: Any) -> bool:
        return (
            self.seen < self.times
            and fnmatch.fnmatchcase(method, self.method)
            and fnmatch.fnmatchcase(path, self.path)
            and self.when(form)
        )

    async def delay(self) -> None:
        """The waiting part. On the server's loop."""
        if self.latency:
            await asyncio.sleep(self.latency)
        self._loop = asyncio.get_running_loop()  # before looking at `hold`, which release() changes first
        if self.hold:
            await self._released.wait()

    def release(self) -> None:
        """Let go what is held, and hold no more. Any thread."""
        self.hold = False
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._released.set)


class Faults:
    """The script: faults in the order in which they were added; the first that matches is taken."""

    def __init__(self) -> None:
        self._script: list[Fault] = []

    def add(self, fault: Fault) -> Fault:
        self._script.append(fault)
        return fault

    def take(self, method: str, path: str, form: Any) -> Fault | None:
        """The fault for this request, counted; None if nothing goes wrong."""
        for fault in self._script:
            if fault.matches(method, path, form):
                fault.seen += 1
                return fault
        return None

    def clear(self) -> None:
        """No more faults; what is held is let go."""
        for fault in self._script:
            fault.release()
        self._script.clear()
