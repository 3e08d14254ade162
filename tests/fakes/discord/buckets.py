"""Rate limits: one bucket for each route and major parameter, and a global one. Pure, driven by a clock."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from tests.fakes.discord.clock import Clock

__all__ = ["LIMITS", "Buckets", "Verdict"]

LIMITS: dict[str, tuple[int, float]] = {
    "global": (50, 1.0),
    "message": (5, 5.0),
    "edit": (5, 5.0),
    "delete": (5, 1.0),
    "reaction": (1, 0.25),
    "typing": (5, 5.0),
    "rename": (2, 600.0),
    "thread": (50, 300.0),
    "webhook": (5, 2.0),
    "commands": (200, 86400.0),
    "other": (50, 1.0),
}
"""Bucket → requests, seconds: what has been seen of the real service. Give a server other numbers to be quick."""

INVALID_WINDOW = 600.0


@dataclass(frozen=True)
class Verdict:
    """What became of a request in its bucket."""

    bucket: str
    limit: int
    remaining: int
    reset_after: float
    reset: float  # the same as a moment, seconds since the epoch
    is_over: bool = False
    is_global: bool = False

    def headers(self) -> dict[str, str]:
        """The headers that come with the answer, whatever it is."""
        headers = {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": f"{self.reset:.3f}",
            "X-RateLimit-Reset-After": f"{self.reset_after:.3f}",
            "X-RateLimit-Bucket": hashlib.md5(self.bucket.encode(), usedforsecurity=False).hexdigest(),
        }
        if self.is_global:
            return {"X-RateLimit-Global": "true", "X-RateLimit-Scope": "global"}
        return {**headers, "X-RateLimit-Scope": "user"} if self.is_over else headers


class Buckets:
    """Fixed windows that open with their first request. The caller holds the world's lock."""

    def __init__(self, clock: Clock, limits: Mapping[str, tuple[int, float]] | None = None) -> None:
        self._clock = clock
        self.limits = {**LIMITS, **(limits or {})}
        self._windows: dict[tuple[str, str], tuple[float, int]] = {}  # → when it ends, how many came
        self.hits = 0  # how often a request was over
        self._invalid: deque[float] = deque()
        self.most_invalid = 10_000

    def take(self, bucket: str, major: str) -> Verdict:
        """Count a request. One that is over is not counted, and waits as long as the window is open."""
        limit, per = self.limits[bucket]
        now = self._clock.monotonic()
        ends, count = self._windows.get((bucket, major), (0.0, 0))
        if now >= ends:
            ends, count = now + per, 0
        is_over = count >= limit
        count += 0 if is_over else 1
        self.hits += is_over
        self._windows[bucket, major] = (ends, count)
        left = max(0.001, ends - now)
        reset = self._clock.time() + left
        return Verdict(bucket, limit, limit - count, left, reset, is_over, bucket == "global")

    def invalid(self) -> None:
        """A 401, 403 or 429 went out."""
        self._invalid.append(self._clock.monotonic())

    @property
    def invalid_requests(self) -> int:
        """How many of those went out in the last ten minutes."""
        oldest = self._clock.monotonic() - INVALID_WINDOW
        while self._invalid and self._invalid[0] < oldest:
            self._invalid.popleft()
        return len(self._invalid)

    @property
    def is_banned(self) -> bool:
        """Whether the service has stopped listening to this address for a while."""
        return self.invalid_requests >= self.most_invalid
