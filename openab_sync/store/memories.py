"""How conversations are taken up again, kept beyond the process: the agent's sessions, and what people chose in them.

An agent's session id is a credential: whoever knows it can go on with the session (FIELD I7). It is in no `repr`, and
in nothing that is logged; the journal's file is for its user alone.

**Threads**: `save` from any; `look` is called on the journal's. **Never**: a wait for the disk but in `read`.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Collection
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import Any

from ..clock import Clock
from .journal import Store

__all__ = ["Memory", "MemoryShelf"]

MOST = 10_000  # conversations: years of a busy server, some megabytes
KEPT = 180 * 86400.0  # seconds after the last use; agents themselves forget sooner
MOST_OLD = 10  # earlier sessions of a conversation


@dataclass(frozen=True, slots=True)
class Memory:
    """How to take a conversation up again."""

    acp_session_id: str | None = field(default=None, repr=False)
    options: tuple[tuple[str, str | bool], ...] = ()
    """What people chose, in the order in which it has to be set."""
    cwd: str = ""
    """The folder of the session: it stays that, whatever is configured later (FIELD D5)."""
    agent: str = ""
    """Whose session it is; "" if nobody has said. Another agent is never asked for it."""
    used: float = 0.0
    """Seconds since the epoch."""
    archive: tuple[str, ...] = field(default=(), repr=False)
    """Earlier sessions that the agent would not take up again, the newest first."""
    warned: str = ""
    """What people were told about an agent that may act unasked: it is said once."""

    def archived(self) -> Memory:
        """Return it without its session, which is kept in the archive."""
        if self.acp_session_id is None:
            return self
        archive = tuple(dict.fromkeys((self.acp_session_id, *self.archive)))[:MOST_OLD]
        return replace(self, acp_session_id=None, archive=archive)


class MemoryShelf:
    """The memories on the disk."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def read(self) -> list[tuple[str, Memory]]:
        """Return what is kept, by the key of the conversation, the longest unused first; what is too old is deleted.

        Blocks (disk). Raise StoreError.
        """
        oldest = self._clock.time() - KEPT

        def ask(db: sqlite3.Connection) -> list[tuple[str, Memory]]:
            db.execute("DELETE FROM memories WHERE used < ?", (oldest,))
            db.execute(
                "DELETE FROM memories WHERE key NOT IN (SELECT key FROM memories ORDER BY used DESC LIMIT ?)", (MOST,)
            )
            columns = "key, session, options, cwd, agent, used, archive, warned"
            return [_memory(row) for row in db.execute(f"SELECT {columns} FROM memories ORDER BY used")]

        return self._store.read(ask)

    def save(self, keys: Collection[str], look: Callable[[str], Memory | None]) -> Future[None]:
        """Keep what `look` says of these conversations when it is written: None is forgotten. Never blocks."""

        def change(db: sqlite3.Connection) -> None:
            for key in keys:
                memory = look(key)
                if memory is None:
                    db.execute("DELETE FROM memories WHERE key = ?", (key,))
                else:
                    db.execute("REPLACE INTO memories VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (key, *_row(memory)))

        return self._store.write(change)


def _row(memory: Memory) -> tuple[str | float | None, ...]:
    options, archive = json.dumps(memory.options), json.dumps(memory.archive)
    return memory.acp_session_id, options, memory.cwd, memory.agent, memory.used, archive, memory.warned


def _memory(row: tuple[Any, ...]) -> tuple[str, Memory]:
    key, session, options, cwd, agent, used, archive, warned = row
    chosen = tuple((name, value) for name, value in json.loads(options))
    return key, Memory(session, chosen, cwd, agent, used, tuple(json.loads(archive)), warned)
