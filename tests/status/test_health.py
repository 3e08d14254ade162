"""Health and readiness: from what others have noted."""

from __future__ import annotations

import time

from openab_sync.core.presence import Presence
from openab_sync.core.state import State
from openab_sync.status.sources import Sources
from openab_sync.threads import LATE, Beat
from tests.core.bed import Bed
from tests.fakes.clock import FakeClock
from tests.status.scene import Scene, no_broker
from tests.status.test_looking import sources


def test_a_thread_that_is_late_or_dead_is_named() -> None:
    clock, beats = FakeClock(), [Beat("journal"), Beat("chat-test"), Beat("session-test:1")]
    scene = Scene.make(Sources(no_broker(), clock, beats=lambda: beats))
    beats[1].owes(clock.monotonic(), 1.0)
    clock.advance(1.0 + LATE)
    assert scene.get("/healthz").json == {"ok": True, "reasons": []}
    clock.advance(2.0)
    beats[0].died()
    answer = scene.get("/healthz")
    assert answer.status_code == 503 and answer.json is not None
    assert answer.json["reasons"] == [
        "journal has ended by a fault; the log has the details",
        "chat-test has not been heard of for 17 s longer than it should",
    ]
    beats[1].rests()
    assert len(scene.get("/healthz").json["reasons"]) == 1  # type: ignore[index]  # it is an object


def test_a_session_whose_thread_hangs_is_named_too() -> None:
    with Bed() as bed:
        bed.say("hang")
        bed.until_state(State.BUSY)
        scene = Scene.make(sources(bed))
        assert scene.get("/healthz").status_code == 200
        bed.snapshot().beat.owes(time.monotonic() - 100.0, 10.0)  # as when it works at something, and never comes back
        answer = scene.get("/healthz")
        assert answer.status_code == 503 and "session-test:1 has not been heard of for 90 s" in answer.text
        bed.snapshot().beat.rests()
        bed.command("cancel")


def test_ready_is_who_can_be_written_to() -> None:
    presences, troubles = [Presence("test")], list[str]()
    scene = Scene.make(Sources(no_broker(), FakeClock(), presences=lambda: presences, troubles=lambda: troubles))
    assert scene.get("/readyz").json == {"ready": True, "reasons": []}
    presences[0] = Presence("test", "the token is not accepted")
    troubles.append("the disk is full")
    answer = scene.get("/readyz")
    assert answer.status_code == 503
    assert answer.json == {"ready": False, "reasons": ["the disk is full", "test: the token is not accepted"]}
