"""The questions of an agent that wait for a person: who asked what, and that each gets exactly one answer.

`session/request_permission` and `elicitation/create` wait; everything else is answered in the moment it comes. Ids are
the agent's own, of any JSON type: 1, 1.0 and "1" are three. Pure; belongs to the peer of one session.
"""

from __future__ import annotations

from .elicitation import CANCEL
from .events import Asked, Elicited, RequestId
from .permissions import is_offered

__all__ = ["CANCELLED", "Key", "Questions", "cancelled", "key_of"]

CANCELLED: dict[str, object] = {"outcome": {"outcome": "cancelled"}}

Key = tuple[str, RequestId]
"""An id as a key of a dict: there 1 and 1.0 would be one."""


class Questions:
    """The open ones, in the order they came."""

    __slots__ = ("_open",)

    def __init__(self) -> None:
        self._open: dict[Key, Asked | Elicited] = {}

    @property
    def ids(self) -> tuple[RequestId, ...]:
        """The ids of the questions that have no answer yet."""
        return tuple(name for _, name in self._open)

    def add(self, asked: Asked | Elicited) -> bool:
        """Remember a question; return False if one with this id is open already."""
        if asked.request_id in self:
            return False
        self._open[key_of(asked.request_id)] = asked
        return True

    def __contains__(self, name: RequestId) -> bool:
        return key_of(name) in self._open

    def settle(self, name: RequestId, option_id: str | None) -> dict[str, object] | None:
        """Close a question and return the result to send; None if it is not open (any more).

        Raise ValueError, and leave it open, if that option was not offered: with a form none is.
        """
        asked = self._open.get(key_of(name))
        if asked is None:
            return None
        if option_id is not None and not (isinstance(asked, Asked) and is_offered(asked.options, option_id)):
            raise ValueError(f"option {option_id!r} was not offered for request {name!r}")
        self.drop(name)
        return cancelled(asked) if option_id is None else {"outcome": {"outcome": "selected", "optionId": option_id}}

    def drop(self, name: RequestId) -> bool:
        """Forget a question; return whether it was open."""
        return self._open.pop(key_of(name), None) is not None


def cancelled(asked: Asked | Elicited) -> dict[str, object]:
    """Return the result that answers a question which nobody decides: its turn is over, for instance."""
    return CANCELLED if isinstance(asked, Asked) else CANCEL


def key_of(name: RequestId) -> Key:
    """Return the key of an id: each JSON type has its own."""
    return (type(name).__name__, name)
