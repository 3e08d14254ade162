"""Later: messages that come when no more is taken, because we are leaving, are answered after the restart.

Only those that are on record are there then; their conversation is told so, once. Any thread; never blocks. Locks:
none, for each step is one of a dict.
"""

from __future__ import annotations

from collections.abc import Mapping

from .house import House
from .message import Inbound
from .notices import GOES_ON, tell
from .port import ChatPort

__all__ = ["Later"]


class Later:
    """Which conversations know that they go on after the restart."""

    def __init__(self, house: House, ports: Mapping[str, ChatPort]) -> None:
        self._house, self._ports = house, ports
        self._told: dict[str, Inbound] = {}  # conversation: the message for which it was told

    def takes(self, note: Inbound) -> bool:
        """Leave a message for after the restart; False if it would not be there then."""
        if not (self._house.ledger.keeps and note.delivery):
            return False
        if self._told.setdefault(note.conversation.key, note) is note:
            tell(self._ports[note.conversation.platform], note.conversation, GOES_ON)
        return True
