"""A witness to the two locks of the house: wrong order, two sessions at once, or waiting while one is held.

`install` puts watched locks where the pool and the mailboxes make theirs, and a check before everything that can block.
A fault is raised where it happens and kept in `faults` as well: a thread may swallow what is raised in it. What it
cannot see: names bound before it came (`from os import read`) and what C types do (a database, a SimpleQueue).

**Threads**: any; what is held is recorded per thread. **Locks**: those it watches, none of its own.
**Never**: a fault forgiven because nobody met it this time; each check asks for the rule, not for the accident.
"""

from __future__ import annotations

import concurrent.futures
import logging
import os
import select
import selectors
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from openab_sync.acp.poll import Poll
from openab_sync.threads import Bell

__all__ = ["POOL", "SESSION", "WATCHED", "WatchedLock", "Witness", "WitnessFault", "install"]

POOL, SESSION = 1, 2  # the ranks: a lock is taken only while every lock in hand has a lower one

# Where locks are made: module, the name it makes them by, the rank of what it gets.
WATCHED = (("openab_sync.core.pool", "RLock", POOL), ("openab_sync.core.mailbox", "Lock", SESSION))

# What may not be called with a lock in hand: it waits, talks to the world, or runs code that is not ours.
FORBIDDEN: tuple[tuple[object, str], ...] = (
    (os, "read"),
    (os, "write"),  # but for the bell's, see `_is_bell`
    (os, "waitpid"),
    (os, "fsync"),
    (time, "sleep"),
    (select, "select"),
    (selectors.SelectSelector, "select"),
    (selectors.PollSelector, "select"),
    (selectors.DefaultSelector, "select"),
    (Poll, "wait"),
    (socket, "create_connection"),
    (subprocess.Popen, "__init__"),
    (subprocess.Popen, "wait"),
    (threading.Thread, "start"),
    (threading.Thread, "join"),
    (threading.Condition, "wait"),  # and so Event.wait and Queue.get
    (concurrent.futures.Future, "result"),
    (concurrent.futures.Future, "exception"),
    (concurrent.futures.Future, "set_result"),  # runs the callbacks of others
    (concurrent.futures.Future, "set_exception"),
    (logging.Logger, "isEnabledFor"),  # asked by every log call, also by those that log nothing today
)


class WitnessFault(AssertionError):
    """The rule about locks that has just been broken."""


class Witness:
    """Knows which thread holds what; `faults` are the rules broken so far, one sentence each."""

    def __init__(self) -> None:
        self.faults: list[str] = []
        self._local = threading.local()

    def held(self) -> list[WatchedLock]:
        """The locks in this thread's hands, in the order they were taken; twice if taken twice."""
        locks: list[WatchedLock] = self._local.__dict__.setdefault("locks", [])
        return locks

    def fault(self, sentence: str) -> None:
        """Keep and raise."""
        text = f"{threading.current_thread().name}: {sentence}"
        self.faults.append(text)
        raise WitnessFault(text)

    def may_take(self, lock: WatchedLock) -> None:
        """Raise WitnessFault if taking `lock` now is against the ranks."""
        held = self.held()
        if lock in held:
            if lock.rank == SESSION:
                self.fault("a session's lock is taken twice by one thread: it would wait for itself")
            return  # the pool's lock is made for that
        if lock.rank == SESSION and any(other.rank == SESSION for other in held):
            self.fault("a second session's lock is taken while one is held")
        if any(other.rank > lock.rank for other in held):
            self.fault("the pool's lock is taken while a session's is held")

    def may_call(self, name: str) -> None:
        """Raise WitnessFault if `name`, something that can block, is called with a lock in hand."""
        if held := self.held():
            self.fault(f"{name} is called while {' and '.join(map(repr, held))} is held")


class WatchedLock:
    """A Lock or an RLock that tells its witness when it is taken and released."""

    def __init__(self, witness: Witness, inner: Any, rank: int) -> None:
        self._witness, self._inner, self.rank = witness, inner, rank

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """Take it, as the lock inside would, if the ranks allow."""
        self._witness.may_take(self)
        taken: bool = self._inner.acquire(blocking, timeout)
        if taken:
            self._witness.held().append(self)
        return taken

    def release(self) -> None:
        """Give it back; the lock inside complains if it was not held."""
        self._inner.release()
        self._witness.held().remove(self)

    def locked(self) -> bool:
        """Whether anybody (a Lock) or this thread (an RLock, which cannot say more before 3.14) holds it."""
        return self in self._witness.held() if self.rank == POOL else bool(self._inner.locked())

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()

    def __repr__(self) -> str:
        return "the pool's lock" if self.rank == POOL else "a session's lock"


class _Threading(ModuleType):
    """The module `threading` as a watched module sees it: one maker of locks is ours, all else is the real one's."""

    def __init__(self, maker: str, make: Callable[[], WatchedLock]) -> None:
        super().__init__("threading")
        setattr(self, maker, make)

    def __getattr__(self, name: str) -> Any:
        return getattr(threading, name)


def install(monkeypatch: pytest.MonkeyPatch) -> Witness:
    """Watch every lock that the pool and its sessions make from now on, until `monkeypatch` is undone.

    Only where the module has been imported: who tests a session imports it, and the pure tests stay quick.
    """
    witness = Witness()
    for module, maker, rank in WATCHED:
        if module in sys.modules:
            watched = _Threading(maker, _maker(witness, getattr(threading, maker), rank))
            monkeypatch.setattr(sys.modules[module], "threading", watched)
    for owner, name in FORBIDDEN:
        monkeypatch.setattr(owner, name, _checked(witness, owner, name))
    return witness


def _maker(witness: Witness, make: Callable[[], object], rank: int) -> Callable[[], WatchedLock]:
    return lambda: WatchedLock(witness, make(), rank)


def _checked(witness: Witness, owner: object, name: str) -> Callable[..., Any]:
    """`owner.name` with a question to the witness before it."""
    real: Callable[..., Any] = getattr(owner, name)
    title = f"{getattr(owner, '__name__', owner)}.{name}"
    local = witness._local

    def checked(*args: Any, **kwargs: Any) -> Any:
        # The first question is the cheap one: this stands before every read of a flood, too.
        if local.__dict__.get("locks") and not (name == "write" and _is_bell(sys._getframe(1).f_code, witness)):
            witness.may_call(title)
        return real(*args, **kwargs)

    return checked


def _is_bell(caller: object, witness: Witness) -> bool:
    """Whether this is the one write that a session's lock allows: the bell's, which never blocks."""
    return caller is Bell.ring.__code__ and any(lock.rank == SESSION for lock in witness.held())
