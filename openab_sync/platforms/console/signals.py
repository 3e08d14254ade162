"""Signals of this process, for as long as a command runs. Main thread only."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

__all__ = ["handled"]


@contextmanager
def handled(handlers: Mapping[signal.Signals, Callable[[signal.Signals], None]]) -> Iterator[None]:
    """Call the handlers inside the `with` block, each with its signal; afterwards it is as it was before.

    A handler runs between two steps of the main thread: it may put into a SimpleQueue or ring a bell, nothing else.
    """
    before = {number: signal.signal(number, _adapter(handler)) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _adapter(handler: Callable[[signal.Signals], None]) -> Callable[[int, object], None]:
    return lambda number, _frame: handler(signal.Signals(number))
