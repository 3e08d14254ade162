"""What becomes of the places where people talk."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from openab_sync.platforms.discord import incoming
from openab_sync.platforms.discord.attachments import fetch
from openab_sync.platforms.discord.bots import conversation_at
from tests.fakes.discord import Server
from tests.fakes.discord.things import Channel
from tests.platforms.discord.bed import Bed, house
from tests.platforms.discord.fake_client import QUICK
from tests.waiting import until


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(limits=QUICK) as server:
        yield server


def sessions(bed: Bed) -> list[str]:
    return [session.conversation.id for session in bed.app.broker.snapshot().sessions]


def talk(bed: Bed, channel: Channel | str = "general") -> Channel:
    thread = bed.thread("say hello", channel)
    bed.until_said("hello", thread)
    return thread


def test_a_person_renames_a_thread_and_that_is_remembered(server: Server) -> None:
    with house(server) as bed:
        thread, books = talk(bed), bed.books.conversations
        key = f"discord:{thread.id}"
        assert books.get(key).title == "say hello"
        bed.ann.archive(thread)
        bed.ann.archive(thread, archived=False)
        bed.ann.rename(thread, "our talk")
        until(lambda: books.get(key).title_is_settled)


def test_a_thread_that_is_archived_or_renamed_by_us_is_not_renamed_by_a_person(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with house(server) as bed:
        thread, books = talk(bed), bed.books.conversations
        key = f"discord:{thread.id}"
        bed.ann.archive(thread)
        bed.ann.write(thread, "say again")
        bed.until_said("again", thread)
        assert not books.get(key).title_is_settled
        bed.platform.port.rename(conversation_at(thread.id), "A better title").result(5)
        assert (thread.name, books.get(key).title) == ("A better title", "A better title")
        bed.platform.port.rename(conversation_at(thread.id), "An even better one").result(5)
        assert thread.name == "A better title"
        bed.ann.archive(thread)
        bed.ann.write(thread, "say once more")
        bed.until_said("once more", thread)
    assert "renamed by a person" not in caplog.text


def test_the_agent_of_a_deleted_thread_ends_and_nothing_is_kept(server: Server) -> None:
    with house(server) as bed:
        thread = talk(bed)
        bed.ann.write(thread, "say two", files=[("picture.bin", bytes(range(256)), "application/octet-stream")])
        bed.until_said("two", thread)
        inbox = bed.folder / "inbox"
        assert list(inbox.rglob("picture.bin"))
        bed.ann.delete_channel(thread)
        until(lambda: not sessions(bed))
        until(lambda: not list(inbox.rglob("picture.bin")))
        assert not bed.books.conversations.get(f"discord:{thread.id}").took_part


@pytest.mark.parametrize("work", ["say half of it\nhang", "say half of it\ngate {gate}\nsay and the rest"])
def test_nothing_that_was_said_in_a_deleted_thread_stays_in_the_journal(
    server: Server, tmp_path: Path, work: str
) -> None:
    """Though its answer is under way, and comes to its end after that."""
    gate = tmp_path / "gate"
    with house(server) as bed:
        thread, kept = talk(bed), talk(bed)
        key = f"discord:{thread.id}"
        bed.ann.write(thread, work.format(gate=gate))
        bed.until_said("half of it", thread)
        bed.ann.write(thread, "say never")
        until(lambda: bed.app.broker.waiting(conversation_at(thread.id)))
        bed.ann.delete_channel(thread)
        gate.touch()
        until(lambda: sessions(bed) == [str(kept.id)])
        assert said_in(bed, key) == []
        assert len(said_in(bed, f"discord:{kept.id}")) == 2


def said_in(bed: Bed, key: str) -> list[tuple[str]]:
    """What the journal has of a conversation."""
    return bed.store.read(
        lambda db: [
            *db.execute("SELECT text FROM deliveries WHERE conversation = ?", (key,)),
            *db.execute("SELECT text FROM pages JOIN replies USING (turn) WHERE conversation = ?", (key,)),
        ]
    )


def test_a_file_that_is_on_its_way_into_a_deleted_thread_does_not_stay(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    async def slow(*args: Any) -> Any:
        begun.set()
        await asyncio.to_thread(go_on.wait, 10)
        return await fetch(*args)

    with house(server) as bed:
        thread = talk(bed)
        monkeypatch.setattr(incoming, "fetch", slow)
        bed.ann.write(thread, "say two", files=[("picture.bin", bytes(range(256)), "application/octet-stream")])
        assert begun.wait(10)
        bed.ann.delete_channel(thread)
        until(lambda: not sessions(bed))
        go_on.set()
        folder = bed.folder / "inbox"
        lanes = bed.platform._hearing.parts.incoming  # type: ignore[union-attr]  # it runs
        until(lambda: not lanes.is_busy(conversation_at(thread.id)))
        assert list(folder.rglob("picture.bin")) == []


def test_a_deleted_thread_that_is_none_of_ours_is_nothing_to_us(server: Server) -> None:
    with house(server) as bed:
        other = server.user("ann").open_thread("general", "theirs")
        thread = talk(bed)
        bed.ann.delete_channel(other)
        bed.ann.write(thread, "say still here")
        bed.until_said("still here", thread)
        assert sessions(bed) == [str(thread.id)]


def test_the_agents_of_a_deleted_channel_end(server: Server) -> None:
    channel = server.add_channel("projects")
    with house(server) as bed:
        kept, gone = talk(bed), talk(bed, channel)
        assert sorted(sessions(bed)) == sorted([str(kept.id), str(gone.id)])
        bed.ann.delete_channel(channel)
        until(lambda: sessions(bed) == [str(kept.id)])


def test_being_put_out_of_a_server_is_logged_and_its_agents_leave_and_may_come_back(
    server: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    memory = ("--memory", str(tmp_path / "memory"))
    with house(server, *memory) as bed, caplog.at_level(logging.WARNING):
        thread = talk(bed)
        server.expel()
        until(lambda: "not on the server house any more" in caplog.text)
        until(lambda: not sessions(bed))
        server.admit()
        until(lambda: [one for one in bed.platform.client.guilds if one.channels])
        bed.ann.write(thread, f"<@{server.app.id}> recall", mentions=[server.app])
        bed.until_said('["say hello"]', thread)


def test_a_thread_that_is_archived_lets_its_agent_go_and_the_next_message_brings_it_back(
    server: Server, tmp_path: Path
) -> None:
    with house(server, "--memory", str(tmp_path / "memory")) as bed:
        thread = talk(bed)
        bed.ann.archive(thread)
        until(lambda: not sessions(bed))
        bed.ann.write(thread, "recall")
        bed.until_said('["say hello"]', thread)


def test_an_agent_at_work_finishes_its_turn_before_it_leaves_an_archived_thread(server: Server, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    with house(server) as bed:
        thread = talk(bed)
        bed.ann.write(thread, f"say begun\ngate {gate}\nsay done")
        bed.until_said("begun", thread)
        bed.ann.write(thread, "say next")
        until(lambda: bed.app.broker.waiting(conversation_at(thread.id)))
        bed.ann.archive(thread)
        gate.touch()
        bed.until_said("done", thread)
        bed.until_said("next", thread)


def test_nothing_is_left_of_a_deleted_thread_whether_it_is_archived_or_waits(server: Server, tmp_path: Path) -> None:
    channel = server.add_channel("projects")
    with house(server, "--memory", str(tmp_path / "memory")) as bed:
        asleep, busy = talk(bed, channel), talk(bed, channel)
        bed.ann.archive(asleep)
        bed.ann.write(busy, "hang")
        until(lambda: any(one.turn_started for one in bed.app.broker.snapshot().sessions))
        bed.ann.write(busy, "say never")
        until(lambda: bed.app.broker.waiting(conversation_at(busy.id)))
        assert all(bed.app.broker.remembers(conversation_at(thread.id)) for thread in (asleep, busy))
        bed.ann.delete_channel(channel)
        for thread in (asleep, busy):
            conversation = conversation_at(thread.id)
            until(lambda: not bed.app.broker.remembers(conversation))  # noqa: B023  # asked at once
            until(lambda: not bed.books.conversations.get(conversation.key).took_part)  # noqa: B023
            assert bed.books.cursors.get(conversation.key) is None
        assert bed.app.broker.waiting(conversation_at(busy.id)) == ()
        until(lambda: bed.books.memories.read() == [])


def test_it_joins_new_threads_only_where_other_bots_may_call_it(server: Server, tmp_path: Path) -> None:
    """FIELD F19."""
    other = server.add_channel("other")
    with house(server) as bed:
        alone = bed.ann.open_thread("general", "alone")
        talk(bed)
        assert server.app.id not in alone.members
    rules = {"allow_bot_messages": "mentions", "allowed_channels": [str(server.general.id)]}
    with house(server, discord=rules) as bed:
        elsewhere, here = bed.ann.open_thread(other, "elsewhere"), bed.ann.open_thread("general", "here")
        server.until(lambda: server.app.id in here.members)
        assert server.app.id not in elsewhere.members


def test_a_thread_that_cannot_be_joined_is_no_hindrance(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    with house(server, discord={"allow_bot_messages": "mentions"}) as bed, caplog.at_level(logging.INFO):
        server.fail("PUT", "/channels/*/thread-members/@me", status=403, code=50001)
        thread = bed.ann.open_thread("general", "shut")
        until(lambda: f"thread {thread.id}: I cannot see" in caplog.text)
        talk(bed)
