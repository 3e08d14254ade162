"""The line in front of the pool: conversations that wait for a room, for their predecessor's agent to end, or for what
was accepted or said there before.

Plain data, first come first; `SessionPool` guards it with its lock.
"""

from __future__ import annotations

import math
from bisect import insort
from collections import OrderedDict
from collections.abc import Collection, Container, Iterator, Sequence
from dataclasses import dataclass, field, replace

from ..config.schema import PoolConfig
from ..errors import PoolFull
from .house import Order, Placement
from .message import Conversation, Inbound, MessageRef

__all__ = ["Line", "Place"]


@dataclass(slots=True)
class Place:
    """A place in the line: what its session begins with."""

    conversation: Conversation
    notes: list[Inbound] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)


class Line:
    """The places, by the key of their conversation."""

    def __init__(self) -> None:
        self._places: OrderedDict[str, Place] = OrderedDict()
        self.held: set[str] = set()  # older messages of these are still to come, or what an older reply lacks

    def __len__(self) -> int:
        return len(self._places)

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __contains__(self, key: str) -> bool:
        return key in self._places

    def join(self, conversation: Conversation) -> Place:
        """Return the conversation's place; a new one is the last."""
        return self._places.setdefault(conversation.key, Place(conversation))

    def put(self, note: Inbound) -> None:
        """Put a message into its conversation's place: behind all others; while that is held, by its number."""
        notes = self.join(note.conversation).notes
        if note.conversation.key in self.held:
            insort(notes, note, key=lambda one: one.delivery or math.inf)
        else:
            notes.append(note)

    def come_first(self, conversation: Conversation, notes: Sequence[Inbound]) -> None:
        """Put messages that were promised an answer before all others."""
        self.join(conversation).notes[:0] = notes
        self._places.move_to_end(conversation.key, last=False)

    def leave(self, key: str) -> Place:
        """Remove and return a place."""
        return self._places.pop(key)

    def clear(self) -> list[Place]:
        """Remove and return all places."""
        places = list(self._places.values())
        self._places.clear()
        return places

    def ready(self, ending: Container[str]) -> list[str]:
        """Return those who wait for a room only."""
        return [key for key in self._places if key not in ending and key not in self.held]

    def placement(self, key: str, ending: Collection[str]) -> Placement:
        """Say where a message went that came by this line. Each session that is ending leaves a room for one."""
        position = max(1, len(self.notes(key)))
        if key not in self._places:
            return Placement("accepted")
        if key in ending or key in self.held:
            return Placement("queued", position)
        before = self.ready(ending).index(key) - len(ending)
        if before < 0:
            return Placement("accepted" if position == 1 else "queued", position)
        return Placement("waiting", before + 1)

    def placed(self, key: str, ending: Collection[str], pool: PoolConfig, *, is_new: bool) -> Placement:
        """Say where a message went; raise PoolFull, and take its conversation out, if it `is_new` and the line full."""
        placement = self.placement(key, ending)
        if is_new and placement.state == "waiting" and placement.position > pool.max_waiting:
            self.leave(key)
            raise PoolFull(pool.max_sessions, pool.max_waiting)
        return placement

    def notes(self, key: str) -> tuple[Inbound, ...]:
        """Return the messages of a place, () if there is none."""
        place = self._places.get(key)
        return tuple(place.notes) if place is not None else ()

    def withdraw(self, ref: MessageRef) -> Inbound | None:
        """Take out one message; None if it does not wait here."""
        found = next((note for note in self.notes(ref.conversation.key) if note.ref == ref), None)
        if found is not None:
            self._places[ref.conversation.key].notes.remove(found)
            self._tidy(ref.conversation.key)
        return found

    def edit(self, ref: MessageRef, text: str) -> bool:
        """Give a message a new text; False if it does not wait here."""
        for index, note in enumerate(self.notes(ref.conversation.key)):
            if note.ref == ref:
                self._places[ref.conversation.key].notes[index] = replace(note, text=text)
                return True
        return False

    def drop(self, key: str, count: int | None = None) -> tuple[Inbound, ...]:
        """Take out the first `count` messages of a place, or all."""
        dropped = self.notes(key)[:count]
        if dropped:
            del self._places[key].notes[: len(dropped)]
            self._tidy(key)
        return dropped

    def _tidy(self, key: str) -> None:
        """Nobody waits for nothing."""
        place = self._places[key]
        if not place.notes and not place.orders:
            del self._places[key]
