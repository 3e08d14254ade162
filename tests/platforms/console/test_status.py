from __future__ import annotations

from dataclasses import replace

import pytest

from openab_sync.core.broker import HouseSnapshot
from openab_sync.core.house import SessionSnapshot
from openab_sync.core.message import Conversation
from openab_sync.core.state import State
from openab_sync.platforms.console.status import View, is_busy, overview, session_of, status_line

from .stub import ONE, TWO, session

VIEW = View(ONE, ("1", "2", "3"), asking=("3",))


def house(*sessions: SessionSnapshot, waiting: tuple[str, ...] = ()) -> HouseSnapshot:
    return HouseSnapshot(sessions, waiting)


def test_a_conversation_without_a_session_is_ready_or_waits() -> None:
    assert status_line(VIEW, house(), 0.0) == "[1] · ready · [3] asks you"
    assert status_line(VIEW, house(waiting=("console:1",)), 0.0) == "[1] · waiting for a room · [3] asks you"


def test_the_line_says_what_the_agent_does_and_for_how_long() -> None:
    busy = replace(
        session(state=State.BUSY, inbox=2), turn_started=100.0, tool="make\nall", questions=1, title="Fix\x1b[31m it"
    )
    line = status_line(View(ONE, ("1",)), house(busy), 112.4)
    assert line == "[1] · busy 12 s · asks you · 2 queued · 🔧 make all · Fix it"


def test_others_are_named_when_they_work_or_ask() -> None:
    line = status_line(VIEW, house(session(), session(TWO, State.STARTING)), 0.0)
    assert line == "[1] · idle · [2] busy · [3] asks you"


@pytest.mark.parametrize(
    ("state", "inbox", "busy"),
    [
        (State.NEW, 0, True),
        (State.STARTING, 0, True),
        (State.IDLE, 0, False),
        (State.IDLE, 1, True),
        (State.BUSY, 0, True),
        (State.CANCELLING, 0, True),
        (State.CLOSING, 0, False),
    ],
)
def test_busy_is_who_has_something_to_do(state: State, inbox: int, busy: bool) -> None:
    assert is_busy(ONE, house(session(TWO), session(ONE, state, inbox))) is busy


def test_who_waits_in_line_is_busy_and_who_is_not_there_is_not() -> None:
    assert is_busy(ONE, house(waiting=("console:1",)))
    assert not is_busy(ONE, house(session(TWO, State.BUSY)))
    assert session_of(Conversation("console", "9"), house(session())) is None


def test_what_matters_comes_before_what_may_be_cut_off() -> None:
    busy = replace(session(state=State.BUSY), tool="make", title="a title that is long enough")
    line = status_line(VIEW, house(busy), 0.0)
    assert line == "[1] · busy · [3] asks you · 🔧 make · a title that is lon…"


def test_a_title_takes_twenty_columns_however_wide_its_characters_are() -> None:
    line = status_line(View(ONE, ("1",)), house(replace(session(), title="汉" * 15)), 0.0)
    assert line == f"[1] · idle · {'汉' * 9}…"


def test_the_overview_has_every_conversation_and_marks_the_current_one() -> None:
    busy = replace(session(TWO, State.BUSY), turn_started=1.0, questions=1)
    assert overview(VIEW, house(busy), 3.0).split("\n") == ["→ [1] ready", "  [2] busy 2 s · asks you", "  [3] ready"]
