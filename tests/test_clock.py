"""The clock and its deadlines."""

from __future__ import annotations

import math
import time

import pytest

from openab_sync.clock import Clock, Deadline, SystemClock
from tests.fakes.clock import FakeClock


def test_a_deadline_counts_down_with_its_clock_and_never_below_zero() -> None:
    clock = FakeClock()
    deadline = Deadline(clock, 10)
    assert (deadline.left, deadline.expired) == (10.0, False)
    clock.advance(4)
    assert (deadline.left, deadline.expired) == (6.0, False)
    clock.advance(6)
    assert (deadline.left, deadline.expired) == (0.0, True)
    clock.advance(100)
    assert (deadline.left, deadline.expired) == (0.0, True)


def test_a_deadline_without_seconds_never_comes() -> None:
    clock = FakeClock()
    deadline = Deadline(clock, None)
    clock.advance(1e12)
    assert deadline.left == math.inf
    assert not deadline.expired


def test_a_deadline_of_zero_has_come_already() -> None:
    assert Deadline(FakeClock(), 0).expired


def test_a_deadline_shows_what_is_left_of_it() -> None:
    assert repr(Deadline(FakeClock(), 2.5)) == "<Deadline in 2.5 s>"


def test_the_systems_clock_is_the_systems() -> None:
    clock: Clock = SystemClock()
    before = time.monotonic(), time.time()
    now = clock.monotonic(), clock.time()
    after = time.monotonic(), time.time()
    assert before[0] <= now[0] <= after[0]
    assert before[1] <= now[1] <= after[1]


def test_the_fake_clock_moves_both_its_hands_and_only_forward() -> None:
    clock = FakeClock()
    before = clock.monotonic(), clock.time()
    clock.advance(3)
    assert (clock.monotonic() - before[0], clock.time() - before[1]) == (3.0, 3.0)
    with pytest.raises(ValueError, match="does not go back"):
        clock.advance(-1)
    assert repr(clock) == "<FakeClock +3 s>"
