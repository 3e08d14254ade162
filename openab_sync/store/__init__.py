"""State that outlives the process. Plain strings and numbers: it knows no chat service and no agent.

The doors: `Store` (the journal), `store_folder`, and the books that are kept in it. A tool: imports other tools only.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..clock import Clock, SystemClock
from .buttons import Button, Buttons
from .conversations import Conversations, Known
from .journal import Store
from .place import store_folder

__all__ = ["Books", "Button", "Buttons", "Conversations", "Known", "Store", "open_books", "store_folder"]


@dataclass(frozen=True, slots=True)
class Books:
    """What is remembered, looked up in memory: by any thread, and changed by one."""

    conversations: Conversations
    buttons: Buttons


def open_books(store: Store, clock: Clock | None = None) -> Books:
    """Read the books kept in `store`. Blocks (disk); one thread changes them then. Raise StoreError."""
    return Books(Conversations(store), Buttons(store, clock or SystemClock()))
