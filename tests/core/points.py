"""Stops a thread at a named point, so that a test can do something in the meantime: `with stopped(Session, "shut"):`.

Never under a lock: the witness forbids waiting there.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from openab_sync.core.agent import Agent
from openab_sync.core.house import Order
from openab_sync.core.message import MessageRef
from openab_sync.core.port import Limits
from openab_sync.core.session import Session
from tests.core.bed import Bed, place, received
from tests.waiting import MS, until

__all__ = ["PAGES", "Point", "awake", "beside", "dies", "kill", "methods", "order", "ref", "stopped"]

PAGES = Limits(live="once", page=60, typing_interval=None, reactions=False)


class Point:
    """A method at which the first caller waits until `go`."""

    def __init__(self, real: Callable[..., Any], when: Callable[..., bool]) -> None:
        self._real, self._when = real, when
        self._armed = threading.Lock()  # bare: whoever has it is the one to stop
        self._reached, self._go = threading.Event(), threading.Event()

    def reach(self) -> None:
        """Wait until somebody stands here."""
        assert self._reached.wait(10_000 * MS), f"nobody came to {self._real.__qualname__}"

    def go(self) -> None:
        """Let it go on; nobody else stops here."""
        self._go.set()

    def call(self, *args: Any, **more: Any) -> Any:
        """What stands in for the real method."""
        if self._when(*args, **more) and self._armed.acquire(blocking=False):
            self._reached.set()
            self._go.wait(20_000 * MS)
        return self._real(*args, **more)


@contextmanager
def stopped(owner: object, name: str, *, when: Callable[..., bool] = lambda *_, **__: True) -> Iterator[Point]:
    """Stop whoever calls `owner.name` first, if `when` says so of its arguments, until `go` or the end of the block."""
    point = Point(getattr(owner, name), when)

    def stand_in(*args: Any, **more: Any) -> Any:  # a function: methods of classes are bound
        return point.call(*args, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(owner, name, stand_in)
        try:
            yield point
        finally:
            point.go()


def ref(number: int, at: str = "1") -> MessageRef:
    return MessageRef(place(at), f"m{number}")


def order(bed: Bed, what: Order, at: str = "1") -> Future[str]:
    return bed.pool.order(place(at), what)


def methods(log: Path) -> list[str]:
    return [message.get("method", "answer") for message in received(log)]


def kill(bed: Bed, at: str = "1") -> None:
    """The agent dies, with all that belongs to it."""
    pid = bed.snapshot(at).pid
    assert pid is not None
    os.killpg(pid, signal.SIGKILL)


def dies(session: Session) -> bool:
    """For the point where a session learns that its agent is dead, and not where it ends otherwise."""
    return session._agent._connection.exit_seen and not session.mailbox.is_shut


@contextmanager
def awake(bed: Bed) -> Iterator[Point]:
    """The next session that wakes is stopped before it has looked why. All are asleep when the block begins."""
    _asleep(bed)
    with stopped(Agent, "_sort") as point:  # what its wait ends with, whoever ended it
        yield point


def _asleep(bed: Bed) -> None:
    """Wait until every session has begun another wait: what is left for it from now on wakes it from there."""
    real, asleep = Agent.wait, set[int]()

    def wait(agent: Agent, *args: Any, **more: Any) -> Any:
        asleep.add(id(agent))
        return real(agent, *args, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Agent, "wait", wait)
        bed.wake_all()
        agents = {id(session._agent) for session in bed.pool._rooms.every()}
        until(lambda: agents <= asleep, what="all sessions wait")


@contextmanager
def beside(action: Callable[[], object]) -> Iterator[list[object]]:
    """Do something on a thread of its own meanwhile; the list has what it returned, once the block is left."""
    results: list[object] = []
    thread = threading.Thread(target=lambda: results.append(action()))
    thread.start()
    yield results
    thread.join(20)
    assert not thread.is_alive()
