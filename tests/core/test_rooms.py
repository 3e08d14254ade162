"""The rooms: who holds one, who gives one up, and whose threads are still to be seen to end."""

from __future__ import annotations

from typing import cast

from openab_sync.clock import SystemClock
from openab_sync.core.house import Hooks, Lease, Memory
from openab_sync.core.rooms import Rooms
from openab_sync.core.session import Session
from openab_sync.core.state import Event
from tests.core.bed import EVENTS, place
from tests.core.makers import house
from tests.fakes.clock import FakeClock
from tests.fakes.platform import FakePlatform


def session(name: str, *, is_idle: bool = True) -> Session:
    """A session that was never started."""
    made = Session(
        place(name),
        house(FakeClock()),
        Lease(FakePlatform(SystemClock(), EVENTS), cast(Hooks, None), Memory()),
    )
    if is_idle:
        made.mailbox.move(Event.START)
        made.mailbox.move(Event.READY)
    return made


def test_a_session_holds_its_room_until_it_is_forgotten_and_only_its_own() -> None:
    rooms, one = Rooms(), session("A")
    rooms.take(one)
    assert rooms.holder(place("A").key) is one
    rooms.retire(one, 5.0)
    assert (rooms.open, rooms.holder(place("A").key), one.retired_at, len(rooms)) == ({}, one, 5.0, 1)
    successor = session("A")
    rooms.take(successor)
    rooms.retire(one, 9.0)  # again, and not the successor's (FIELD A5)
    assert rooms.holder(place("A").key) is successor
    assert one.retired_at == 5.0
    assert rooms.forget(one)
    assert not rooms.forget(one)
    assert rooms.every() == [successor]


def test_only_idle_sessions_leave_and_no_more_than_are_wanted() -> None:
    rooms = Rooms()
    busy, *idle = session("busy", is_idle=False), session("B"), session("C"), session("D")
    for one in (busy, *idle):
        rooms.take(one)
    assert rooms.retire_idle(1.0, lambda _: True, 0) == []
    assert rooms.retire_idle(1.0, lambda one: one is not idle[1], 1) == [idle[0]]
    assert rooms.retire_idle(1.0, lambda _: True) == idle[1:]
    assert rooms.retire_idle(1.0, lambda _: True) == []
    assert list(rooms.open.values()) == [busy]
    assert idle[0].mailbox.is_shut


def test_a_session_whose_thread_has_not_run_is_not_let_go_of() -> None:
    rooms, one = Rooms(), session("A")
    rooms.take(one)
    assert rooms.sweep() == []
    assert rooms.threads == [one]
