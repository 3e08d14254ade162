"""The budget: what people have used of what they may, per person, conversation and day, and for everybody.

    a message comes   ─► `come`    counts it, or says which limit it is beyond: before anything costs
    a turn begins     ─► `begin`   the same, on the session's thread
    the agent reports ─► `spend`   adds tokens and cost, and says if a limit of the day is passed
    an admin          ─► `lift`    no limits for that person, or in that conversation, until the day is over

Decisions are pure, time is the clock's. Rates are remembered moment by moment and go with the process; the sums of a
day are handed to `Sums` as they grow, and come back after a restart.

**Threads**: any may call; nothing here blocks. **Locks**: `guard`, the pool's (rank 1): the budget is one of its books.
Under it there is computing alone, `Sums.keep` is called after it. **Never**: more than `MOST` people and conversations
in memory: whoever was seen longest ago is forgotten first, and whatever cannot count any more: moments of more than an
hour ago, sums of other days, words said then. Thousands of conversations come and go: a sum of each is 0.4 KiB.
"""

from __future__ import annotations

import math
import time
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import astuple, dataclass, replace
from typing import Literal, Protocol, TypeVar

from ..clock import Clock, SystemClock
from ..config.limits import LimitsConfig, Quota

__all__ = ["Budget", "Day", "Hit", "Row", "Scope", "Sums", "today", "unconfigured"]

K = TypeVar("K")
V = TypeVar("V")

Scope = Literal["person", "conversation", "everybody"]
SCOPES: tuple[Scope, ...] = ("person", "conversation", "everybody")

MOST = 10_000
LONGEST = 86400.0  # seconds after which a turn is not counted as running any more: its end was not told
MINUTE, HOUR = 60.0, 3600.0


@dataclass(frozen=True, slots=True)
class Day:
    """What was used in one day: by `key`, a person's id, a conversation's key or "" for everybody."""

    day: str
    scope: Scope
    key: str
    turns: int = 0
    tokens: int = 0
    cost: float = 0.0


@dataclass(frozen=True, slots=True)
class Hit:
    """A limit that is reached, or nearly: its name in the configuration, and the sentence for people.

    `whose` is what an admin can lift it for: a person's id, or a conversation's key; "" where nobody can.
    """

    limit: str
    text: str
    whose: str


Row = tuple[str, str, str, int, int, float]


class Sums(Protocol):
    """What outlives the process: the sums of days. A row is what a `Day` holds."""

    def read(self, day: str) -> Iterable[Row]:
        """Return the sums of that day, those that were used last at the end. Blocks; once, at the start."""

    def keep(self, rows: Sequence[Row]) -> None:
        """Keep these. Any thread; never blocks."""


