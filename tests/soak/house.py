"""The whole house in this process, under people who do everything at random and the witness of the locks; the account.

A fault is a message that was lost or doubled, an order that was never answered, a rule about locks that was broken,
something that was left behind, an error in the log, or something that goes on growing.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import Any

import pytest

from openab_sync.core import notices, pool
from openab_sync.core.message import Conversation
from openab_sync.core.port import TurnEvent
from tests.core.bed import Bed
from tests.fakes.platform import FakePlatform
from tests.soak.account import Account
from tests.soak.gauge import Belongings, Reading, drift, trim
from tests.soak.people import CONVERSATIONS, Someone
from tests.soak.saying import say
from tests.witness import Witness, install

__all__ = ["run"]

ROOMS = 8  # fewer than conversations: the line and evictions are always busy
PEOPLE = 4
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


def run(seconds: float, seed: int) -> tuple[list[str], list[Reading]]:
    """Run and print; return a sentence for each fault, and what it has cost. Blocks for a bit more than `seconds`."""
    account, log, before = Account(), _Log(), Belongings()
    logger = logging.getLogger("openab_sync")
    logger.addHandler(log)
    say(f"{CONVERSATIONS} conversations, {ROOMS} rooms, {PEOPLE} people, seed {seed}")
    try:
        faults, readings = _live(seconds, seed, account)
    finally:
        logger.removeHandler(log)
    faults += [*drift(readings), *account.faults(), *before.left_behind(), *log.errors]
    say(f"{account!r}; warnings {log.warnings}")
    return faults, readings


def _live(seconds: float, seed: int, account: Account) -> tuple[list[str], list[Reading]]:
    """Let people loose in a house for a while; return what went wrong besides the account, and what it has cost."""
    with _watched(account) as witness, Bed("--options", "--stderr", "3", pool=POOL) as bed:
        witnessed = witness.faults
        stop = threading.Event()
        people = [Someone(n, bed, account, random.Random(seed * 1000 + n), stop) for n in range(PEOPLE)]
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
    return [*witnessed, *([f"{unanswered} orders were never answered"] if unanswered else [])], readings


@contextmanager
def _watched(account: Account) -> Iterator[Witness]:
    """Watch the locks, and have the account told of all that happens, before there is a house that could tell it."""

    def event(_: FakePlatform, conversation: Conversation, event: TurnEvent) -> None:
        account.event(conversation, event)  # and not kept, as the platform would

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FakePlatform, "event", event)
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
        trim()
        reading, house = Reading.take(time.monotonic() - began), bed.broker.snapshot()
        states = Counter(str(session.state) for session in house.sessions)
        shown = " ".join(f"{state} {count}" for state, count in sorted(states.items()))
        say(f"{reading}  {account!r}  sessions {len(house.sessions)} ({shown}) in line {len(house.waiting)}")
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
