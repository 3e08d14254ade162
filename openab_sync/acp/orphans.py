"""Ends what a dead broker has left behind: its agents, and what they have started.

    found:  by what was recorded of them (pid and start time) · by their parents · by the broker's marker, wherever they
            hid
    ended:  SIGTERM ──1.5 s──► SIGKILL ──1 s──► who is still there is named

None of them is a child of ours, so nobody here can reap them; the system does. Nothing is found where there is no /proc
(macOS). **Threads**: any; blocks for the seconds above at most, and only if there is somebody to wait for.
"""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Collection, Iterable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass

from .environment import BROKER_MARKER
from .kin import Kin, descendants, end_strays, identify, marked, send
from .watch import open_pidfd

__all__ = ["Orphans", "end_orphans"]

TERM_GRACE = 1.5  # seconds; as for an agent whose broker lives
KILL_GRACE = 1.0
SLICE = 0.05  # seconds between two looks where there is no pidfd to wait for


@dataclass(frozen=True, slots=True)
class Orphans:
    """Who was found; `left` are those that could not be ended."""

    found: tuple[Kin, ...] = ()
    left: tuple[Kin, ...] = ()


def end_orphans(recorded: Iterable[Kin], brokers: Collection[str]) -> Orphans:
    """End the processes that were recorded, if they are still who they were, and all that the `brokers` have marked."""
    found = _family([kin for kin in recorded if identify(kin.pid) == kin], brokers)
    if not found:
        return Orphans()
    _send(found, signal.SIGTERM)
    _await(found, TERM_GRACE)
    found += [kin for kin in _family(_alive(found), brokers) if kin not in found]
    strays = end_strays(_alive(found), BROKER_MARKER, brokers)
    found += [kin for kin in strays if kin not in found]
    _await(found, KILL_GRACE)
    return Orphans(tuple(found), tuple(_alive(found)))


def _family(known: Sequence[Kin], brokers: Collection[str]) -> list[Kin]:
    """They, theirs, and whoever carries the marker; those at the head of a family first."""
    below = [kin for head in known for kin in descendants(head.pid)]
    return list(dict.fromkeys([*known, *below, *marked(BROKER_MARKER, brokers)]))


def _send(processes: Iterable[Kin], number: signal.Signals) -> None:
    for kin in processes:
        with suppress(PermissionError):  # it changed its user: not ours to end any more
            send(kin, number)


def _alive(processes: Iterable[Kin]) -> list[Kin]:
    return [kin for kin in processes if identify(kin.pid) == kin]


def _await(processes: Sequence[Kin], seconds: float) -> None:
    """Wait until all have ended, for `seconds` at most."""
    until = time.monotonic() + seconds  # real time: nobody steps a clock for the kernel
    while (left := until - time.monotonic()) > 0 and (alive := _alive(processes)):
        with ExitStack() as stack:
            poll = select.poll()
            try:
                watch = open_pidfd(alive[0].pid)
            except OSError:  # it has just ended, or there are none: look again in a moment
                left = min(left, SLICE)
            else:
                stack.callback(os.close, watch)
                poll.register(watch, select.POLLIN)
            poll.poll(left * 1000)
