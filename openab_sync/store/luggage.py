"""Luggage: files in the inbox that wait with a message. They go when the message is over, on whichever way.

The journal names them in the note of a delivery, which is emptied by the same change. Files that are named to the agent
to be read later are not among them.

**Threads**: the journal's. A file goes after the commit: a crash in between leaves it to the inbox's own retention.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from concurrent.futures import Future
from pathlib import Path

from ..media.inbox import discard

__all__ = ["Luggage"]


class Luggage:
    """What one change makes superfluous."""

    def __init__(self) -> None:
        self._paths: list[str] = []

    def collect(self, db: sqlite3.Connection, where: str, values: Iterable[tuple[object, ...]]) -> None:
        """Note the files of the deliveries that `where` (SQL of ours) means; in the change, before it empties them.

        A change may run again: what was noted before is forgotten.
        """
        query = f"SELECT note FROM deliveries WHERE note LIKE '%\"path\"%' AND {where}"
        notes = [json.loads(note) for some in values for (note,) in db.execute(query, some)]
        files = [file for note in notes for file in note.get("attachments", ())]
        self._paths = [file["path"] for file in files if file["kind"] in ("image", "text") and file["path"]]

    def drop(self, done: Future[None]) -> None:
        """Remove them, once the change is `done`."""
        if done.exception() is None:
            for path in self._paths:
                discard(Path(path))
