"""Status reactions: what a message shows of what becomes of it.

Pure: told what happens, asked what to do next. Stages are debounced, silence shows after a while, an ending shows at
once and is final: nothing changes after it but its removal (FIELD K11). Whoever asks takes one step at a time, so a
step that is slow to carry out is followed by the newest one and not by all that were missed.

It has no timer: `due` says when to ask again.
"""

from __future__ import annotations

import math

from ..clock import Clock
from ..config.schema import ReactionEmojis, ReactionsConfig

__all__ = ["STALL_HARD", "STALL_SOFT", "StatusReactions"]

STALL_SOFT = "🥱"
STALL_HARD = "😨"

_CODING = frozenset({"read", "edit", "delete", "move", "execute"})
_WEB = frozenset({"fetch"})


class StatusReactions:
    """The one reaction of ours that a message should carry now, and the steps that lead there."""

    __slots__ = ("_at_people", "_clock", "_config", "_ended_at", "_heard", "_hold", "_pending", "_pending_at",
                 "_shown", "_stage", "_watching")  # fmt: skip

    def __init__(self, config: ReactionsConfig, clock: Clock, *, shown: str = "") -> None:
        """`shown` is a reaction of ours that the message has already, "" for none."""
        self._config = config
        self._clock = clock
        self._shown = shown  # on the message, once the steps handed out are carried out
        self._stage = config.emojis.queued  # applied; what is wanted unless silence covers it
        self._pending = ""  # a newer stage …
        self._pending_at = math.inf  # … and when it is applied
        self._heard = clock.monotonic()
        self._at_people = False  # somebody is asked: silence is theirs, not the agent's
        self._watching = False  # silence counts from the beginning of the work
        self._ended_at: float | None = None
        self._hold = math.inf

    def __repr__(self) -> str:
        return f"<StatusReactions {self.wanted()} shown={self._shown}>"

    # What happens.

    def think(self) -> None:
        """The agent thinks or writes."""
        self._go(self._config.emojis.thinking)

    def work(self, kind: str, title: str = "") -> None:
        """The agent uses a tool of this ACP kind; the title decides where the kind says nothing."""
        self._go(emoji_for(self._config.emojis, kind, title))

    def heard(self, at: float) -> None:
        """The agent gave a sign at that moment (monotonic seconds)."""
        self._heard = max(self._heard, at)

    def wait(self, at_people: bool) -> None:
        """Whether people are being waited for: then silence is not the agent's."""
        if self._at_people:
            self._heard = self._clock.monotonic()
        self._at_people = at_people

    def end(self, *, well: bool) -> None:
        """The reply is out, or has failed. Final: whatever is reported afterwards changes nothing."""
        if self._ended_at is not None:
            return
        emojis, timing = self._config.emojis, self._config.timing
        self._ended_at = self._clock.monotonic()
        self._stage = emojis.done if well else emojis.error
        if self._config.remove_after_reply:
            self._hold = (timing.done_hold_ms if well else timing.error_hold_ms) / 1000

    def hurry(self) -> None:
        """Nobody will look later: what would be shown for a while more goes now."""
        self._hold = min(self._hold, 0.0) if self._config.remove_after_reply else self._hold

    # What to do.

    @property
    def has_ended(self) -> bool:
        return self._ended_at is not None

    def wanted(self) -> str:
        """Return the emoji that should be on the message now, "" for none."""
        if not self._config.enabled:
            return ""
        now = self._clock.monotonic()
        if self._ended_at is not None:
            return "" if now >= self._ended_at + self._hold else self._stage
        if now >= self._pending_at:
            self._stage, self._pending, self._pending_at = self._pending, "", math.inf
        return self._silence(now) or self._stage

    def step(self) -> tuple[str, bool] | None:
        """Return the next thing to do to the message, (emoji, on), and count it as done; None if all is as wanted.

        The old reaction goes before the new one comes: there is never more than one of ours.
        """
        wanted = self.wanted()
        if wanted == self._shown:
            return None
        if self._shown:
            old, self._shown = self._shown, ""
            return old, False
        self._shown = wanted
        return wanted, True

    def due(self) -> float:
        """Return the moment (monotonic seconds) at which `step` may have something new; infinite for never."""
        if not self._config.enabled:
            return math.inf if not self._shown else self._clock.monotonic()
        if self.wanted() != self._shown:
            return self._clock.monotonic()
        if self._ended_at is not None:
            return self._ended_at + self._hold if self._shown else math.inf
        return min(self._pending_at, self._next_silence())

    # How it is decided.

    def _go(self, emoji: str) -> None:
        if self._ended_at is not None:
            return
        now = self._clock.monotonic()
        if not self._watching:
            self._heard, self._watching = now, True
        self.wanted()  # applies what has been pending long enough
        if emoji == self._stage:
            self._pending, self._pending_at = "", math.inf
        elif emoji != self._pending:
            # Not pushed back by every change, or an agent that changes its mind often would never be shown.
            self._pending_at = min(self._pending_at, now + self._config.timing.debounce_ms / 1000)
            self._pending = emoji

    def _silence(self, now: float) -> str:
        soft, hard = self._stalls()
        if now >= hard:
            return STALL_HARD
        return STALL_SOFT if now >= soft else ""

    def _next_silence(self) -> float:
        now = self._clock.monotonic()
        return min((moment for moment in self._stalls() if moment > now), default=math.inf)

    def _stalls(self) -> tuple[float, float]:
        """Return the moments at which silence shows, and shows as long; 0 ms in the configuration is never."""
        if not self._watching or self._at_people:
            return math.inf, math.inf
        timing = self._config.timing
        soft, hard = (
            self._heard + ms / 1000 if ms else math.inf for ms in (timing.stall_soft_ms, timing.stall_hard_ms)
        )
        return soft, hard


def emoji_for(emojis: ReactionEmojis, kind: str, title: str) -> str:
    """Return the emoji for a tool: by its kind, and for the kinds that say little by a word of its title."""
    words = title.lower()
    if kind in _WEB or (kind in {"search", "other", ""} and ("web" in words or "http" in words)):
        return emojis.web
    if kind in _CODING:
        return emojis.coding
    return emojis.tool
