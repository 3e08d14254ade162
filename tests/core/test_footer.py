"""footer.py: one line, and only what is known."""

from __future__ import annotations

import pytest

from openab_sync.acp import events as acp
from openab_sync.core.footer import footer
from openab_sync.core.turn import Turn
from tests.core.scene import note
from tests.fakes.clock import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def turn(clock: FakeClock) -> Turn:
    return Turn((note(),), clock)


def test_all_that_is_known_is_said(turn: Turn, clock: FakeClock) -> None:
    turn.take(acp.UsageChanged(used=25, size=100, cost=1.5, currency="USD"))
    clock.advance(12.34)
    assert footer(turn, "agent", "model-1") == "model-1 · context 25 % · $1.50 · 12.3 s"


def test_nothing_known_is_nothing_said(turn: Turn) -> None:
    assert footer(turn, "", "") == ""
    assert footer(turn, "agent", "") == "agent · 0.0 s"


@pytest.mark.parametrize(
    ("usage", "words"),
    [
        (acp.UsageChanged(used=12_345), "12,345 tokens"),
        (acp.UsageChanged(used=5, size=0), "5 tokens"),
        (acp.UsageChanged(cost=0.0012, currency="EUR"), "€0.0012"),
        (acp.UsageChanged(cost=0.0, currency="CHF"), "0.00 CHF"),
        (acp.UsageChanged(cost=2.0), "2.00"),
    ],
)
def test_figures_are_written_as_people_write_them(turn: Turn, usage: acp.UsageChanged, words: str) -> None:
    turn.take(usage)
    assert footer(turn, "", "") == f"{words} · 0.0 s"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(59.9, "59.9 s"), (59.96, "1 min 00 s"), (125, "2 min 05 s"), (3 * 3600 + 90, "3 h 01 min")],
)
def test_durations_are_readable(turn: Turn, clock: FakeClock, seconds: float, words: str) -> None:
    clock.advance(seconds)
    assert footer(turn, "a", "") == f"a · {words}"


def test_the_name_of_a_model_cannot_break_its_line() -> None:
    turn = Turn((note(),), FakeClock())
    turn.take(acp.UsageChanged(used=10, size=100))
    assert footer(turn, "agent", "big**model_2").startswith("`big**model_2` · context 10 %")
