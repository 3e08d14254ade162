"""A disk that takes nothing: nothing more is accepted, people are told, what is under way goes on; it mends itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.discord import Server
from tests.fakes.discord.things import Message
from tests.platforms.discord.bed import house
from tests.platforms.discord.fake_client import QUICK
from tests.store.outage import outage
from tests.waiting import until


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(limits=QUICK) as server:
        yield server


def reactions(server: Server, message: Message) -> set[str]:
    return {emoji for emoji, users in message.reactions.items() if server.app.id in users}


def test_nothing_is_accepted_while_the_disk_is_away_and_what_is_under_way_goes_on(
    server: Server, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    with house(server) as bed:
        thread = bed.thread(f"gate {gate}\nsay under way")
        until(lambda: len(bed.books.replies.open()) == 1, what="its turn has begun")
        with outage(bed.books.deliveries._store):
            first, second = bed.mention("say refused"), bed.mention("say refused as well")
            bed.until_said("I cannot keep anything at the moment: the disk is read-only", "general")
            until(lambda: reactions(server, second) == {"😱"}, what="a sign where it is not said again")
            assert first.thread is None and second.thread is None
            assert "👀" not in reactions(server, first)
            gate.touch()
            bed.until_said("under way", thread)
        third = bed.thread("say accepted")
        bed.until_said("accepted", third)
        until(lambda: not bed.books.replies.open(), what="what the outage kept from the disk is written")
        assert bed.books.deliveries.waiting() == []
