"""The pulse: often where somebody listens, at once for who comes, and a stumble ends nothing."""

from __future__ import annotations

import logging
import threading
from functools import partial

import pytest

from openab_sync.status import pulse as room
from openab_sync.status.pulse import Pulse
from tests.waiting import until


def at_least(looks: list[int], count: int) -> bool:
    return len(looks) >= count


def test_it_looks_at_once_when_it_is_woken_and_ends_when_told() -> None:
    pulse, looked, weighed = Pulse(), threading.Event(), threading.Event()
    pulse.start([looked.set], weighed.set, lambda: False)
    pulse.wake()
    until(lambda: looked.is_set() and weighed.is_set())
    assert pulse.beat.due < float("inf")
    assert pulse.stop()
    assert pulse.beat.due == float("inf")


def test_it_looks_by_itself_while_somebody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "STREAMING", 0.001)
    pulse, looks = Pulse(), list[int]()
    pulse.start([lambda: looks.append(1)], lambda: None, lambda: True)
    until(lambda: len(looks) > 3)
    assert pulse.stop()


def test_a_stumble_is_logged_and_the_next_look_comes(caplog: pytest.LogCaptureFixture) -> None:
    pulse, looks = Pulse(), list[int]()

    def look() -> None:
        looks.append(1)
        raise ValueError("a bug")

    with caplog.at_level(logging.ERROR):
        pulse.start([look], lambda: None, lambda: False)
        for count in (1, 2):
            pulse.wake()
            until(partial(at_least, looks, count))
        assert pulse.stop()
    assert "a bug" in caplog.text


def test_one_that_never_began_has_ended() -> None:
    assert Pulse().stop()
