"""What `[limits]` may hold."""

from __future__ import annotations

import msgspec
import pytest

from openab_sync.config.limits import LimitsConfig


def test_without_a_word_there_is_little_that_is_limited() -> None:
    limits = LimitsConfig()
    assert (limits.person.messages_per_minute, limits.tool_calls_per_turn, limits.repeated_tool_calls) == (30, 1000, 30)
    assert limits.agents_per_person == limits.conversation.messages_per_minute == limits.person.tokens_per_day == 0


@pytest.mark.parametrize(
    "section",
    [
        {"soft_percent": 0},
        {"soft_percent": 101},
        {"agents_per_person": -1},
        {"person": {"messages_per_minute": 10_001}},
        {"person": {"cost_per_day": -1.0}},
        {"everybody": {"turns_per_day": 1}},
    ],
)
def test_what_is_no_limit_is_refused(section: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(section, LimitsConfig)
