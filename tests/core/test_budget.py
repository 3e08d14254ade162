"""The budget: what is counted, for whom, how long, and which limit says no."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openab_sync.config.limits import LimitsConfig
from openab_sync.core import budget as module
from openab_sync.core.budget import Budget, Day, Hit, Row, today, unconfigured
from tests.fakes.clock import FakeClock

ANN, BOB, HERE, THERE = "ann", "bob", "test:1", "test:2"


class Kept:
    """Sums in memory."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str, str], Row] = {}

    def read(self, day: str) -> list[Row]:
        return [row for row in self.rows.values() if row[0] == day]

    def keep(self, rows: Sequence[Row]) -> None:
        self.rows.update({row[:3]: row for row in rows})


def made(kept: Kept | None = None, /, **limits: Any) -> tuple[FakeClock, Budget]:
    clock = FakeClock()
    config = msgspec.convert({"person": {"messages_per_minute": 0}, **limits}, LimitsConfig)
    return clock, Budget(lambda: config, clock, kept)


def name(hit: Hit | None) -> str:
    return hit.limit if hit is not None else ""


@pytest.mark.parametrize(
    ("scope", "others"),
    [("person", [(ANN, THERE)]), ("conversation", [(BOB, HERE)]), ("everybody", [(BOB, THERE)])],
)
def test_so_many_messages_are_taken_a_minute(scope: str, others: list[tuple[str, str]]) -> None:
    clock, budget = made(**{scope: {"messages_per_minute": 2}})
    assert [name(budget.come(ANN, HERE)) for _ in range(2)] == ["", ""]
    for who, where in others:
        hit = budget.come(who, where)
        assert name(hit) == f"{scope}.messages_per_minute"
        assert hit is not None and "2 messages within a minute" in hit.text and "in 60 s" in hit.text
    assert (budget.come(BOB, THERE) is None) == (scope != "everybody")
    clock.advance(60)
    assert budget.come(ANN, HERE) is None


def test_what_was_refused_does_not_count() -> None:
    clock, budget = made(person={"messages_per_minute": 1})
    assert budget.come(ANN, HERE) is None
    for _ in range(5):
        clock.advance(10)
        assert budget.come(ANN, HERE) is not None
    clock.advance(10)
    assert budget.come(ANN, HERE) is None


def test_so_many_turns_begin_an_hour() -> None:
    clock, budget = made(conversation={"turns_per_hour": 2})
    assert [name(budget.begin(who, HERE)) for who in (ANN, BOB, ANN)] == ["", "", "conversation.turns_per_hour"]
    assert name(budget.come(BOB, HERE)) == "conversation.turns_per_hour"  # before it costs anything
    assert budget.begin(ANN, THERE) is None
    clock.advance(3599)
    assert budget.begin(ANN, HERE) is not None
    clock.advance(1)
    assert budget.begin(ANN, HERE) is None


def test_so_many_agents_work_for_one_person() -> None:
    _, budget = made(agents_per_person=1)
    assert budget.begin(ANN, HERE) is None
    assert budget.begin(ANN, HERE) is None  # the same one
    assert name(budget.come(ANN, THERE)) == name(budget.begin(ANN, THERE)) == "agents_per_person"
    assert budget.begin(BOB, THERE) is None
    budget.end(HERE)
    assert budget.begin(ANN, "test:3") is None


def test_a_turn_whose_end_was_never_told_does_not_count_for_ever() -> None:
    clock, budget = made(agents_per_person=1)
    budget.begin(ANN, HERE)
    clock.advance(86401)
    assert budget.begin(ANN, THERE) is None


@pytest.mark.parametrize("scope", ["person", "conversation", "everybody"])
@pytest.mark.parametrize(("limit", "tokens", "cost"), [("tokens_per_day", 60, 0.0), ("cost_per_day", 0, 0.6)])
def test_tokens_and_cost_of_a_day_are_limited(scope: str, limit: str, tokens: int, cost: float) -> None:
    allowed = 100 if tokens else 1.0
    clock, budget = made(**{scope: {limit: allowed}})
    assert budget.spend(ANN, HERE, tokens, cost) is None
    assert name(budget.spend(ANN, HERE, tokens, cost)) == f"{scope}.{limit}"
    assert name(budget.come(ANN, HERE)) == name(budget.begin(ANN, HERE)) == f"{scope}.{limit}"
    assert (budget.begin(BOB, THERE) is None) == (scope != "everybody")
    clock.advance(86400)
    assert budget.begin(ANN, HERE) is None


def test_a_word_is_said_once_a_day_before_anything_is_refused() -> None:
    clock, budget = made(person={"tokens_per_day": 100})
    budget.spend(ANN, HERE, 79, 0)
    assert budget.nearly(ANN, HERE) is None
    budget.spend(ANN, HERE, 1, 0)
    hit = budget.nearly(ANN, HERE)
    assert hit == Hit("person.tokens_per_day", "You have used 80 of 100 tokens for today.", ANN)
    assert budget.nearly(ANN, THERE) is None
    clock.advance(86400)
    budget.spend(ANN, HERE, 90, 0)
    assert budget.nearly(ANN, HERE) is not None


def test_a_word_is_said_before_the_turns_of_an_hour_are_used_up() -> None:
    _, budget = made(conversation={"turns_per_hour": 5})
    for _ in range(4):
        assert budget.nearly(ANN, HERE) is None
        assert budget.begin(ANN, HERE) is None
    hit = budget.nearly(ANN, HERE)
    assert hit is not None and hit.limit == "conversation.turns_per_hour"
    assert "had 4 of 5 turns within an hour." in hit.text
    assert budget.nearly(ANN, HERE) is None, "once a day"
    assert budget.begin(ANN, HERE) is None and budget.begin(ANN, HERE) is not None


