"""What must be remembered of a conversation across restarts: who takes part, who named it, what was seen last.

Plain words for any chat service; what they mean for it is its own business. The rows are kept by `mirror.py`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from .journal import Store
from .mirror import Mirror, Row, Table

__all__ = ["Conversations", "Known"]

# The newest that are remembered: years of a busy server, some megabytes. What falls out is as if it had never been:
# there the bot waits for a mention again.
_MOST = 10_000


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a conversation; ids are those of its chat service."""

    key: str
    """`platform:id`."""
    parent: str = ""
    """The channel of the message that began it, when that is not in the conversation itself."""
    took_part: bool = False
    """Whether we were asked there or have spoken there."""
    bots: tuple[str, ...] = ()
    """Other bots that have spoken there; whoever adds keeps it short."""
    people: tuple[str, ...] = ()
    """People who have written to us there and were let in; ditto."""
    bot_turns: int = 0
    """Messages of bots since a person wrote."""
    bot_turns_total: int = 0
    """The same, counted against the limit that nobody can set."""
    title: str = ""
    """The last title that we gave it."""
    title_is_settled: bool = False
    """Whether it keeps its name: a person has given it one, or the agent has given its own."""
    last_seen: str = ""
    """The newest message that we have seen."""


class Conversations:
    """What is known of every conversation. One thread changes it; never blocks once it is built."""

    def __init__(self, store: Store) -> None:
        """Read what was kept. Blocks (disk). Raise StoreError."""
        self._kept = Mirror(store, _TABLE, _MOST)

    def __repr__(self) -> str:
        return f"<Conversations {len(self._kept)}>"

    def get(self, key: str) -> Known:
        """Return what is known; of an unknown one, nothing but its key. Any thread."""
        return self._kept.get(key) or Known(key)

    def put(self, known: Known) -> None:
        """Remember it: at once here, soon on the disk."""
        if self._kept.get(known.key) != known:
            self._kept.put(known.key, known)

    def forget(self, key: str) -> None:
        """Remember nothing of it."""
        self._kept.drop(key)


def _row(known: Known) -> Row:
    return (
        known.key,
        known.parent,
        int(known.took_part),
        json.dumps(known.bots),
        json.dumps(known.people),
        known.bot_turns,
        known.bot_turns_total,
        known.title,
        int(known.title_is_settled),
        known.last_seen,
    )


def _known(row: Row) -> Known:
    key, parent, took_part, bots, people, turns, total, title, is_theirs, last_seen = row
    return Known(
        key=str(key),
        parent=str(parent),
        took_part=bool(took_part),
        bots=tuple(json.loads(str(bots))),
        people=tuple(json.loads(str(people))),
        bot_turns=int(turns),
        bot_turns_total=int(total),
        title=str(title),
        title_is_settled=bool(is_theirs),
        last_seen=str(last_seen),
    )


_COLUMNS = (
    "key", "parent", "took_part", "bots", "people", "bot_turns", "bot_turns_total", "title", "title_is_settled",
    "last_seen",
)  # fmt: skip
_TABLE = Table("conversations", _COLUMNS, _row, _known)
