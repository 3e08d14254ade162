"""What is not the protocol costs a log line, and a flood of it does not cost a flood."""

from __future__ import annotations

import logging

import pytest

from openab_sync.acp.events import Noise
from openab_sync.core.noise import LINES, NoiseLog
from tests.fakes.clock import FakeClock


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]


def test_each_noise_is_a_line_that_says_who_and_what(caplog: pytest.LogCaptureFixture) -> None:
    NoiseLog(FakeClock(), str)("test:1", Noise("not JSON", "the sample"))
    assert warnings(caplog) == ["test:1: not JSON"]


def test_what_the_agent_sent_is_shown_at_debug_only(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    NoiseLog(FakeClock(), str)("test:1", Noise("not JSON", "a word of an answer"))
    shown = [record.levelno for record in caplog.records if "a word of an answer" in record.getMessage()]
    assert shown == [logging.DEBUG]


def test_a_flood_is_cut_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    clock = FakeClock()
    noisy = NoiseLog(clock, str)
    for number in range(1000):
        noisy("test:1", Noise(f"number {number}"))
    assert len(warnings(caplog)) == LINES
    clock.advance(60.0)
    noisy("test:1", Noise("later"))
    noisy("test:1", Noise("later still"))
    assert warnings(caplog)[LINES:] == [
        f"test:1: later (and {1000 - LINES} more like it were not logged)",
        "test:1: later still",
    ]


def test_a_trickle_is_never_cut(caplog: pytest.LogCaptureFixture) -> None:
    clock = FakeClock()
    noisy = NoiseLog(clock, str)
    for _ in range(100):
        noisy("test:1", Noise("again"))
        clock.advance(60.0 / LINES)
    assert warnings(caplog) == ["test:1: again"] * 100
