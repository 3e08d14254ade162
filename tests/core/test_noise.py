"""What is not the protocol costs a log line, and a flood of it does not cost a flood."""

from __future__ import annotations

import logging

import pytest

from openab_sync.acp.events import Noise
from openab_sync.core.noise import LINES, SAMPLE, NoiseLog
from openab_sync.text.redact import Redactor
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


def test_a_secret_is_redacted_before_the_sample_is_cut(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    redact = Redactor(["correct-horse-battery"])
    noise = Noise("unknown request correct-horse-battery", "x" * (SAMPLE - 10) + "correct-horse-battery")
    NoiseLog(FakeClock(), redact)("test:1", noise)
    assert "[redacted]" in caplog.text
    assert "correct" not in caplog.text


def test_what_an_agent_calls_things_does_not_begin_a_line_of_its_own(caplog: pytest.LogCaptureFixture) -> None:
    NoiseLog(FakeClock(), str)("test:1", Noise("unknown request a\nERROR \x1b[31mall is lost"))
    assert warnings(caplog) == ["test:1: unknown request a ERROR all is lost"]
