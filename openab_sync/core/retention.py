"""Forgetting: by itself, when the days of `[store] keep_days` are over; and at once, what somebody wants forgotten.

What is kept stands in several places: the journal's rows, what the pool remembers of the agent's sessions, and what
the platform knows (files that came with messages, who took part). The core knows the first two; for the third each
platform gives a `Forgetter`.

**Threads**: any for `of` and `forget`; the janitor's for `tidy`. Nothing blocks but a platform's own `tidy`, for as
long as a disk takes.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future
from typing import TYPE_CHECKING, Protocol

from ..clock import Clock
from .message import Conversation

if TYPE_CHECKING:
    from ..store import Keeping, Theirs

__all__ = ["DAY", "Forgetter", "Retention"]

log = logging.getLogger(__name__)

DAY = 86400.0
PAUSE = 3600.0  # seconds between two looks at what is too old


class Forgetter(Protocol):
    """What a platform keeps, and can forget."""

    def forget(self, conversation: Conversation) -> Future[None]:
        """Forget what is known of a conversation, and delete its files. Any thread; returns at once."""

    def tidy(self, age: float) -> None:
        """Delete files that are older than `age` seconds. Not on the platform's own thread; blocks as a disk does."""


class Retention:
    """Lets go of what is not to be kept any longer."""

    def __init__(
        self, keeping: Keeping, platforms: Mapping[str, Forgetter], clock: Clock, days: Callable[[], float]
    ) -> None:
        """`days` is asked each time; 0 keeps everything."""
        self._keeping, self._platforms, self._clock, self._days = keeping, platforms, clock, days
        self._next_at = clock.monotonic()
        self._owed: set[Conversation] = set()  # to be forgotten when the disk takes it; each step is one of a set
        self._unused: Callable[[float], None] = lambda _: None

    def also(self, unused: Callable[[float], None]) -> None:
        """Have `unused` called as well, with the moment (seconds since the epoch) before which all goes."""
        self._unused = unused

    def of(self, platform: str, person: str) -> Future[Theirs]:
        """Say in which conversations somebody has written, alone or with others."""
        return self._keeping.of(platform, person)

    def forget(self, conversations: Collection[Conversation]) -> list[Future[None]]:
        """Forget these; the Futures, of which the first is the journal's, are done when it is done.

        What is still under way there is not written down any more.
        """
        done = [self._keeping.forget([conversation.key for conversation in conversations])]
        for conversation in conversations:
            forgetter = self._platforms.get(conversation.platform)
            done += [forgetter.forget(conversation)] if forgetter is not None else []
        return done

    def let_go(self, conversation: Conversation) -> None:
        """Forget a conversation whose place is gone, whatever is under way there; tried until the disk does it."""
        self._owed.discard(conversation)
        rows, *_ = self.forget([conversation])

        def look(done: Future[None]) -> None:  # on the journal's thread
            if done.cancelled() or done.exception() is not None:
                self._owed.add(conversation)

        rows.add_done_callback(look)

    def tidy(self) -> None:
        """Let go of what is owed, and of what is too old if it is time to look. The janitor's thread."""
        for conversation in list(self._owed):
            self.let_go(conversation)
        days = self._days()
        if not days or self._clock.monotonic() < self._next_at:
            return
        self._next_at = self._clock.monotonic() + PAUSE
        before = self._clock.time() - days * DAY
        self._keeping.forget_before(before).add_done_callback(self._go_on)
        self._unused(before)
        for forgetter in self._platforms.values():
            forgetter.tidy(days * DAY)

    def _go_on(self, done: Future[bool]) -> None:
        """On the journal's thread: there may be more of it than goes at once."""
        if not done.cancelled() and done.exception() is None and done.result():
            self._next_at = self._clock.monotonic()  # one float, written whole: the janitor's next round goes on
