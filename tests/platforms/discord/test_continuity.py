"""A conversation on Discord across lives of the broker: what the agent knew, what was chosen, what is never shown."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.discord import Server
from tests.platforms.discord.bed import house
from tests.platforms.discord.fake_client import QUICK
from tests.platforms.discord.pressing import idle


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(limits=QUICK) as server:
        yield server


def test_a_thread_goes_on_after_a_restart(server: Server, tmp_path: Path) -> None:
    """FIELD D1."""
    memory = ("--memory", str(tmp_path / "memory"))
    with house(server, *memory, folder=tmp_path / "store") as bed:
        thread = bed.thread("say the first thing")
        bed.until_said("the first thing", thread)
        idle(bed, thread)  # its last words are said, and its turn has ended
    with house(server, *memory, folder=tmp_path / "store") as bed:
        bed.ann.write(thread, "recall")
        bed.until_said("say the first thing", thread)
        ours = [one.content for one in thread.messages.values() if one.author.id == server.app.id]
        assert list(filter(None, ours)) == ["the first thing", '["say the first thing"]'], "history is not said again"
