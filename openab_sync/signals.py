"""Signals of this process, for as long as a command runs; and what a service is told while it runs.

A tool: imports other tools only. Handlers are set by the main thread and run between two of its steps: they may put
into a SimpleQueue or ring a bell, nothing else.
"""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from queue import Empty, SimpleQueue

from .clock import SystemClock
from .threads import join_all, spawn

__all__ = ["News", "Terminal", "handled"]

log = logging.getLogger(__name__)

STOPPING = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def handled(handlers: Mapping[signal.Signals, Callable[[signal.Signals], None]]) -> Iterator[None]:
    """Call the handlers inside the `with` block, each with its signal; afterwards it is as it was before."""
    before = {number: signal.signal(number, _adapter(handler)) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _adapter(handler: Callable[[signal.Signals], None]) -> Callable[[int, object], None]:
    return lambda number, _frame: handler(signal.Signals(number))


class Terminal:
    """The terminal in which this process was started, if there is one and its end is not to be ignored (`nohup`)."""

    def __init__(self) -> None:
        self._had = signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN and _is_there()

    @property
    def is_gone(self) -> bool:
        """Whether it has been closed since. Never blocks."""
        return self._had and not _is_there()


def _is_there() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC))
    except OSError:
        return False
    return True


class News:
    """What a service is told, in order: signals, and whatever else ends it. Main thread, but for `put`."""

    def __init__(
        self,
        hangup: Callable[[], object],
        terminal: Terminal | None = None,
        look: Callable[[], object] = lambda: None,
    ) -> None:
        """`hangup` is called for each SIGHUP that does not end the service, `look` for each SIGUSR1."""
        self._queue: SimpleQueue[object] = SimpleQueue()
        self._hangup = hangup
        self._look = look
        self._terminal = terminal or Terminal()
        self.tick: Callable[[], object] = lambda: None  # called about once a second while it waits

    def put(self, item: object) -> None:
        """Tell it something that ends the service. Any thread, and handlers of signals; never blocks."""
        self._queue.put(item)

    def heard(self) -> list[signal.Signals]:
        """Return the signals to be handled by `put`.

        Of those that stop a service not such as whoever started it has it ignore (a shell's `&`).
        """
        wanted = [number for number in STOPPING if signal.getsignal(number) is not signal.SIG_IGN]
        return [*wanted, signal.SIGHUP, signal.SIGUSR1]

    def until_over(self) -> object:
        """Wait for what ends the service, and return it. Blocks."""
        while (item := self._next()) is signal.SIGHUP and not self._terminal.is_gone:
            self._hangup()
        return item

    def during(self, work: Callable[[], bool], hurry: Callable[[], object]) -> bool:
        """Have a thread `stopping` do `work`; return whether that went well. `hurry` is called if another signal comes.

        Blocks for as long as the work takes.
        """
        done: list[bool] = []

        def do() -> None:
            try:
                done.append(work())
            finally:
                self._queue.put(done)

        thread = spawn("stopping", do)
        while (item := self._next()) is not done:
            if item in STOPPING:
                assert isinstance(item, signal.Signals)
                log.warning("%s again: agents are killed", item.name)
                hurry()
        join_all([thread], SystemClock(), 1.0)
        return done == [True]

    def _next(self) -> object:
        """Wait for the next item. A signal that comes as the wait begins does not end it: look now and then."""
        while True:
            self.tick()
            with suppress(Empty):
                if (item := self._queue.get(timeout=1.0)) is not signal.SIGUSR1:
                    return item
                self._look()
