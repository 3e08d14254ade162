"""The audit on the disk: a table that only grows, and the one way in which its oldest entries go.

Triggers of the database refuse every change of an entry, and its deletion before the horizon has passed it. Moving the
horizon, which goes forward only, is an entry by itself. `openab-sync audit` reads it (`read_audit`), also while a
broker runs.

**Threads**: any thread keeps; the journal's thread writes, and passes on what it has written. **Never**: a wait.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from ..clock import Clock
from ..config.live import Live
from .audit_file import AuditFile
from .database import open_for_reading
from .journal import Store

__all__ = ["AuditTrail", "Entry", "Wanted", "read_audit"]

DAY = 86400.0

# Some hundreds of megabytes: whatever people do, the disk does not fill up with what they did.
_MOST = 1_000_000

# Entries that go at once, and the pause before the next: the journal has more to do.
_AT_ONCE = 5_000
_BETWEEN = 600.0

_LONGEST = 4_000  # characters of a text


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened. `at` is seconds since the epoch; `details` are JSON's."""

    number: int
    at: float
    kind: str
    conversation: str
    person: str
    name: str
    details: dict[str, object]

    def line(self) -> str:
        """Return it as one line of JSON."""
        return json.dumps(
            {
                "number": self.number,
                "at": self.at,
                "kind": self.kind,
                "conversation": self.conversation,
                "person": self.person,
                "name": self.name,
                **self.details,
            },
            ensure_ascii=False,
        )


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries: since a moment (seconds since the epoch), of one person, conversation, kind; the last `most`."""

    since: float = 0.0
    person: str = ""
    """An id, or a name as it was at that time."""
    conversation: str = ""
    """A key, or the id in it."""
    kind: str = ""
    most: int = 0
    """0: all."""


class AuditTrail:
    """Keeps entries. `redact` takes secrets out; `days` is asked how long an entry stays at least."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        *,
        redact: Callable[[str], str],
        days: Callable[[], float],
        file: AuditFile | None = None,
        most: int = _MOST,
    ) -> None:
        self._store, self._clock, self._redact, self._file = store, clock, redact, file
        self._days, self._most = days, most
        self._next_prune = 0.0

    @classmethod
    def open(cls, live: Live, store: Store, clock: Clock, redact: Callable[[str], str]) -> Self:
        """Return one as configured. Blocks (disk). Raise ConfigError if its file cannot be written."""
        name = live.config.audit.file
        file = AuditFile(Path(name).expanduser()) if name else None
        return cls(store, clock, redact=redact, days=lambda: live.config.audit.keep_days, file=file)

    def close(self) -> bool:
        """Write the last lines of the file; whether that went well. Blocks, bounded. After the store's end."""
        return self._file is None or self._file.close()

    def keep(self, kind: str, conversation: str, person: tuple[str, str], details: dict[str, object]) -> None:
        """Keep an entry, soon. Any thread; never blocks. A disk that fails is logged by the journal."""
        at = self._clock.time()
        clean = {name: self._clean(value) for name, value in details.items()}
        entry = Entry(0, at, kind, conversation, person[0], self._redact(person[1])[:_LONGEST], clean)
        done = self._store.try_write(lambda db: _insert(db, entry))
        if self._file is not None:
            done.add_done_callback(lambda done: self._pass_on(entry, done))
        if at >= self._next_prune:
            self._next_prune = at + _BETWEEN
            before = at - self._days() * DAY
            self._store.write(lambda db: _prune(db, before, self._most))

    def _pass_on(self, entry: Entry, done: Future[int]) -> None:
        """On the journal's thread. What could not be kept there has no number, and is in the file all the same."""
        number = 0 if done.cancelled() or done.exception() is not None else done.result()
        assert self._file is not None
        self._file.put(Entry(number, *_columns(entry)).line())

    def _clean(self, value: object) -> object:
        if isinstance(value, str):
            return self._redact(value[: 2 * _LONGEST])[:_LONGEST]  # a secret that is cut is not known any more
        if isinstance(value, dict):
            return {str(name): self._clean(item) for name, item in value.items()}
        if isinstance(value, list | tuple):
            return [self._clean(item) for item in value[:100]]
        return value if value is None or isinstance(value, bool | int | float) else self._clean(str(value))


def read_audit(folder: Path, wanted: Wanted) -> Iterator[Entry]:
    """Yield what is wanted, the oldest first. Blocks (disk); changes nothing, also while a broker runs.

    Raise ConfigError if there is no journal in `folder`, or one that we cannot read; StoreError if the disk fails.
    """
    with contextlib.closing(open_for_reading(folder)) as db:
        query, values = _query(wanted)
        for number, at, kind, conversation, person, name, details in db.execute(query, values):
            yield Entry(number, at, kind, conversation, person, name, json.loads(details))


# ---- the journal's thread ----


def _columns(entry: Entry) -> tuple[float, str, str, str, str, dict[str, object]]:
    return entry.at, entry.kind, entry.conversation, entry.person, entry.name, entry.details


def _insert(db: sqlite3.Connection, entry: Entry) -> int:
    *columns, details = _columns(entry)
    made = db.execute(
        "INSERT INTO audit (at, kind, conversation, person, name, details) VALUES (?, ?, ?, ?, ?, ?)",
        (*columns, json.dumps(details, ensure_ascii=False)),
    )
    assert made.lastrowid is not None
    return made.lastrowid


def _prune(db: sqlite3.Connection, before: float, most: int) -> int:
    """Delete entries from before that moment, and those beyond the newest `most`; some at a time, return how many."""
    first, last = db.execute("SELECT coalesce(min(number), 0), coalesce(max(number), 0) FROM audit").fetchone()
    (young,) = db.execute("SELECT coalesce(min(number), ?) FROM audit WHERE at >= ?", (last, before)).fetchone()
    horizon = min(max(young, last - most + 1), first + _AT_ONCE)
    if not first or horizon <= first:
        return 0
    # The entry that tells of it is made by a trigger.
    db.execute("UPDATE audit_horizon SET number = ?", (horizon,))
    return db.execute("DELETE FROM audit WHERE number < ?", (horizon,)).rowcount


# ---- whoever reads ----


def _query(wanted: Wanted) -> tuple[str, list[object]]:
    conditions, values = ["at >= ?"], list[object]([wanted.since])
    if wanted.person:
        conditions.append("(person = ? OR name = ?)")
        values += [wanted.person, wanted.person]
    if wanted.conversation:
        conditions.append("(conversation = ? OR substr(conversation, instr(conversation, ':') + 1) = ?)")
        values += [wanted.conversation, wanted.conversation]
    if wanted.kind:
        conditions.append("kind = ?")
        values.append(wanted.kind)
    names = "number, at, kind, conversation, person, name, details"
    query = f"SELECT {names} FROM audit WHERE {' AND '.join(conditions)}"
    if not wanted.most:
        return f"{query} ORDER BY number", values
    return f"SELECT * FROM ({query} ORDER BY number DESC LIMIT ?) ORDER BY number", [*values, wanted.most]
