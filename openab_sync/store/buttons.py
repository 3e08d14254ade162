"""What a button or a menu in a chat belongs to: to which request, to whom, until when. It outlives a restart.

A chat service gives back nothing but an id; what it stands for is looked up here and never believed from outside.
"""

from __future__ import annotations

import json
import secrets
from concurrent.futures import Future
from dataclasses import dataclass

from ..clock import Clock
from .journal import Store
from .mirror import Mirror, Row, Table

__all__ = ["Button", "Buttons"]

# The newest that are remembered: far more than are ever open at once.
_MOST = 10_000

_WEEK = 7 * 86400.0

# Seconds between two looks at which have expired; an expired one is not found meanwhile either.
_SWEEP = 3600.0


@dataclass(frozen=True, slots=True)
class Button:
    """One button or menu. `data` is its maker's."""

    id: str
    """What the chat service gives back: letters, digits, `-` and `_`; not to be guessed."""
    kind: str
    conversation: str
    """Its key."""
    data: dict[str, str]
    people: tuple[str, ...]
    """Ids of those who may press it; none: whoever may talk there."""
    expires: float
    """Seconds since the epoch."""


class Buttons:
    """All that may still be pressed. One thread changes it; never blocks once it is built."""

    def __init__(self, store: Store, clock: Clock) -> None:
        """Read what was kept. Blocks (disk). Raise StoreError."""
        # The time of the day when we began, and what has passed since: setting the clock makes no open question stale.
        self._clock, self._began = clock, clock.time() - clock.monotonic()
        self._kept = Mirror(store, _TABLE, _MOST)
        self._sweep()

    def __repr__(self) -> str:
        return f"<Buttons {len(self._kept)}>"

    def make(
        self,
        kind: str,
        conversation: str,
        data: dict[str, str],
        people: tuple[str, ...] = (),
        ttl: float = _WEEK,
        *,
        id: str = "",
    ) -> Button:
        """Return a new one that is good for `ttl` seconds: at once here, soon on the disk.

        `id` is one that its maker has for it, unguessable as ours are; "" makes one.
        """
        if self._now() >= self._next_sweep:
            self._sweep()
        id = id or secrets.token_urlsafe(12)
        button = Button(id, kind, conversation, dict(data), people, self._now() + ttl)
        self._kept.put(button.id, button)
        return button

    def get(self, id: str) -> Button | None:
        """Return it; None if there is none or it has expired. Any thread."""
        button = self._kept.get(id)
        return button if button is not None and button.expires > self._now() else None

    def of_kind(self, kind: str) -> tuple[Button, ...]:
        """Return all of a kind that have not expired. Any thread."""
        now = self._now()
        return tuple(button for _, button in self._kept if button.kind == kind and button.expires > now)

    def settled(self) -> Future[None]:
        """Done when what was made so far is on the disk, or cannot be written now. Any thread; never blocks."""
        return self._kept.settled()

    def put(self, button: Button) -> None:
        """Keep what has become of it."""
        self._kept.put(button.id, button)

    def drop(self, id: str) -> None:
        """Forget it: who presses it is told that it is stale."""
        self._kept.drop(id)

    def forget(self, conversation: str) -> None:
        """Forget those of a conversation (its key)."""
        self._kept.drop(*(id for id, button in self._kept if button.conversation == conversation))

    def _now(self) -> float:
        return self._began + self._clock.monotonic()

    def _sweep(self) -> None:
        now = self._now()
        self._next_sweep = now + _SWEEP
        self._kept.drop(*(id for id, button in self._kept if button.expires <= now))


def _row(button: Button) -> Row:
    data, people = json.dumps(button.data), json.dumps(button.people)
    return button.id, button.kind, button.conversation, data, people, button.expires


def _button(row: Row) -> Button:
    id, kind, conversation, data, people, expires = row
    allowed = tuple(json.loads(str(people)))
    return Button(str(id), str(kind), str(conversation), json.loads(str(data)), allowed, float(expires))


_TABLE = Table("buttons", ("id", "kind", "conversation", "data", "people", "expires"), _row, _button)
