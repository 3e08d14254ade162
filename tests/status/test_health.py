"""Health and readiness: from what others have noted."""

from __future__ import annotations

from openab_sync.core.presence import Presence
from openab_sync.status.sources import Sources
from openab_sync.threads import LATE, Beat
from tests.fakes.clock import FakeClock
from tests.status.scene import Scene, no_broker


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


def test_ready_is_who_can_be_written_to() -> None:
    presences, troubles = [Presence("test")], list[str]()
    scene = Scene.make(Sources(no_broker(), FakeClock(), presences=lambda: presences, troubles=lambda: troubles))
    assert scene.get("/readyz").json == {"ready": True, "reasons": []}
    presences[0] = Presence("test", "the token is not accepted")
    troubles.append("the disk is full")
    answer = scene.get("/readyz")
    assert answer.status_code == 503
    assert answer.json == {"ready": False, "reasons": ["the disk is full", "test: the token is not accepted"]}
