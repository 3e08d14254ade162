"""Recent: what is remembered of messages for a while, so that nothing is done twice (FIELD F2). Bounded.

**Threads**: the loop's only.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TypeVar

__all__ = ["Recent"]

K = TypeVar("K")
V = TypeVar("V")

MOST_SEEN = 5000  # the gateway replays what came since the last acknowledgement: some dozens
MOST_ADMITTED = 2000


class Recent:
    """The messages that came, and those that were let in."""

    def __init__(self) -> None:
        self._seen: OrderedDict[int, None] = OrderedDict()
        self._admitted: OrderedDict[int, int] = OrderedDict()  # message: what stood in it, as a hash

    def is_first(self, message_id: int) -> bool:
        """Note that a message came; False if it has come before."""
        if message_id in self._seen:
            return False
        _remember(self._seen, message_id, None, MOST_SEEN)
        return True

    def admit(self, message_id: int, words: str) -> None:
        """Note that a message was let in, and with which words."""
        _remember(self._admitted, message_id, hash(words), MOST_ADMITTED)

    def was_admitted(self, message_id: int) -> bool:
        """Whether it was let in lately."""
        return message_id in self._admitted

    def has_changed(self, message_id: int, words: str) -> bool:
        """Whether these are other words than an admitted message had; they are its words from now on."""
        if self._admitted.get(message_id, hash(words)) == hash(words):
            return False
        self._admitted[message_id] = hash(words)
        return True


def _remember(book: OrderedDict[K, V], key: K, value: V, most: int) -> None:
    book[key] = value
    book.move_to_end(key)
    while len(book) > most:
        book.popitem(last=False)
