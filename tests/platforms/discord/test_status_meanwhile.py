"""The status server while Discord's loop is stuck: it answers at once, and says who is late."""

from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from openab_sync import threads
from openab_sync.clock import SystemClock
from openab_sync.config.schema import StatusConfig
from openab_sync.core.state import State
from openab_sync.status.sources import Sources
from openab_sync.status.status import Status
from tests.fakes.discord import Server
from tests.platforms.discord.bed import Bed, house
from tests.waiting import MS, until


@pytest.fixture
def stuck() -> Iterator[threading.Event]:
    """What holds the loop until the test is over."""
    go = threading.Event()
    yield go
    go.set()


@contextmanager
def served(bed: Bed) -> Iterator[Callable[[str], tuple[int, Any]]]:
    """What the status server of that house answers, over HTTP: the code, and what it says."""
    status = Status(StatusConfig(listen="127.0.0.1:0"), bed.folder)
    status.start(
        Sources(
            bed.app.broker,
            SystemClock(),
            {"discord": bed.platform.port},
            presences=lambda: [bed.platform.presence],
            beats=lambda: [bed.platform.beat],
        )
    )

    def get(path: str) -> tuple[int, Any]:
        try:
            with urllib.request.urlopen(status.address.url + path, timeout=10) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    try:
        yield get
    finally:
        assert status.stop()


def test_it_answers_while_the_chats_loop_is_stuck(stuck: threading.Event, monkeypatch: pytest.MonkeyPatch) -> None:
    with Server() as server, house(server) as bed, served(bed) as get:
        thread = bed.thread("hang")
        until(lambda: [one for one in bed.app.broker.snapshot().sessions if one.state is State.BUSY])
        assert get("/readyz")[0] == 200
        bed.platform._loop.call_soon(stuck.wait, 20.0)
        monkeypatch.setattr(threads, "LATE", 0.0)
        until(lambda: get("/healthz")[0] == 503, what="the loop is late")
        took = []
        for path in ("/api/sessions", "/api/conversations", "/healthz", "/readyz"):
            started = time.monotonic()
            get(path)
            took.append(time.monotonic() - started)
        assert sorted(took)[2] < 50 * MS, "most of them within milliseconds"
        assert [(row["key"], row["state"]) for row in get("/api/sessions")[1]] == [(f"discord:{thread.id}", "busy")]
        assert any(reason.startswith("chat-discord has not been heard of") for reason in get("/healthz")[1]["reasons"])
        stuck.set()
        until(lambda: get("/readyz")[0] == 200)
        monkeypatch.undo()
        assert get("/healthz")[0] == 200
