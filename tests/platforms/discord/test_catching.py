"""What was written while nobody listened: answered in order, once, and before what comes live.

The broker is away where no house is around what people do; `away` is a gateway that is gone for so long that its
session cannot be resumed.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import discord
import pytest

from openab_sync.clock import SystemClock
from openab_sync.platforms.discord import catching
from openab_sync.store import Cursor, Store, open_books
from tests.fakes.discord import Server
from tests.fakes.discord.things import Channel, Message
from tests.platforms.discord.bed import Bed, house
from tests.platforms.discord.fake_client import QUICK
from tests.platforms.discord.prompts import asked, senders, thread_of
from tests.waiting import until

LATE = "🕰️"


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(limits=QUICK) as server:
        yield server


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "agent.log"


@contextmanager
def away(server: Server, bed: Bed) -> Iterator[None]:
    """The gateway is gone, and forgets the session."""
    ready = server.gateway.identifies
    with server.gateway.down():
        server.gateway.drop()
        server.gateway.forget()
        yield
        server.advance(6.0)  # Discord takes a new session every five seconds
    until(lambda: server.gateway.identifies > ready, what="a new session begins")


def signs(message: Message) -> set[str]:
    return set(message.reactions)


def begun(server: Server, folder: Path) -> Channel:
    """A first life, in which a thread was opened; return that."""
    with house(server, folder=folder) as bed:
        thread = bed.thread("say hello")
        bed.until_said("hello", thread)
        quiet(bed)
    return thread


def quiet(bed: Bed) -> None:
    """Wait until no turn runs: the end of a house would be told in its reply."""
    until(lambda: all(one.turn_started is None for one in bed.app.broker.snapshot().sessions))


def test_the_first_start_ever_reads_nothing(server: Server, folder: Path, log: Path) -> None:
    ann = server.user("ann")
    old = ann.write("general", f"<@{server.app.id}> say old", mentions=[server.app])
    theirs = ann.open_thread("general", "theirs")
    ann.write(theirs, f"<@{server.app.id}> say old", mentions=[server.app])
    with house(server, "--log", str(log), folder=folder) as bed:
        bed.until_said("new", bed.thread("say new"))
        cursors = {cursor.place: cursor for cursor in bed.books.cursors}
        assert int(cursors[theirs.id].seen) > theirs.id
        assert cursors[theirs.id].within == str(server.general.id)
    assert asked(log) == ["say new"]
    assert signs(old) == set()


def test_what_was_written_meanwhile_is_answered_in_order_once_and_marked(
    server: Server, folder: Path, log: Path
) -> None:
    thread = begun(server, folder)
    ann = server.user("ann")
    one = ann.write(thread, "say one")
    ann.write("general", "not for the bot")
    gone = ann.write(thread, "say gone")
    two = ann.write(thread, "say too")
    mention = ann.write("general", f"<@{server.app.id}> say three", mentions=[server.app])
    ann.edit(two, "say two")
    ann.delete(gone)
    forum = server.add_channel("forum", 15)
    with house(server, "--log", str(log), folder=folder) as bed:
        bed.until_said("two", thread)
        bed.until_said("three", thread_of(server, mention))
        until(lambda: LATE in signs(one) & signs(two) & signs(mention))
        ours = [message.content for message in thread.messages.values() if message.author.id == server.app.id]
        assert list(filter(None, ours)) == ["hello", "one", "two"]
        [first] = [sender for sender in senders(log) if sender["message_id"] == str(one.id)]
        assert first["timestamp"] == discord.utils.snowflake_time(one.id).isoformat("T", "milliseconds")[:-6] + "Z"
        live = bed.ann.write(thread, "say four")
        bed.until_said("four", thread)
        assert LATE not in signs(live)
    assert sorted(asked(log)) == ["say four", "say one", "say three", "say two"]
    # A post that was begun meanwhile, where nobody had written yet.
    post = ann.post(forum, "help", f"<@{server.app.id}> say five")
    with house(server, "--log", str(log), folder=folder) as bed:
        bed.until_said("five", post)
    assert sorted(asked(log)) == ["say five", "say four", "say one", "say three", "say two"]


def test_a_session_of_the_gateway_that_is_lost_costs_no_message_and_live_ones_come_later(
    server: Server, log: Path
) -> None:
    with house(server, "--log", str(log)) as bed:
        thread = bed.thread("say hello")
        bed.until_said("hello", thread)
        held = server.fail("GET", f"/channels/{thread.id}/messages", hold=True)
        with away(server, bed):
            bed.ann.write(thread, "say one")
            bed.ann.write(thread, "say two")
        server.until(lambda: held.seen)
        wrong, gone = bed.ann.write(thread, "say thre"), bed.ann.write(thread, "say nothing")
        bed.until_said("elsewhere", bed.thread("say elsewhere"))
        bed.ann.edit(wrong, "say three")
        bed.ann.delete(gone)
        bed.until_said("again elsewhere", bed.thread("say again elsewhere"))
        held.release()
        bed.until_said("three", thread)
    here = [text for text in asked(log) if "elsewhere" not in text]
    assert here == ["say hello", "say one", "say two", "say three"]


def test_one_of_several_connections_that_begins_anew_is_caught_up_with(server: Server, log: Path) -> None:
    """Such a one is never "ready" by itself: discord.py says that of all of them together, and once."""
    server.backend.shards = server.backend.max_concurrency = 2
    with house(server, "--log", str(log), discord={"shard_count": 2}) as bed:
        thread = bed.thread("say hello")
        bed.until_said("hello", thread)
        before = server.gateway.identifies
        mine = next(
            one for one in server.gateway.connections if one.session and one.session.shard[0] == shard_of(server)
        )
        with server.backend.world.changed:
            assert mine.session is not None
            del server.gateway.sessions[mine.session.id]
            mine.session.line = None
        bed.ann.write(thread, "say one")
        server.advance(6.0)
        mine.drop()
        bed.until_said("one", thread)
        bed.ann.write(thread, "say two")
        bed.until_said("two", thread)
        assert server.gateway.identifies == before + 1
    assert asked(log) == ["say hello", "say one", "say two"]


def shard_of(server: Server) -> int:
    """Which of two connections the guild is told over."""
    return (server.guild.id >> 22) % 2


def test_a_session_that_is_resumed_reads_nothing(server: Server, log: Path) -> None:
    with house(server, "--log", str(log)) as bed:
        thread = bed.thread("say hello")
        bed.until_said("hello", thread)
        before = len(server.asked("GET", "/messages"))
        with server.gateway.down():
            server.gateway.drop()
            missed = bed.ann.write(thread, "say one")
        bed.until_said("one", thread)
        assert LATE not in signs(missed)
        assert len(server.asked("GET", "/messages")) == before


def test_what_is_written_down_already_is_not_asked_again(server: Server, folder: Path, log: Path) -> None:
    """The cursor may be behind the journal: after a crash, by seconds."""
    thread = begun(server, folder)
    store = Store.open(folder)
    cursors = open_books(store).cursors
    for cursor in cursors:
        cursors.put(Cursor(cursor.key, "1", cursor.within, cursor.guild))
    assert store.close()
    server.user("ann").write(thread, "say more")
    with house(server, "--log", str(log), folder=folder) as bed:
        bed.until_said("more", thread)
    assert asked(log) == ["say more"]


def test_an_archived_thread_and_direct_messages_are_looked_at_too(server: Server, folder: Path, log: Path) -> None:
    ann, rules = server.user("ann"), {"allow_dm": True}
    with house(server, folder=folder, discord=rules) as bed:
        thread = bed.thread("say hello")
        bed.until_said("hello", thread)
        private = ann.dm("say secret").channel
        bed.until_said("secret", private)
    ann.write(thread, "say one")
    ann.archive(thread)
    ann.dm("say two")
    with house(server, "--log", str(log), folder=folder, discord=rules) as bed:
        bed.until_said("one", thread)
        bed.until_said("two", private)
    assert sorted(asked(log)) == ["say one", "say two"]


def test_who_is_let_in_by_a_role_is_let_in_later_too(server: Server, folder: Path, log: Path) -> None:
    """A history does not say who has which role."""
    crew = server.world.add_role(server.guild, "crew")
    bob, eve = server.user("bob", crew), server.user("eve")
    rules = {"allow_all_users": False, "allowed_roles": [str(crew.id)]}
    with house(server, folder=folder, discord=rules):
        pass
    refused = eve.write("general", f"<@{server.app.id}> say no", mentions=[server.app])
    let_in = bob.write("general", f"<@{server.app.id}> say yes", mentions=[server.app])
    with house(server, "--log", str(log), folder=folder, discord=rules) as bed:
        bed.until_said("yes", thread_of(server, let_in))
        server.until(lambda: "🚫" in signs(refused))
    assert asked(log) == ["say yes"]


def test_it_is_bounded_by_age_and_can_be_turned_off(
    server: Server, folder: Path, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    thread = begun(server, folder)
    ann = server.user("ann")
    ann.write(thread, "say too old")
    with monkeypatch.context() as patch:
        patch.setattr(SystemClock, "time", lambda _: time.time() + 25 * 3600)
        with house(server, "--log", str(log), folder=folder) as bed:
            bed.until_said("live", bed.thread("say live"))
    ann.write(thread, "say off")
    with house(server, "--log", str(log), folder=folder, discord={"catch_up_hours": 0}) as bed:
        ann.write(thread, "say on")
        bed.until_said("on", thread)
        with away(server, bed):
            ann.write(thread, "say off as well")
        ann.write(thread, "say on again")
        bed.until_said("on again", thread)
        bed.renew(catch_up_hours=24.0)  # the configuration was read again
        with away(server, bed):
            ann.write(thread, "say missed")
        bed.until_said("missed", thread)
    assert asked(log) == ["say live", "say on", "say on again", "say missed"]


def test_what_was_written_over_hours_is_not_refused_because_it_is_read_within_a_minute(
    server: Server, folder: Path, log: Path
) -> None:
    """Nor does it count for those who write now; what turns cost counts as ever."""
    thread = begun(server, folder)
    ann = server.user("ann")
    missed = [ann.write(thread, f"say {word}") for word in ("one", "two", "three")]
    with house(server, "--log", str(log), folder=folder, limits={"person": {"messages_per_minute": 1}}) as bed:
        bed.until_said("three", thread)
        ann.write(thread, "say four")
        bed.until_said("four", thread)
        refused = ann.write(thread, "say five")
        server.until(lambda: "⏳" in signs(refused), what="that is one too many")
    assert asked(log) == ["say one", "say two", "say three", "say four"]
    assert not any("⏳" in signs(message) for message in missed)


def test_it_is_bounded_by_number(
    server: Server, folder: Path, log: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(catching, "MOST_MISSED", 2)
    thread = begun(server, folder)
    for word in ("one", "two", "three"):
        server.user("ann").write(thread, f"say {word}")
    with house(server, "--log", str(log), folder=folder) as bed:
        bed.until_said("three", thread)
    assert asked(log) == ["say two", "say three"]
    assert "only the newest 2 messages are read" in caplog.text


def test_where_the_history_may_not_be_read_it_goes_on_live_and_is_said_once_in_the_log(
    server: Server, folder: Path, log: Path, caplog: pytest.LogCaptureFixture
) -> None:
    thread = begun(server, folder)
    server.user("ann").write(thread, "say unseen")
    deny = discord.Permissions(read_message_history=True).value
    server.allow(server.general, server.app, deny=deny)
    with house(server, "--log", str(log), folder=folder) as bed, caplog.at_level(logging.WARNING):
        bed.ann.write(thread, "say live")
        until(lambda: asked(log) == ["say live"])
    said = [one.getMessage() for one in caplog.records if "written meanwhile" in one.getMessage()]
    assert len(said) == 1
    assert "Read Message History" in said[0]


def test_an_order_that_comes_late_is_not_carried_out_and_its_writer_is_told(
    server: Server, folder: Path, log: Path
) -> None:
    thread = begun(server, folder)
    ann = server.user("ann")
    ann.write(thread, "/reset")
    ann.write(thread, "say more")
    with house(server, "--log", str(log), folder=folder) as bed:
        bed.until_said("more", thread)
        bed.until_said("give it again if it still matters", thread)
    assert asked(log) == ["say more"]


def test_what_was_not_read_before_the_end_is_read_at_the_next_start(server: Server, folder: Path, log: Path) -> None:
    thread = begun(server, folder)
    ann = server.user("ann")
    ann.write(thread, "say one")
    held = server.fail("GET", f"/channels/{thread.id}/messages", hold=True)
    with house(server, "--log", str(log), folder=folder):
        server.until(lambda: held.seen)
        ann.write(thread, "say two")
    held.release()
    assert asked(log) == []
    with house(server, "--log", str(log), folder=folder) as bed:
        bed.until_said("two", thread)
    assert asked(log) == ["say one", "say two"]


def test_a_channel_that_is_new_is_read_from_then_on(server: Server, folder: Path, log: Path) -> None:
    with house(server, folder=folder):
        pass
    new, ann = server.add_channel("new"), server.user("ann")
    ann.write(new, f"<@{server.app.id}> say before", mentions=[server.app])
    with house(server, folder=folder):
        pass
    after = ann.write(new, f"<@{server.app.id}> say after", mentions=[server.app])
    with house(server, "--log", str(log), folder=folder) as bed:
        bed.until_said("after", thread_of(server, after))
    assert asked(log) == ["say after"]


def test_what_cannot_be_read_for_long_is_read_later_and_holds_up_nothing_that_comes_live(
    server: Server, folder: Path, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catching, "PATIENCE", 0.05)
    thread = begun(server, folder)
    ann = server.user("ann")
    ann.write(thread, "say missed")
    out_of_order = server.fail("GET", f"/channels/{thread.id}/messages", status=503, times=1000)
    with house(server, "--log", str(log), folder=folder) as bed:
        server.until(lambda: out_of_order.seen)
        ann.write(thread, "say live")
        bed.until_said("live", thread)
        quiet(bed)
    # Another start in the middle of it: nothing is forgotten, and nothing is asked twice.
    monkeypatch.setattr(catching, "AGAIN", 0.05)
    with house(server, "--log", str(log), folder=folder) as bed:
        seen = out_of_order.seen
        server.until(lambda: out_of_order.seen > seen + 1)
        out_of_order.times = 0
        bed.until_said("missed", thread)
    assert asked(log) == ["say live", "say missed"]
