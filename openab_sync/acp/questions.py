"""The questions of an agent that wait for a person: who asked what, and that each gets exactly one answer.

Only `session/request_permission` waits; everything else is answered in the moment it comes. Ids are the agent's own, of
any JSON type: 1, 1.0 and "1" are three. Pure; belongs to the peer of one session.
"""

from __future__ import annotations

from collections.abc import Sequence

from .events import PermissionOption, RequestId
from .permissions import is_offered

__all__ = ["CANCELLED", "Key", "Questions", "key_of"]

CANCELLED: dict[str, object] = {"outcome": {"outcome": "cancelled"}}
"""The result that answers a question of a turn that is over."""

Key = tuple[str, RequestId]
"""An id as a key of a dict: there 1 and 1.0 would be one."""


class Questions:
    """The open ones, in the order they came."""

    def __init__(self) -> None:
        self._open: dict[Key, tuple[PermissionOption, ...]] = {}

    @property
    def ids(self) -> tuple[RequestId, ...]:
        """The ids of the questions that have no answer yet."""
        return tuple(name for _, name in self._open)

    def add(self, name: RequestId, options: Sequence[PermissionOption]) -> bool:
        """Remember a question; return False if one with this id is open already."""
        if name in self:
            return False
        self._open[key_of(name)] = tuple(options)
        return True

    def __contains__(self, name: RequestId) -> bool:
        return key_of(name) in self._open

    def settle(self, name: RequestId, option_id: str | None) -> dict[str, object] | None:
        """Close a question and return the result to send; None if it is not open (any more).

        Raise ValueError, and leave it open, if that option was not offered.
        """
        options = self._open.get(key_of(name))
        if options is None:
            return None
        if option_id is not None and not is_offered(options, option_id):
            raise ValueError(f"option {option_id!r} was not offered for request {name!r}")
        self.drop(name)
        return CANCELLED if option_id is None else {"outcome": {"outcome": "selected", "optionId": option_id}}

    def drop(self, name: RequestId) -> bool:
        """Forget a question; return whether it was open."""
        return self._open.pop(key_of(name), None) is not None


def key_of(name: RequestId) -> Key:
    """Return the key of an id: each JSON type has its own."""
    return (type(name).__name__, name)
