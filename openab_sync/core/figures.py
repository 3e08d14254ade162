"""Figures: what is counted and timed, named where it happens and added up elsewhere.

Whoever has something to tell calls an `Observe` with the figure, a value and a label. It is called by any thread, also
by the loop of a chat service and with nothing but its own work in hand, so it must not block, lock or fail: the app
gives one that appends to a bounded queue, which the status server empties. Never for a chunk of text; a turn, a
question, a request is often enough.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from enum import StrEnum
from typing import TYPE_CHECKING

from ..errors import AgentError, OpenabError

if TYPE_CHECKING:
    from .turn import Turn

__all__ = ["Figure", "Figures", "Observe", "cause_of", "turn_ended", "unobserved"]


class Figure(StrEnum):
    """What is observed: seconds, unless it says otherwise. In brackets what the label is."""

    TURN = "turn"  # from prompt to answer [outcome]
    FIRST_TEXT = "first_text"  # from prompt to the first text
    QUEUE_WAIT = "queue_wait"  # from a message's acceptance to its turn
    PERMISSION_WAIT = "permission_wait"  # from a question to its decision
    TOKENS = "tokens"  # a number: written in a turn
    COST = "cost"  # money: what the agent says it has come to since it last said so [currency]
    CRASH = "crash"  # 1: a session ended by a fault [cause]
    EDIT = "edit"  # 1: a message of ours was changed [platform]
    REST_FAULT = "rest_fault"  # 1: a request that a chat service refused or that never arrived [status]
    RATE_LIMIT_WAIT = "rate_limit_wait"  # that a request was held back
    LOOP_LAG = "loop_lag"  # that a chat service's event loop came late to an appointment [platform]
    JOURNAL_COMMIT = "journal_commit"  # until a group of changes was on the disk


Observe = Callable[[Figure, float, str], object]
MOST = 20_000  # that wait to be taken in, 90 bytes each: the status server does so every second


class Figures:
    """What was told and nobody has taken in yet; the oldest goes first when it is too much.

    Any thread: a step of a deque is one step. It is an `Observe`.
    """

    def __init__(self, most: int = MOST) -> None:
        self._told: deque[tuple[Figure, float, str]] = deque(maxlen=most)

    def __call__(self, figure: Figure, value: float, label: str) -> None:
        self._told.append((figure, value, label))

    def take(self) -> Iterator[tuple[Figure, float, str]]:
        """Yield what was told, each once, whoever asks."""
        with suppress(IndexError):  # there is nothing more
            while True:
                yield self._told.popleft()


def unobserved(figure: Figure, value: float, label: str) -> None:
    """Tell nobody."""


def turn_ended(observe: Observe, turn: Turn) -> None:
    """Tell what a turn came to. Its session's thread, once."""
    observe(Figure.TURN, turn.seconds, turn.outcome or "")
    if turn.first_text_at is not None:
        observe(Figure.FIRST_TEXT, turn.first_text_at - turn.started, "")
    if turn.output_tokens:
        observe(Figure.TOKENS, turn.output_tokens, "")


def cause_of(error: OpenabError) -> str:
    """Return a crash's cause in a word: the error's own, "internal" for a bug of ours."""
    if not isinstance(error, AgentError):
        return "internal"
    return type(error).__name__.removeprefix("Agent").removesuffix("Error").lower()
