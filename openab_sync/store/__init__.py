"""State that outlives the process. Plain strings and numbers: it knows no chat service and no agent.

The doors: `Store` (the journal), `store_folder`, and the books that are kept in it. A tool: imports other tools only.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..clock import Clock, SystemClock
from .audit import AuditTrail, Wanted, read_audit
from .audit_file import AuditFile
from .buttons import Button, Buttons
from .conversations import Conversations, Known
from .cursors import Cursor, Cursors
from .deliveries import Deliveries, Delivery, Fact
from .holder import answer, ask, holder
from .insistent import Insistent
from .journal import Store
from .keeping import Keeping, Theirs
from .memories import Memory, MemoryShelf
from .place import store_folder
from .processes import AgentProcess, BrokerProcess, Processes
from .replies import End, FileRow, PageRow, Replies, ReplyRow
from .spending import Spending

__all__ = [
    "AgentProcess",
    "AuditFile",
    "AuditTrail",
    "Books",
    "BrokerProcess",
    "Button",
    "Buttons",
    "Conversations",
    "Cursor",
    "Cursors",
    "Deliveries",
    "Delivery",
    "End",
    "Fact",
    "FileRow",
    "Keeping",
    "Known",
    "Memory",
    "MemoryShelf",
    "PageRow",
    "Processes",
    "Replies",
    "ReplyRow",
    "Spending",
    "Store",
    "Theirs",
    "Wanted",
    "answer",
    "ask",
    "holder",
    "open_books",
    "read_audit",
    "store_folder",
]


@dataclass(frozen=True, slots=True)
class Books:
    """What is remembered. The first two are looked up in memory: by any thread, and changed by one."""

    conversations: Conversations
    buttons: Buttons
    deliveries: Deliveries
    replies: Replies
    memories: MemoryShelf
    cursors: Cursors


def open_books(store: Store, clock: Clock | None = None) -> Books:
    """Read the books kept in `store`. Blocks (disk); one thread changes them then. Raise StoreError."""
    clock = clock or SystemClock()
    insistent = Insistent(store)
    return Books(
        Conversations(store),
        Buttons(store, clock),
        Deliveries(store, clock, insistent),
        Replies(store, clock, insistent),
        MemoryShelf(store, clock),
        Cursors(store),
    )
