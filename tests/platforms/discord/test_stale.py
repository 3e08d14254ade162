"""What a broker that was killed has left open: the buttons go, the text tells, once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from openab_sync.platforms.discord.stale import OVER, ended
from tests.fakes.discord import Server, ShiftedClock
from tests.platforms.discord.bed import house
from tests.platforms.discord.fake_client import QUICK
from tests.platforms.discord.pressing import buttons, told
from tests.platforms.discord.test_questions import Asked
from tests.waiting import until


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(clock=ShiftedClock(), limits=QUICK) as server:
        yield server


def test_when_is_said_as_each_readers_own_clock_shows_it() -> None:
    assert ended("Yes — Ann", 1234.9) == "Yes — Ann · <t:1234:f>"


def test_an_open_question_of_a_dead_broker_is_closed_by_the_next_one_and_not_again(
    server: Server, tmp_path: Path
) -> None:
    with house(server, folder=tmp_path) as bed:
        asked = Asked(bed)
        asked.future.cancel()  # as a kill does: nobody says what became of it
    assert buttons(asked.message)
    with house(server, folder=tmp_path) as bed:
        until(lambda: "closed" in bed.books.buttons.of_kind("question")[0].data)
        assert not buttons(asked.message)
        said = asked.message.content
        assert said.startswith("🔐 **rm -rf build**") and f"\n{OVER} · <t:" in said
    with house(server, folder=tmp_path) as bed:
        until(lambda: bed.platform.is_ready)
        assert told(server, bed.ann.slash("status", where=asked.thread))  # it has been there for a while
        assert asked.message.content == said


@pytest.mark.parametrize("fault", [{"code": 10008, "status": 404}, {"code": 50001, "status": 403}], ids=["gone", "no"])
def test_a_question_that_cannot_be_reached_harms_nothing(fault: dict[str, int], server: Server, tmp_path: Path) -> None:
    with house(server, folder=tmp_path) as bed:
        asked = Asked(bed)
        asked.future.cancel()
    failing = server.fail("GET", f"/channels/{asked.thread.id}/messages/*", **fault)
    with house(server, folder=tmp_path) as bed:
        until(lambda: failing.seen == 1)
        if fault["code"] == 50001:
            assert OVER in told(server, bed.ann.click(asked.message, "Allow"))
            assert "closed" not in bed.books.buttons.of_kind("question")[0].data
        else:
            until(lambda: "closed" in bed.books.buttons.of_kind("question")[0].data)
