"""The status server while Discord's loop is stuck: it answers at once, and says who is late."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from openab_sync import threads
from openab_sync.clock import SystemClock
from openab_sync.core.state import State
from openab_sync.status.sources import Sources
from tests.fakes.discord import Server
from tests.platforms.discord.bed import Bed, house
from tests.status.scene import KEY, Scene
from tests.waiting import MS, until


@pytest.fixture
def stuck() -> Iterator[threading.Event]:
    """What holds the loop until the test is over."""
    go = threading.Event()
    yield go
    go.set()


def scene_of(bed: Bed) -> Scene:
    return Scene.make(
        Sources(
            bed.app.broker,
            SystemClock(),
            {"discord": bed.platform.port},
            presences=lambda: [bed.platform.presence],
            beats=lambda: [bed.platform.beat],
        )
    )


def test_it_answers_while_the_chats_loop_is_stuck(stuck: threading.Event, monkeypatch: pytest.MonkeyPatch) -> None:
    with Server() as server, house(server) as bed:
        thread = bed.thread("hang")
        until(lambda: [one for one in bed.app.broker.snapshot().sessions if one.state is State.BUSY])
        scene = scene_of(bed)
        assert scene.get("/readyz").status_code == 200
        bed.platform._loop.call_soon(stuck.wait, 20.0)
        monkeypatch.setattr(threads, "LATE", 0.0)
        until(lambda: scene.get("/healthz").status_code == 503, what="the loop is late")
        started = time.monotonic()
        rows = scene.get("/api/sessions", **KEY).json
        reasons = (scene.get("/healthz").json or {})["reasons"]
        assert time.monotonic() - started < 200 * MS
        assert [(row["key"], row["state"]) for row in rows or ()] == [(f"discord:{thread.id}", "busy")]
        assert any(reason.startswith("chat-discord has not been heard of") for reason in reasons)
        stuck.set()
        until(lambda: scene.get("/readyz").status_code == 200)
        monkeypatch.undo()
        assert scene.get("/healthz").status_code == 200
