"""`python -m tests.soak [--minutes N]`: the house for a while under people at random, then the account.

Ends with 1 if a message was lost or doubled, an order was never answered, a rule about locks was broken, something of
the house was left behind, or memory grew by more than GROWTH after the first minute.
"""

from __future__ import annotations

import argparse
import logging
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import Any

import pytest

from openab_sync.core import notices, pool
from tests.core.bed import Bed
from tests.fakes.platform import FakePlatform
from tests.soak.account import Account
from tests.soak.gauge import Reading, growth, left_behind
from tests.soak.people import CONVERSATIONS, Someone
from tests.witness import Witness, install

__all__ = ["main"]

ROOMS = 8  # fewer than conversations: the line and evictions are always busy
PEOPLE = 4
GROWTH = 32.0  # MiB
LOOK = 10.0  # seconds between two lines of print
LATE = 20.0  # seconds for orders to be answered when all has ended

POOL = {
    "max_sessions": ROOMS,
    "max_waiting": 15,
    "cancel_grace_secs": 2,
    "prompt_hard_timeout_secs": 20,
    "liveness_check_secs": 5,
    "hung_grace_secs": 30,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run and print; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=20.0, metavar="N", help="how long (default 20)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="other people (default 1)")
    options = parser.parse_args(argv)
    account, log = Account(), _Log()
    logging.getLogger("openab_sync").addHandler(log)
    before = Reading.take()
    _say(f"{CONVERSATIONS} conversations, {ROOMS} rooms, {PEOPLE} people, seed {options.seed}\n{before}")
    faults = [*_run(options.minutes * 60, options.seed, account), *account.faults(), *left_behind(before), *log.errors]
    _say(f"{Reading.take()}\n{account!r}; warnings {log.warnings}")
    _say("\n".join(faults) or "All is accounted for.")
    return 1 if faults else 0


def _run(seconds: float, seed: int, account: Account) -> list[str]:
    """Let people loose in a house for a while; return what went wrong besides the account."""
    with _watched(account) as witness, Bed("--options", "--stderr", "3", pool=POOL) as bed:
        witnessed = witness.faults
        stop = threading.Event()
        people = [Someone(n, bed, account, random.Random(seed * 1000 + n), stop) for n in range(PEOPLE)]
        bed.port.event = account.event  # type: ignore[method-assign]  # the platform's would keep all that is said
        with ThreadPoolExecutor(PEOPLE, "person") as crowd:
            lives = [crowd.submit(person.live) for person in people]
            try:
                readings = list(_looks(seconds, bed, account))
            finally:  # somebody may have lost patience
                stop.set()
        for life in lives:
            life.result()
    promised: list[Future[Any]] = [future for person in people for future in person.promised]
    unanswered = len(wait(promised, LATE).not_done)
    faults = [*witnessed, *([f"{unanswered} orders were never answered"] if unanswered else [])]
    grown = growth(readings)
    _say(f"memory since the first minute: {'not watched for long enough' if grown is None else f'{grown:+.1f} MiB'}")
    if grown is not None and grown > GROWTH:
        faults.append(f"memory grew by {grown:.1f} MiB, more than {GROWTH:g}")
    return faults


@contextmanager
def _watched(account: Account) -> Iterator[Witness]:
    """Watch the locks, and have the account told of each message that will not be answered."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (pool, notices):
            patch.setattr(module, "forget_mark", account.drop)
        yield install(patch)


def _looks(seconds: float, bed: Bed, account: Account) -> Iterator[Reading]:
    """Look at everything now and then, print it, and forget what the fake platform has kept."""
    began = time.monotonic()
    pause = threading.Event()
    step = min(LOOK, seconds / 3)
    for number in range(1, round(seconds / step) + 1):
        pause.wait(began + number * step - time.monotonic())
        _forget(bed.port)
        reading, house = Reading.take(time.monotonic() - began), bed.broker.snapshot()
        states = Counter(str(session.state) for session in house.sessions)
        shown = " ".join(f"{state} {count}" for state, count in sorted(states.items()))
        _say(f"{reading}  {account!r}  sessions {len(house.sessions)} ({shown}) in line {len(house.waiting)}")
        yield reading


def _forget(port: FakePlatform) -> None:
    with port.changed:
        port.ops[:] = [op for op in port.ops if not op.future.done()]
        port.questions = {name: item for name, item in port.questions.items() if not item[1].done()}
        port.settled.clear()


class _Log(logging.Handler):
    """Errors are faults; warnings are what the agents of a soak do all day."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.errors: list[str] = []
        self.warnings = 0

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= logging.ERROR:
            self.errors.append(logging.Formatter("logged: %(message)s").format(record))
        else:
            self.warnings += 1


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201  # what this program is for


if __name__ == "__main__":
    sys.exit(main())
