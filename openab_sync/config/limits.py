"""How much people may use: what `[limits]` may hold. 0 is no limit, everywhere.

What the keys do is `core/budget`'s and `core/account`'s; this room only says what is valid.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

__all__ = ["LimitsConfig", "Quota"]

# What is counted a minute or an hour is remembered moment by moment.
Rate = Annotated[int, msgspec.Meta(ge=0, le=10_000)]
Amount = Annotated[int, msgspec.Meta(ge=0, le=10**12)]
Money = Annotated[float, msgspec.Meta(ge=0, le=10**9)]
Percent = Annotated[int, msgspec.Meta(ge=1, le=100)]


class Quota(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What somebody, or all together, may use; 0: as much as they like."""

    messages_per_minute: Rate = 0
    """Messages to the agent."""
    turns_per_hour: Rate = 0
    """Turns that the agent begins."""
    tokens_per_day: Amount = 0
    """Tokens, as agents tell them."""
    cost_per_day: Money = 0.0
    """Cost, as agents tell it, in their currency."""


class PersonQuota(Quota, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one person may use: `[limits.person]`."""

    messages_per_minute: Rate = 30
    """Messages to the agent."""


class LimitsConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much people may use, and when an agent has run wild: `[limits]`."""

    person: PersonQuota = PersonQuota()
    conversation: Quota = Quota()
    everybody: Quota = Quota()
    agents_per_person: Rate = 0
    """Conversations in which an agent may work for one person at the same time."""
    tool_calls_per_turn: Rate = 1_000
    """Tool calls after which a turn is cancelled."""
    turn_mb: Rate = 100
    """Text, tools and files, in MB, that an agent may bring in a turn; then it is, too, and no admin lifts that."""
    repeated_tool_calls: Rate = 30
    """Tool calls without a new one among them after which it is; halfway it is told."""
    soft_percent: Percent = 80
    """So much of a limit is told: a word, before the turn is cancelled or the next message refused."""
