"""What becomes of the places where people talk."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

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


def test_being_put_out_of_a_server_is_logged(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    with house(server), caplog.at_level(logging.WARNING):
        server.expel()
        until(lambda: "not on the server house any more" in caplog.text)


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
