"""The account of one turn: what it uses is added to the budget as it is told, and what is too much is said.

Session thread only; never blocks. It decides nothing about the turn: a word is for people (`words`), a limit that is
passed for the session, which cancels. Agents tell what the session has cost so far, so a turn costs what that has
grown; tokens are those of the prompt's answer, until then, and for agents that tell none, what the context has grown.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..config.limits import LimitsConfig
from ..text.clean import one_line
from .budget import Budget, Hit
from .house import Usage
from .runaway import Runaway
from .turn import Turn

__all__ = ["Account", "Payer"]

MB = 1024 * 1024
NAME = 60  # characters of a tool call's name


@dataclass(frozen=True, slots=True)
class Payer:
    """For whom a turn is, and where: a person's id, a conversation's key."""

    person: str
    conversation: str


class Account:
    """What one turn uses. `before` is what the session had used; None where that is not known: then it is learned."""

    __slots__ = ("_budget", "_cost", "_limits", "_looked", "_payer", "_runaway", "_said", "_tokens", "_used", "words")

    def __init__(
        self, budget: Budget, limits: Callable[[], LimitsConfig], payer: Payer, before: Usage, *, is_new: bool
    ) -> None:
        """`is_new`: an agent's session that has told nothing yet has used nothing."""
        self._budget, self._limits, self._payer = budget, limits, payer
        self._used = before.used if before.used is not None else 0 if is_new else None
        self._cost = before.cost if before.cost is not None else 0.0 if is_new else None
        self._tokens = 0  # of this turn, added so far
        self._runaway = Runaway()
        self._looked: tuple[object, ...] = ()  # at what `look` has looked
        self._said: set[str] = set()
        self.words: list[Hit] = []  # to be said to people, and taken out

    @property
    def is_lifted(self) -> bool:
        """An admin has lifted the limits."""
        return self._budget.is_lifted(self._payer.person, self._payer.conversation)

    def begin(self) -> Hit | None:
        """Count the turn; or say which limit it is beyond: then it must not begin."""
        return self._budget.begin(self._payer.person, self._payer.conversation)

    def look(self, turn: Turn) -> Hit | None:
        """Add what the turn has used since the last look; say which limit it has passed. Costs nothing without news."""
        tools = turn.tools
        news = (turn.used, turn.cost, len(tools), bool(tools) and tools[-1].is_open, turn.bulk * 100 // turn.most)
        if news == self._looked:
            return None
        self._looked = news
        self._runaway.look(tools)
        over = self._add(turn, 0) or self._too_large(turn)
        return over or (None if self.is_lifted else self._too_much() or self._nearly(turn))

    def passed(self, turn: Turn) -> Hit | None:
        """Say which limit a turn has passed by itself that has just been answered; what a day allows is not asked."""
        self._runaway.look(turn.tools)
        return self._too_large(turn) or (None if self.is_lifted else self._too_much())

    def end(self, turn: Turn, tokens: int | None) -> None:
        """The turn is over; `tokens` are what its answer names, None for none."""
        self._add(turn, max(0, (tokens or 0) - self._tokens - self._growth(turn)))
        self._nearly_today()
        self._budget.end(self._payer.conversation)

    # How it is done.

    def _growth(self, turn: Turn) -> int:
        return 0 if turn.used is None or self._used is None else max(0, turn.used - self._used)

    def _add(self, turn: Turn, more: int) -> Hit | None:
        tokens = self._growth(turn) + more
        cost = 0.0 if turn.cost is None or self._cost is None else max(0.0, turn.cost - self._cost)
        self._used = self._used if turn.used is None else turn.used
        self._cost = self._cost if turn.cost is None else turn.cost
        self._tokens += tokens
        if not tokens and not cost:
            return None
        return self._budget.spend(self._payer.person, self._payer.conversation, tokens, cost)

    def _too_large(self, turn: Turn) -> Hit | None:
        """It is our memory: no admin lifts that."""
        if not turn.is_full:
            return None
        return Hit("turn_mb", f"This turn has brought {turn.most / MB:,.0f} MB, which is the limit.", "")

    def _too_much(self) -> Hit | None:
        limits, watch = self._limits(), self._runaway
        where = self._payer.conversation
        if limits.tool_calls_per_turn and watch.calls > limits.tool_calls_per_turn:
            text = f"This turn has made {limits.tool_calls_per_turn:,} tool calls, which is the limit."
            return Hit("tool_calls_per_turn", text, where)
        if limits.repeated_tool_calls and watch.repeated >= limits.repeated_tool_calls:
            text = f"The agent has repeated itself {watch.repeated} times, which is the limit: {self._name}."
            return Hit("repeated_tool_calls", text, where)
        return None

    def _nearly(self, turn: Turn) -> Hit | None:
        """Find words to say. Returns nothing: they are no reason to stop."""
        limits, watch, where = self._limits(), self._runaway, self._payer.conversation
        most, repeated = limits.tool_calls_per_turn, limits.repeated_tool_calls
        if most and watch.calls >= most * limits.soft_percent / 100:
            self._say(
                Hit("tool_calls_per_turn", f"{watch.calls:,} of {most:,} tool calls that a turn may make.", where)
            )
        if repeated and watch.repeated >= repeated / 2:
            text = (
                f"The agent has repeated itself {watch.repeated} times ({self._name}); after {repeated} it is stopped."
            )
            self._say(Hit("repeated_tool_calls", text, where))
        if turn.bulk >= turn.most * limits.soft_percent / 100:
            share = f"{turn.bulk / MB:,.0f} of {turn.most / MB:,.0f} MB that a turn may bring."
            self._say(Hit("turn_mb", share, ""))
        self._nearly_today()
        return None

    def _nearly_today(self) -> None:
        nearly = self._budget.nearly(self._payer.person, self._payer.conversation)
        if nearly is not None:
            self.words.append(nearly)

    def _say(self, hit: Hit) -> None:
        if hit.limit not in self._said:
            self._said.add(hit.limit)
            self.words.append(hit)

    @property
    def _name(self) -> str:
        return one_line(self._runaway.name, NAME)
