"""Signs: what a conversation shows beside the reply itself, the typing sign and the status reactions.

Signs are worth little: each kind has one operation in flight, none is repeated, and one that fails costs a log line
and never the reply. The newest stage wins; a message carries one reaction of ours at a time (`reactions`).

Threads: one, the session's; the platform's callbacks ring the bell and touch nothing else. Never blocks.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Sequence
from concurrent.futures import Future

from ..clock import Clock
from ..config.schema import ReactionsConfig
from ..errors import ChatTimeout
from .delivery import outcome_of
from .message import Inbound, MessageRef
from .port import ChatPort
from .reactions import StatusReactions
from .turn import Turn

__all__ = ["Signs"]

log = logging.getLogger(__name__)


class Signs:
    """The signs of one reply: on its first message while it grows, on all of them when it is over."""

    __slots__ = ("_can_react", "_clock", "_config", "_notes", "_on_news", "_port", "_reaction", "_rest", "_seen",
                 "_status", "_typing", "_typing_at", "_typing_interval")  # fmt: skip

    def __init__(
        self,
        notes: tuple[Inbound, ...],
        port: ChatPort,
        config: ReactionsConfig,
        clock: Clock,
        on_news: Callable[[], None],
    ) -> None:
        self._notes = notes
        self._port = port
        self._config = config
        self._clock = clock
        self._on_news = on_news
        limits = port.limits(notes[0].conversation)
        self._typing_interval = limits.typing_interval
        self._can_react = config.enabled and limits.reactions
        # Whoever accepted the messages has shown so.
        self._status = StatusReactions(config, clock, shown=config.emojis.queued)
        self._seen = -1  # the turn's changes when it was last looked at
        self._rest: list[tuple[MessageRef, str, bool]] = []  # steps on the other messages
        self._reaction: tuple[Future[None], bool] | None = None  # in flight, and whether it adds one
        self._typing: Future[None] | None = None
        self._typing_at = math.inf  # when the next typing sign is due

    # What happens.

    def begin(self) -> None:
        """The agent has got the prompt."""
        self._status.think()
        if self._typing_interval is not None:
            self._typing_at = self._clock.monotonic()

    def look(self, turn: Turn, *, asking: bool) -> None:
        """Take in what the agent does now, and whether people are being asked."""
        self._status.heard(turn.last_event)
        self._status.wait(asking)
        if turn.changes == self._seen:
            return
        self._seen = turn.changes
        tool = turn.current_tool
        if tool is None:
            self._status.think()
        else:
            self._status.work(tool.kind, tool.label)

    def be_seen(self) -> None:
        """There is something to read: no typing sign is needed any more."""
        self._typing_at = math.inf

    def end(self, *, well: bool) -> None:
        """The reply is out (`well`), or something of it failed. Later calls change nothing."""
        self.be_seen()
        if self._status.has_ended:
            return
        self._status.end(well=well)
        emojis = self._config.emojis
        last = emojis.done if well else emojis.error
        for note in self._notes[1:]:
            self._rest.append((note.ref, emojis.queued, False))
            if not self._config.remove_after_reply:
                self._rest.append((note.ref, last, True))

    def hand_over(self) -> None:
        """Nobody looks after them any more: ask for all that is still to come, one after the other. After `end`."""
        self._status.hurry()
        steps = list(iter(self._next, None)) if self._can_react else []
        if self._reaction is None:
            _react(self._port, steps)
        else:
            self._reaction[0].add_done_callback(lambda _: _react(self._port, steps))

    # What is done.

    def refresh(self) -> None:
        """Start what is due."""
        self._type()
        self._land()
        step = self._next() if self._can_react and self._reaction is None else None
        if step is not None:
            future = self._port.react(*step)
            self._reaction = future, step[2]
            future.add_done_callback(lambda _: self._on_news())

    def due(self) -> float:
        """Return the moment (monotonic seconds) of the next sign; infinite for never, or not before the bell rings."""
        if self._reaction is not None and self._reaction[0].done():
            return self._clock.monotonic()
        return min(self._typing_at, self._reaction_due())

    @property
    def is_quiet(self) -> bool:
        """All signs are as they will stay."""
        return self._reaction is None and math.isinf(self.due())

    def _type(self) -> None:
        now, interval = self._clock.monotonic(), self._typing_interval
        if interval is None or now < self._typing_at:
            return
        self._typing_at = now + interval
        if self._typing is None or self._typing.done():
            self._typing = self._port.typing(self._notes[0].conversation)
            self._typing.add_done_callback(_note_failure)

    def _reaction_due(self) -> float:
        if not self._can_react or self._reaction is not None:
            return math.inf
        return self._clock.monotonic() if self._rest else self._status.due()

    def _next(self) -> tuple[MessageRef, str, bool] | None:
        step = self._status.step()
        if step is not None:
            return self._notes[0].ref, *step
        return self._rest.pop(0) if self._rest else None

    def _land(self) -> None:
        if self._reaction is None or not self._reaction[0].done():
            return
        (future, adds), self._reaction = self._reaction, None
        _, error = outcome_of(future)
        if error is None:
            return
        log.debug("a reaction failed: %s", error)
        # Taking back what is not there is refused too; but where none may be added, asking again is a nuisance.
        if adds and not isinstance(error, ChatTimeout):
            self._can_react = False


def _react(port: ChatPort, steps: Sequence[tuple[MessageRef, str, bool]]) -> None:
    """Ask for one after the other. Runs on whichever thread the one before ended; touches nothing of the session's."""
    if steps:
        future = port.react(*steps[0])
        future.add_done_callback(lambda _: _react(port, steps[1:]))


def _note_failure(future: Future[None]) -> None:
    """Log a typing sign that failed. Runs on the platform's thread and touches nothing else."""
    _, error = outcome_of(future)
    if error is not None:
        log.debug("a typing sign failed: %s", error)
