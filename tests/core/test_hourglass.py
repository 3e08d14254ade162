"""What waits for a disk that hangs is told in time, and once."""

from __future__ import annotations

import math
from concurrent.futures import Future

import pytest

from openab_sync.core.hourglass import Hourglass
from openab_sync.core.ledger import ON_DISK
from openab_sync.errors import StoreError
from tests.fakes.clock import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def glass(clock: FakeClock) -> Hourglass:
    return Hourglass(clock)


def test_what_comes_in_time_is_handed_on_as_it_is(glass: Hourglass) -> None:
    well, badly, given_up = Future[int](), Future[int](), Future[int]()
    found = [glass.bounded(one) for one in (well, badly, given_up)]
    well.set_result(1)
    badly.set_exception(LookupError("x"))
    given_up.cancel()
    assert found[0].result(0) == 1
    assert isinstance(found[1].exception(0), LookupError)
    assert isinstance(found[2].exception(0), StoreError)
    assert glass.next_at == math.inf, "nothing runs any more"


def test_what_is_done_already_costs_nothing(glass: Hourglass) -> None:
    done: Future[int] = Future()
    done.set_result(1)
    assert glass.bounded(done).result(0) == 1
    assert glass.next_at == math.inf


def test_what_does_not_come_fails_when_its_time_is_over_and_not_before(glass: Hourglass, clock: FakeClock) -> None:
    source: Future[int] = Future()
    found = glass.bounded(source)
    assert glass.next_at == clock.monotonic() + ON_DISK
    clock.advance(ON_DISK - 1)
    glass.look()
    assert not found.done()
    later = glass.bounded(Future[int]())
    clock.advance(1)
    glass.look()
    assert isinstance(found.exception(0), StoreError)
    assert not later.done()
    source.set_result(1)  # it came after all: nobody is told twice
    assert found.exception(0) is not None
