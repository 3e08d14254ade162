"""How long a turn is waited for, on a clock that moves only when it is told to."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openab_sync.core.patience import Due, Limits, Patience
from tests.fakes.clock import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def test_nothing_is_due_at_the_beginning(clock: FakeClock) -> None:
    assert Patience(Limits(), clock).due() == ()


def test_hours_of_silence_below_the_ceiling_cost_a_look_every_thirty_seconds_and_nothing_else(clock: FakeClock) -> None:
    patience = Patience(Limits(ceiling=6 * 3600.0), clock)
    seen: list[Due] = []
    for _ in range(5 * 120):
        clock.advance(30.0)
        seen += patience.due()
    assert seen.count(Due.CHECK) == 600
    assert seen.count(Due.REASSURE) == 1
    assert set(seen) == {Due.CHECK, Due.REASSURE}


def test_a_late_look_is_one_look(clock: FakeClock) -> None:
    """The machine was suspended: the looks that were missed are not made up for."""
    patience = Patience(Limits(silence=1e6, ceiling=1e6), clock)
    clock.advance(300.0)
    assert patience.due() == (Due.CHECK,)
    assert patience.due() == ()
    clock.advance(29.0)
    assert patience.due() == ()


def test_an_agent_that_says_something_every_second_still_meets_the_ceiling(clock: FakeClock) -> None:
    patience = Patience(Limits(), clock)
    for second in range(1, 1801):
        clock.advance(1.0)
        patience.heard()
        assert patience.due() == ((Due.CANCEL,) if second == 1800 else ())


def test_the_ceiling_is_due_until_the_agent_was_told(clock: FakeClock) -> None:
    patience = Patience(Limits(), clock)
    clock.advance(1800.0)
    patience.heard()
    assert patience.due() == (Due.CANCEL,)
    assert patience.due() == (Due.CANCEL,)
    patience.cancelled()
    assert patience.due() == ()


def test_an_agent_that_does_not_obey_within_the_grace_is_killed(clock: FakeClock) -> None:
    patience = Patience(Limits(), clock)
    patience.cancelled()
    assert patience.next_at() == clock.monotonic() + 10.0
    clock.advance(9.5)
    patience.heard()  # talking on is not obeying
    assert patience.due() == ()
    clock.advance(0.5)
    assert patience.due() == (Due.KILL,)


def test_a_second_cancel_does_not_prolong_the_grace(clock: FakeClock) -> None:
    patience = Patience(Limits(), clock)
    patience.cancelled()
    clock.advance(9.0)
    patience.cancelled()
    clock.advance(1.0)
    assert patience.due() == (Due.KILL,)


def test_without_grace_the_agent_is_killed_at_once(clock: FakeClock) -> None:
    patience = Patience(Limits(cancel_grace=0.0), clock)
    patience.cancelled()
    assert patience.due() == (Due.KILL,)


def test_a_cancelled_turn_past_the_ceiling_is_not_cancelled_again(clock: FakeClock) -> None:
    patience = Patience(Limits(cancel_grace=3600.0, silence=1e6), clock)
    patience.cancelled()
    clock.advance(2000.0)
    assert patience.due() == (Due.CHECK,)


def test_waiting_for_a_person_does_not_count(clock: FakeClock) -> None:
    patience = Patience(Limits(), clock)
    clock.advance(1000.0)
    patience.heard()
    patience.asking(1)
    clock.advance(7200.0)
    assert patience.due() == (Due.CHECK,)  # still looked at, neither ended nor reassured
    assert patience.overdue_at == math.inf
    patience.asking(0)
    clock.advance(799.0)
    patience.heard()
    assert patience.due() == ()
    clock.advance(1.0)
    assert patience.due() == (Due.CANCEL,)


def test_the_ceiling_stands_still_while_any_question_is_open(clock: FakeClock) -> None:
    patience = Patience(Limits(), clock)
    start = clock.monotonic()
    for open_questions in (1, 2, 1, 1, 0):
        patience.asking(open_questions)
        clock.advance(100.0)  # four times with a question, once without
    assert patience.overdue_at == start + 1800.0 + 400.0 + 120.0
    patience.asking(0)  # none was open: nothing is excused
    assert patience.overdue_at == start + 1800.0 + 400.0 + 120.0


def test_people_are_reassured_once_per_silence(clock: FakeClock) -> None:
    patience = Patience(Limits(liveness=1e6), clock)
    for _ in range(2):
        clock.advance(60.0)
        assert patience.due() == (Due.REASSURE,)
        clock.advance(600.0)
        assert patience.due() == ()
        patience.heard()


def test_silence_is_counted_from_the_moment_the_agent_can_go_on(clock: FakeClock) -> None:
    patience = Patience(Limits(liveness=1e6), clock)
    patience.asking(1)
    clock.advance(500.0)
    assert patience.due() == ()  # it is we who are silent
    patience.asking(0)
    assert patience.silent_for == 0.0
    clock.advance(59.0)
    assert patience.due() == ()
    assert patience.silent_for == 59.0
    clock.advance(1.0)
    assert patience.due() == (Due.REASSURE,)


def test_the_room_is_given_away_two_minutes_after_the_ceiling(clock: FakeClock) -> None:
    patience = Patience(Limits(), clock)
    started = clock.monotonic()
    clock.advance(50.0)
    patience.heard()
    patience.cancelled()
    assert patience.overdue_at == started + 1800.0 + 120.0


def test_a_machine_that_has_just_started_is_no_reason_to_end_anything() -> None:
    """FIELD A17: nothing is computed as "now minus a while", which would be before the beginning of time."""
    clock = FakeClock()
    clock.monotonic = lambda: 0.0  # type: ignore[method-assign]  # a clock at its very first tick
    assert Patience(Limits(), clock).due() == ()


STEPS = st.lists(
    st.one_of(
        st.sampled_from(["heard", "cancel", "ask 0", "ask 1", "ask 2", "to next"]),
        st.integers(1, 4000).map(lambda quarter: quarter / 4),  # exact in binary: no rounding to argue about
    ),
    max_size=60,
)


@given(STEPS)
def test_stepping_to_the_next_moment_always_finds_something_to_do(steps: list[str | float]) -> None:
    """No spinning: what is due is done, and then the next moment lies ahead; before it, nothing is due."""
    clock = FakeClock()
    patience = Patience(Limits(), clock)
    for step in steps:
        killed = False
        match step:
            case float():
                ahead = patience.next_at() - clock.monotonic()
                clock.advance(min(step, ahead))
                assert step >= ahead or patience.due() == ()
            case "to next":
                clock.advance(patience.next_at() - clock.monotonic())
                found = patience.due()
                assert found
                killed = Due.KILL in found
                if Due.CANCEL in found:
                    patience.cancelled()
            case "heard":
                patience.heard()
            case "cancel":
                patience.cancelled()
            case str():
                patience.asking(int(step.removeprefix("ask ")))
        if killed or Due.KILL in (found := patience.due()):
            return  # the turn is over
        if Due.CANCEL in found:
            patience.cancelled()
        assert patience.next_at() > clock.monotonic()
        assert patience.due() == ()


def test_people_are_told_once_that_the_ceiling_comes_nearer(clock: FakeClock) -> None:
    patience = Patience(Limits(ceiling=100, warning=80, liveness=1e6, silence=1e6), clock)
    assert patience.next_at() == clock.monotonic() + 80
    clock.advance(79)
    assert patience.due() == ()
    clock.advance(1)
    assert patience.due() == (Due.WARN,)
    assert patience.due() == ()
    assert patience.next_at() == clock.monotonic() + 20


def test_waiting_for_people_does_not_bring_the_warning_nearer(clock: FakeClock) -> None:
    patience = Patience(Limits(ceiling=100, warning=80, liveness=1e6, silence=1e6), clock)
    patience.asking(1)
    clock.advance(500)
    assert patience.due() == ()
    patience.asking(0)
    clock.advance(80)
    assert patience.due() == (Due.WARN,)


def test_an_extension_is_as_much_time_again(clock: FakeClock) -> None:
    patience = Patience(Limits(ceiling=100, liveness=1e6, silence=1e6), clock)
    clock.advance(100)
    assert patience.due() == (Due.CANCEL,)
    patience.extend()
    assert patience.due() == ()
    assert patience.overdue_at == clock.monotonic() + 100 + Limits().hung_grace
    clock.advance(100)
    assert patience.due() == (Due.CANCEL,)