def test_an_admin_lifts_limits_for_a_person_or_a_conversation_until_the_day_is_over() -> None:
    clock, budget = made(person={"messages_per_minute": 1, "tokens_per_day": 1}, agents_per_person=1)
    budget.begin(ANN, "test:0")
    budget.spend(ANN, HERE, 5, 0)
    assert budget.come(ANN, HERE) is not None
    for whose in (ANN, HERE):
        budget.lift(whose)
        assert budget.is_lifted(ANN, HERE)
        assert [budget.come(ANN, HERE), budget.begin(ANN, HERE), budget.spend(ANN, HERE, 9, 0)] == [None] * 3
        assert budget.nearly(ANN, HERE) is None
        assert (budget.come(ANN, THERE) is None) == (whose == ANN)
        assert budget.restore(whose)
        assert not budget.restore(whose)
        assert budget.come(ANN, HERE) is not None
    budget.lift(ANN)
    clock.advance(86400)
    assert not budget.is_lifted(ANN, HERE)


def test_a_restart_does_not_give_back_what_was_used_today() -> None:
    kept = Kept()
    clock, budget = made(kept, person={"tokens_per_day": 100})
    budget.begin(ANN, HERE)
    budget.spend(ANN, HERE, 100, 2.5)
    after = Budget(lambda: msgspec.convert({"person": {"tokens_per_day": 100}}, LimitsConfig), clock, kept)
    assert name(after.come(ANN, THERE)) == "person.tokens_per_day"
    assert set(after.days()) == {
        Day(today(clock), scope, key, 1, 100, 2.5)  # type: ignore[arg-type]  # a table
        for scope, key in (("person", ANN), ("conversation", HERE), ("everybody", ""))
    }
    clock.advance(86400)
    assert Budget(LimitsConfig, clock, kept).days() == ()


def test_whatever_people_do_memory_stays_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 10)
    _, budget = made(everybody={"messages_per_minute": 5})
    for n in range(100):
        budget.come(f"p{n}", f"test:{n}")
        budget.begin(f"p{n}", f"test:{n}")
        budget.spend(f"p{n}", f"test:{n}", 1, 0)
    assert max(len(budget._rates), len(budget._days), len(budget._at_work), len(budget._told)) <= 10
    assert max(len(moments) for moments in budget._rates.values()) <= 10
    assert next(day for day in budget.days() if day.scope == "everybody").tokens == 100


def test_what_cannot_count_any_more_is_forgotten() -> None:
    """Conversations come and go for months: what they used is kept for the hour, or the day, that it counts in."""
    clock, budget = made(person={"messages_per_minute": 5, "tokens_per_day": 10})
    for number in range(100):
        assert budget.come(ANN, f"test:{number}") is None and budget.begin(ANN, f"test:{number}") is None
        budget.spend(ANN, f"test:{number}", 0, 0.1)
        clock.advance(60)
    assert len(budget._days) == 102, "a hundred conversations, Ann and everybody"
    assert len(budget._rates) == 63, "those of an hour, without messages to conversations: they have no limit a minute"
    budget.spend(ANN, HERE, 9, 0)
    assert budget.nearly(ANN, HERE) is not None
    clock.advance(86400)
    assert budget.begin(BOB, HERE) is None
    assert len(budget._days) == 3 and len(budget._rates) == 3, "Bob, this conversation and everybody"
    budget.spend(ANN, HERE, 9, 0)
    assert budget.nearly(ANN, HERE) is not None and len(budget._told) == 1


def test_what_was_used_is_told_with_what_may_be() -> None:
    _, budget = made(person={"turns_per_hour": 3, "tokens_per_day": 1000})
    budget.begin(ANN, HERE)
    budget.spend(ANN, HERE, 250, 0.5)
    you, here, everybody = budget.lines(ANN, HERE)
    assert you == "You: 1 of 3 turns within the last hour; today 1 turns, 250 of 1,000 tokens, cost 0.50"
    assert here.startswith("Here: 1 turns") and everybody.startswith("Everybody: 1 turns")
    budget.lift(HERE)
    assert "lifted" in budget.lines(ANN, HERE)[0]


def test_without_a_configuration_only_floods_are_stopped() -> None:
    budget = unconfigured()
    assert [budget.come(ANN, HERE) for _ in range(30)] == [None] * 30
    assert name(budget.come(ANN, HERE)) == "person.messages_per_minute"
    assert budget.begin(ANN, HERE) is None
    assert budget.spend(ANN, HERE, 10**9, 10**6) is None


DEEDS = st.lists(st.tuples(st.sampled_from([ANN, BOB]), st.sampled_from([HERE, THERE]), st.floats(0, 40)), max_size=60)


@given(DEEDS, st.integers(1, 5))
def test_never_more_are_taken_within_any_minute_than_allowed(deeds: list[tuple[str, str, float]], allowed: int) -> None:
    clock, budget = made(person={"messages_per_minute": allowed})
    taken: dict[str, list[float]] = {ANN: [], BOB: []}
    for who, where, pause in deeds:
        clock.advance(pause)
        if budget.come(who, where) is None:
            taken[who].append(clock.monotonic())
    for moments in taken.values():
        for index in range(len(moments) - allowed):
            assert moments[index + allowed] - moments[index] >= 60
