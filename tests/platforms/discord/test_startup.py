"""What is done with the threads of an earlier life: nothing, unless those that cannot go on shall be closed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from openab_sync.store import Store, open_books
from tests.fakes.discord import Server
from tests.fakes.discord.things import Channel
from tests.platforms.discord.bed import house
from tests.platforms.discord.fake_client import QUICK
from tests.waiting import until


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(limits=QUICK) as server:
        yield server


def threads(server: Server, folder: Path, *texts: str) -> list[Channel]:
    """Threads of an earlier life."""
    with house(server, folder=folder) as bed:
        made = [bed.thread(f"say {text}") for text in texts]
        for text, thread in zip(texts, made, strict=True):
            bed.until_said(text, thread)
        until(lambda: all(one.turn_started is None for one in bed.app.broker.snapshot().sessions))
    return made


def lose(folder: Path, *lost: Channel) -> None:
    """What these conversations go on with is not remembered any more."""
    store = Store.open(folder)
    keys = [f"discord:{thread.id}" for thread in lost]
    open_books(store).memories.save(keys, lambda _: None).result(5)
    assert store.close()


def test_threads_that_cannot_go_on_are_closed_with_a_note(server: Server, tmp_path: Path) -> None:
    kept, lost, asked = threads(server, tmp_path, "kept", "lost", "asked")
    theirs = server.user("ann").open_thread("general", "theirs")
    lose(tmp_path, lost, asked)
    server.user("ann").write(asked, "say in time")
    with house(server, folder=tmp_path, discord={"on_startup": "archive"}) as bed:
        server.until(lambda: lost.archived, what="the thread is closed")
        assert "does not know any more what was said here" in list(lost.messages.values())[-1].content
        bed.until_said("in time", asked)
        assert not (kept.archived or theirs.archived or asked.archived)
        bed.ann.write(lost, "say anew")
        bed.until_said("anew", lost)
        assert not lost.archived


@pytest.mark.parametrize("how", ["resume", "leave"])
def test_else_threads_are_left_as_they_are_and_go_on_with_a_message(server: Server, tmp_path: Path, how: str) -> None:
    [lost] = threads(server, tmp_path, "lost")
    lose(tmp_path, lost)
    before = len(lost.messages)
    with house(server, folder=tmp_path, discord={"on_startup": how}) as bed:
        bed.ann.write(lost, "say more")
        bed.until_said("more", lost)
        assert len(lost.messages) == before + 2


def test_a_thread_that_cannot_be_closed_is_left_open(
    server: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    [lost] = threads(server, tmp_path, "lost")
    lose(tmp_path, lost)
    server.fail("POST", f"/channels/{lost.id}/messages", status=403, code=50013)
    with house(server, folder=tmp_path, discord={"on_startup": "archive"}):
        until(lambda: f"thread {lost.id} is not closed" in caplog.text)
    assert not lost.archived
