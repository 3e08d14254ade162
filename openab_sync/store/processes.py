"""Which brokers have run with this store, and which agents they had: by this the next one finds what a crash has left.

A process is known by three things, for its number alone is another's a moment later: pid, start time, boot. All that a
broker starts carries the broker's id in its environment as well; so what is not on the disk yet is found all the same.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

from .journal import Store

__all__ = ["AgentProcess", "BrokerProcess", "Processes"]


@dataclass(frozen=True, slots=True)
class AgentProcess:
    """One agent that has been started and was not seen to end."""

    marker: str
    """What it and all its children carry in their environment."""
    pid: int
    started: int
    """Clock ticks since boot."""


@dataclass(frozen=True, slots=True)
class BrokerProcess:
    """One run of a broker."""

    id: str
    """What everything that it starts carries in its environment."""
    pid: int
    started: int
    boot: str
    """Of which boot of the machine its processes are."""
    agents: tuple[AgentProcess, ...] = ()


class Processes:
    """The book of this broker's processes, and of its predecessors'."""

    def __init__(self, store: Store, broker: str) -> None:
        """`broker` is the id of ours."""
        self._store, self._broker = store, broker

    # ---- blocks (disk); before any agent is started ----

    def earlier(self) -> tuple[BrokerProcess, ...]:
        """Return who is in the book, with the agents that have not been seen to end. Raise StoreError."""
        return self._store.read(_everybody)

    def begin(self, ours: BrokerProcess, gone: Iterable[str]) -> None:
        """Enter our own run, and forget those of the ids `gone`; on the disk when this returns. Raise StoreError."""
        ids = [(id,) for id in gone]

        def change(db: sqlite3.Connection) -> None:
            db.executemany("DELETE FROM brokers WHERE id = ?", ids)  # and their agents with them
            db.execute(
                "INSERT INTO brokers (id, pid, started, boot) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
                (ours.id, ours.pid, ours.started, ours.boot),
            )

        self._store.write(change).result()

    # ---- any thread; never blocks. A disk that fails is logged by the journal: the marker has to do then ----

    def began(self, marker: str, pid: int, started: int) -> None:
        """An agent has been started."""
        self._write(
            "INSERT INTO agents (marker, broker, pid, started) VALUES (?, ?, ?, ?)",
            (marker, self._broker, pid, started),
        )

    def ended(self, marker: str) -> None:
        """An agent has ended, and been reaped."""
        self._write("DELETE FROM agents WHERE marker = ?", (marker,))

    def _write(self, statement: str, values: tuple[str | int, ...]) -> None:
        def change(db: sqlite3.Connection) -> None:
            db.execute(statement, values)

        self._store.write(change)


def _everybody(db: sqlite3.Connection) -> tuple[BrokerProcess, ...]:
    agents: dict[str, list[AgentProcess]] = {}
    for broker, *row in db.execute("SELECT broker, marker, pid, started FROM agents ORDER BY started, pid"):
        agents.setdefault(broker, []).append(AgentProcess(*row))
    rows = db.execute("SELECT id, pid, started, boot FROM brokers ORDER BY rowid").fetchall()
    return tuple(BrokerProcess(id, pid, start, boot, tuple(agents.get(id, ()))) for id, pid, start, boot in rows)