class Budget:
    """All that is counted."""

    def __init__(
        self,
        limits: Callable[[], LimitsConfig],
        clock: Clock,
        sums: Sums | None = None,
    ) -> None:
        """`limits` are asked for each time. Without `sums` nothing outlives the process. Blocks if there are some."""
        self._limits, self._clock, self._sums = limits, clock, sums
        self.guard: AbstractContextManager[object] = nullcontext()  # the pool puts its lock here
        self._rates: OrderedDict[tuple[str, Scope, str], list[float]] = OrderedDict()
        self._days: OrderedDict[tuple[Scope, str], Day] = OrderedDict()
        self._at_work: OrderedDict[str, tuple[str, float]] = OrderedDict()  # conversation: for whom, since when
        self._lifted: dict[str, str] = {}  # person or conversation: the day
        self._told: OrderedDict[tuple[str, str, str], None] = (
            OrderedDict()
        )  # words that were said: limit, whose, the day
        for day, scope, key, turns, tokens, cost in sums.read(self._today) if sums is not None else ():
            name = next((one for one in SCOPES if one == scope), None)
            if name is not None:
                _put(self._days, (name, key), Day(day, name, key, turns, tokens, cost))

    # ---- any thread; never blocks ----

    def come(self, person: str, conversation: str) -> Hit | None:
        """Count a message that was let in; or say which limit it is beyond, and it is not counted."""
        with self.guard:
            hit = self._refusal_locked(person, conversation)
            bounded = [] if hit is not None else self._quotas(person, conversation)
            for name, key in ((name, key) for quota, name, key, _ in bounded if quota.messages_per_minute):
                self._count_locked(("messages", name, key))
            return hit

    def begin(self, person: str, conversation: str) -> Hit | None:
        """Count a turn; or say which limit it is beyond: then it must not begin."""
        with self.guard:
            hit = None if self._is_lifted_locked(person, conversation) else self._turn_locked(person, conversation)
            if hit is not None:
                return hit
            for _, name, key, _ in self._quotas(person, conversation):
                self._count_locked(("turns", name, key))
            _put(self._at_work, conversation, (person, self._clock.monotonic()))
            rows = self._add_locked(person, conversation, Day("", "person", "", 1))
        self._save(rows)
        return None

    def end(self, conversation: str) -> None:
        """The turn is over."""
        with self.guard:
            self._at_work.pop(conversation, None)

    def spend(self, person: str, conversation: str, tokens: int, cost: float) -> Hit | None:
        """Add what was used; say which limit of the day is passed with it, if one is."""
        with self.guard:
            rows = self._add_locked(person, conversation, Day("", "person", "", 0, tokens, cost))
            hit = None if self._is_lifted_locked(person, conversation) else self._day_locked(person, conversation)
        self._save(rows)
        return hit

    def nearly(self, person: str, conversation: str) -> Hit | None:
        """Return a word about a limit that is nearly reached; each is said once a day."""
        with self.guard:
            if self._is_lifted_locked(person, conversation):
                return None
            share, day = self._limits().soft_percent / 100, self._today
            for limit, whose, used, allowed, text in self._nearing_locked(person, conversation):
                if allowed * share <= used < allowed and (limit, whose, day) not in self._told:
                    _put(self._told, (limit, whose, day), None)
                    _drop(self._told, lambda told, _: told[2] != day)
                    return Hit(limit, text, whose or conversation)
        return None

    def lift(self, whose: str) -> None:
        """No limits for that person, or in that conversation, until the day is over."""
        with self.guard:
            self._lifted = {key: day for key, day in self._lifted.items() if day == self._today}
            self._lifted[whose] = self._today

    def restore(self, whose: str) -> bool:
        """The limits hold again; False if they did."""
        with self.guard:
            return self._lifted.pop(whose, "") == self._today

    def is_lifted(self, person: str, conversation: str) -> bool:
        """Whether there are no limits for somebody in a conversation."""
        with self.guard:
            return self._is_lifted_locked(person, conversation)

    def lines(self, person: str, conversation: str) -> tuple[str, ...]:
        """Return what was used, as people read it."""
        with self.guard:
            return tuple(self._lines_locked(person, conversation))

    def days(self) -> tuple[Day, ...]:
        """Return today's sums: of everybody, each person, each conversation."""
        with self.guard:
            return tuple(day for day in self._days.values() if day.day == self._today)

    def _save(self, days: Sequence[Day]) -> None:
        if self._sums is not None:
            self._sums.keep([astuple(day) for day in days])

    # ---- under the guard ----

    def _quotas(self, person: str, conversation: str) -> Iterator[tuple[Quota, Scope, str, str]]:
        limits = self._limits()
        yield limits.person, "person", person, "You have"
        yield limits.conversation, "conversation", conversation, "This conversation has"
        yield limits.everybody, "everybody", "", "All of you together have"

    def _refusal_locked(self, person: str, conversation: str) -> Hit | None:
        if self._is_lifted_locked(person, conversation):
            return None
        for quota, name, key, who in self._quotas(person, conversation):
            wait = self._wait_locked(("messages", name, key), quota.messages_per_minute, MINUTE)
            if wait:
                text = f"{who} sent {quota.messages_per_minute} messages within a minute, which is the limit"
                whose = key or conversation
                return Hit(f"{name}.messages_per_minute", f"{text}: the next is taken in {_span(wait)}.", whose)
        return self._turn_locked(person, conversation)

    def _turn_locked(self, person: str, conversation: str) -> Hit | None:
        most, now = self._limits().agents_per_person, self._clock.monotonic()
        busy = [key for key, (whose, since) in self._at_work.items() if whose == person and now - since < LONGEST]
        if most and conversation not in busy and len(busy) >= most:
            text = f"{len(busy)} agent{'s work' if len(busy) > 1 else ' works'} for you already, which is the limit"
            return Hit("agents_per_person", f"{text}: wait for one, or stop it with /cancel.", person)
        for quota, name, key, who in self._quotas(person, conversation):
            wait = self._wait_locked(("turns", name, key), quota.turns_per_hour, HOUR)
            if wait:
                text = f"{who} had {quota.turns_per_hour} turns within an hour, which is the limit"
                whose = key or conversation
                return Hit(f"{name}.turns_per_hour", f"{text}: the next can begin in {_span(wait)}.", whose)
        return self._day_locked(person, conversation)

    def _day_locked(self, person: str, conversation: str) -> Hit | None:
        for limit, whose, used, allowed, text in self._used_locked(person, conversation):
            if used >= allowed:
                return Hit(limit, f"{text} Tomorrow there is more.", whose or conversation)
        return None

    def _used_locked(self, person: str, conversation: str) -> Iterator[tuple[str, str, float, float, str]]:
        """Each limit of the day that there is: its name, whose, what was used, what may be, and a sentence."""
        for quota, name, key, who in self._quotas(person, conversation):
            day = self._of_today_locked(name, key)
            if quota.tokens_per_day:
                text = f"{who} used {day.tokens:,} of {quota.tokens_per_day:,} tokens for today."
                yield f"{name}.tokens_per_day", key, day.tokens, quota.tokens_per_day, text
            if quota.cost_per_day:
                text = f"{who} used {day.cost:,.2f} of {quota.cost_per_day:,.2f} for today, in the agent's currency."
                yield f"{name}.cost_per_day", key, day.cost, quota.cost_per_day, text

    def _nearing_locked(self, person: str, conversation: str) -> Iterator[tuple[str, str, float, float, str]]:
        """The same, and the turns of the hour: what is told before it is reached. A minute is too short for that."""
        yield from self._used_locked(person, conversation)
        for quota, name, key, who in self._quotas(person, conversation):
            if allowed := quota.turns_per_hour:
                count = self._lately_locked(("turns", name, key), HOUR)
                text = f"{who} had {count} of {allowed} turns within an hour."
                yield f"{name}.turns_per_hour", key, count, allowed, text

    def _lines_locked(self, person: str, conversation: str) -> Iterator[str]:
        if self._is_lifted_locked(person, conversation):
            yield "No limits until midnight: an admin has lifted them."
        for quota, name, key, _ in self._quotas(person, conversation):
            day, hour = self._of_today_locked(name, key), self._lately_locked(("turns", name, key), HOUR)
            who = {"person": "You", "conversation": "Here", "everybody": "Everybody"}[name]
            yield (
                f"{who}: {hour}{_of(quota.turns_per_hour)} turns within the last hour; today {day.turns:,} turns, "
                f"{day.tokens:,}{_of(quota.tokens_per_day)} tokens, cost {day.cost:,.2f}{_of(quota.cost_per_day)}"
            )

    def _add_locked(self, person: str, conversation: str, more: Day) -> tuple[Day, ...]:
        rows = []
        for scope, key in zip(SCOPES, (person, conversation, ""), strict=True):
            day = self._of_today_locked(scope, key)
            added = replace(
                day, turns=day.turns + more.turns, tokens=day.tokens + more.tokens, cost=day.cost + more.cost
            )
            _put(self._days, (scope, key), added)
            rows.append(added)
        _drop(self._days, lambda _, day: day.day != added.day)
        return tuple(rows)

    def _of_today_locked(self, scope: Scope, key: str) -> Day:
        day = self._days.get((scope, key))
        return day if day is not None and day.day == self._today else Day(self._today, scope, key)

    def _is_lifted_locked(self, person: str, conversation: str) -> bool:
        return self._today in (self._lifted.get(person), self._lifted.get(conversation))

    def _count_locked(self, name: tuple[str, Scope, str]) -> None:
        now, moments = self._clock.monotonic(), self._rates.get(name, [])
        del moments[: 1 - MOST]
        moments.append(now)
        _put(self._rates, name, moments)
        _drop(self._rates, lambda _, moments: not moments or moments[-1] <= now - HOUR)

    def _lately_locked(self, name: tuple[str, Scope, str], seconds: float) -> int:
        moments = self._rates.get(name, [])
        del moments[: bisect_right(moments, self._clock.monotonic() - seconds)]
        return len(moments)

    def _wait_locked(self, name: tuple[str, Scope, str], allowed: int, seconds: float) -> float:
        """Return the seconds until another one is within the limit, 0.0 if it is."""
        count = self._lately_locked(name, seconds)
        if not allowed or count < allowed:
            return 0.0
        return max(1.0, self._rates[name][count - allowed] + seconds - self._clock.monotonic())

    @property
    def _today(self) -> str:
        return today(self._clock)


def unconfigured() -> Budget:
    """Return one with the limits that hold without a configuration."""
    return Budget(LimitsConfig, SystemClock())


def today(clock: Clock) -> str:
    """Return the day, in this machine's time zone."""
    return time.strftime("%Y-%m-%d", time.localtime(clock.time()))  # asked some twenty times a turn


def _put(book: OrderedDict[K, V], key: K, value: V) -> None:
    book[key] = value
    book.move_to_end(key)
    while len(book) > MOST:
        book.popitem(last=False)


def _drop(book: OrderedDict[K, V], is_past: Callable[[K, V], bool]) -> None:
    """Forget those that were used longest ago as far as they are past; amortised, each is dropped once."""
    while book and is_past(*next(iter(book.items()))):
        book.popitem(last=False)


def _of(allowed: float) -> str:
    return f" of {allowed:,}" if allowed else ""


def _span(seconds: float) -> str:
    return f"{math.ceil(seconds)} s" if seconds < 100 else f"{math.ceil(seconds / 60)} min"
