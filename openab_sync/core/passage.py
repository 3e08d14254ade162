"""What a platform with `live = "events"` is told of a turn: what the agent says and does, without secrets.

Text comes in pieces that anything may cut, so each of the two texts, what is said and what is thought, has a veil that
holds back what may be the head of a secret. Whatever else happens shows what was held back before.

**What it costs.** Looked at one by one, an event of 100 characters cost 4 to 6 µs: nine tenths of that was asking, not
looking. A read of a stream brings a hundred events, and nearly never is there anything to hide in it. So what all of
them say is put together and looked at once, at a nanosecond a character; only if there may be something in it each
event is looked at as before. What stands behind the last event that shows what was held back always is.

Session thread only; never blocks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

from msgspec import structs

from ..acp import events as acp
from ..text.redact import Redactor
from ..text.veil import Veil
from .turn import Taken
from .veiled import swept, words

__all__ = ["Passage"]

PIECES = frozenset({acp.Said, acp.Thought})
NONE = (None, None, None, None)


class Passage:
    """What one turn tells a platform that draws by itself. Session thread only."""

    __slots__ = ("_ids", "_redact", "_said", "_thought")

    def __init__(self, redact: Redactor) -> None:
        self._redact = redact
        self._said, self._thought = Veil(redact), Veil(redact)
        self._ids: tuple[str | None, str | None] = (None, None)  # of the message and the thought that are growing

    def through(self, *events: Taken) -> Iterator[Taken]:
        """Yield what can be told now of what the agent said or did, one after the other."""
        done = 0
        if len(events) > 2:
            flushes = [at for at, kind in enumerate(map(type, events), 1) if kind not in PIECES]
            if flushes:
                begin = 0 if self._is_at_rest else flushes[0]
                yield from self._singly(events[:begin])
                some, done = events[begin : flushes[-1]], begin
                others = [events[at - 1] for at in flushes if at > begin]
                if self._is_at_rest and self._pass_by(some, others):
                    yield from some
                    done = flushes[-1]
        yield from self._singly(events[done:])

    def rest(self) -> Iterator[Taken]:
        """Yield what was held back: something else comes, or nothing."""
        if text := self._thought.flush():
            yield acp.Thought(text, self._ids[1])
        if text := self._said.flush():
            yield acp.Said(text, self._ids[0])

    @property
    def _is_at_rest(self) -> bool:
        return self._said.is_at_rest and self._thought.is_at_rest

    def _pass_by(self, events: Sequence[Taken], flushes: Sequence[Taken]) -> bool:
        """Whether there is nothing to hide in any of these, of which the last shows what is held back.

        `flushes` are those among them that are neither said nor thought.
        """
        others: list[str] = []
        for event in flushes:
            if type(event) is not acp.ToolChanged:
                nested: object = event
            else:
                others.append(f"{event.call_id}\n{event.title}\n{event.kind}\n{event.status}")
                nested = (event.content, event.locations, event.raw_input, event.raw_output)
                if nested == NONE:
                    continue
            if not words(nested, others):
                return False
        # Nothing between them: a secret may be torn.
        one = "".join([event.text for event in events if type(event) is acp.Said])
        other = "".join([event.text for event in events if type(event) is acp.Thought])
        texts = (self._said.last + one, self._thought.last + other, "\n".join(others))
        if not all(map(self._redact.is_clean, texts)):
            return False
        self._said.pass_by(one)
        self._thought.pass_by(other)
        return True

    def _singly(self, events: Sequence[Taken]) -> Iterator[Taken]:
        for event in events:
            match event:
                case acp.Said():
                    if event.message_id != self._ids[0]:
                        yield from self.rest()
                        self._ids = event.message_id, None
                    yield from _fed(self._said, event)
                case acp.Thought():
                    yield from _fed(self._thought, event)
                    self._ids = self._ids[0], event.message_id
                case _:
                    yield from self.rest()
                    yield swept(event, self._redact)


Piece = TypeVar("Piece", acp.Said, acp.Thought)


def _fed(veil: Veil, event: Piece) -> Iterator[Piece]:
    shown = veil.feed(event.text)
    if shown == event.text:
        yield event
    elif shown:
        yield structs.replace(event, text=shown)
