"""Leaving while a message comes in: what is on the disk by then is answered by the next one, once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from openab_sync.core.broker import Broker
from tests.core.points import beside, stopped
from tests.fakes.discord import Server
from tests.platforms.discord.bed import house
from tests.platforms.discord.fake_client import QUICK
from tests.platforms.discord.moments import unfinished
from tests.waiting import until


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(limits=QUICK) as server:
        yield server


def test_what_reaches_the_disk_while_it_leaves_is_answered_by_the_next_one(server: Server, tmp_path: Path) -> None:
    with house(server, folder=tmp_path) as bed:
        thread = bed.thread("say hello")
        bed.until_said("hello", thread)
        with stopped(Broker, "receive") as point:
            bed.ann.write(thread, "say late")
            point.reach()
            with beside(bed.app.stop) as ended:
                until(lambda: bed.app._pool._closed, what="no more is admitted")
                point.go()
        assert ended == [True]
    assert [text for text, _ in unfinished(tmp_path)] == ["say late"]
    with house(server, folder=tmp_path) as bed:
        bed.until_said("late", thread)
        until(lambda: not unfinished(tmp_path))
    ours = [one.content for one in thread.history if one.author is server.app.user]
    assert [sum(word in text for text in ours) for word in ("hello", "late")] == [1, 1], ours
