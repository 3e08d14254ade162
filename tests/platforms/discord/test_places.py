"""Where answers go, and what is told where they cannot."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from openab_sync.platforms.discord import calls, incoming
from tests.fakes.discord import Server
from tests.fakes.discord.permissions import Can
from tests.fakes.discord.things import ANNOUNCEMENT, CATEGORY, FORUM, VOICE, Channel, Message
from tests.platforms.discord.bed import Bed, house
from tests.platforms.discord.fake_client import QUICK
from tests.platforms.discord.prompts import asked, senders
from tests.waiting import until


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(limits=QUICK) as server:
        yield server


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "agent.log"


def private(server: Server, name: str) -> list[Message]:
    """What the bot has written to somebody alone."""
    history = server.world.dm(server.user(name).user, server.app.user).history
    return [one for one in history if one.author is server.app.user]


def mention(bed: Bed, channel: Channel | str, text: str) -> Message:
    return bed.mention(text, channel)


def test_a_thread_that_another_bot_has_opened_first_is_joined(server: Server, log: Path) -> None:
    """FIELD F1: two bots are called by one message, and only one can open the thread."""
    other = server.bot("helper")
    with house(server, "--log", str(log)) as bed:
        held = server.fail("POST", "/channels/*/messages/*/threads", hold=True)
        message = mention(bed, "general", "say hello")
        until(lambda: held.seen)
        thread = other.open_thread(message, "theirs")
        held.release()
        bed.until_said("hello", thread)
        assert server.app.id in thread.members
        assert senders(log)[0]["thread_id"] == str(thread.id)


def test_a_thread_whose_acknowledgement_was_lost_is_used(server: Server) -> None:
    with house(server) as bed:
        server.fail("POST", "/channels/*/messages/*/threads", lost=True)
        bed.until_said("hello", bed.thread("say hello"))


def test_a_channel_in_a_category_is_no_thread(server: Server, log: Path) -> None:
    """FIELD F3, F4: it has a parent, too; and it is let in by its category."""
    category = server.add_channel("work", CATEGORY)
    channel = server.add_channel("building", parent=category)
    with house(server, "--log", str(log), discord={"allowed_channels": [str(category.id)]}) as bed:
        mention(bed, "general", "say not here")
        thread = bed.thread("say hello", channel)
        bed.until_said("hello", thread)
        bed.ann.write(thread, "say again")
        bed.until_said("again", thread)
        assert asked(log) == ["say hello", "say again"]
        assert senders(log)[0]["channel_id"] == str(channel.id)


def test_a_listed_channel_lets_its_threads_in_and_a_listed_thread_itself(server: Server, log: Path) -> None:
    other = server.add_channel("other")
    mine = server.user("ann").open_thread(other, "mine")
    listed = [str(server.general.id), str(mine.id)]
    with house(server, "--log", str(log), discord={"allowed_channels": listed}) as bed:
        bed.until_said("one", bed.thread("say one"))
        mention(bed, mine, "say two")
        bed.until_said("two", mine)
        mention(bed, other, "say three")
        bed.until_said("four", bed.thread("say four"))
        assert asked(log) == ["say one", "say two", "say four"]


def test_announcements_have_threads_and_forum_posts_are_some(server: Server, log: Path) -> None:
    news, forum = server.add_channel("news", ANNOUNCEMENT), server.add_channel("help", FORUM)
    with house(server, "--log", str(log)) as bed:
        bed.until_said("one", bed.thread("say one", news))
        post = bed.ann.post(forum, "A question", "say two", mentions=[server.app])
        bed.until_said("two", post)
        facts = senders(log)[1]
        assert (facts["channel_id"], facts["thread_id"]) == (str(forum.id), str(post.id))


def test_where_no_thread_can_be_made_the_answer_stands_there(server: Server, log: Path) -> None:
    voice, plain = server.add_channel("voice", VOICE), server.add_channel("plain")
    server.allow(plain, server.app.user, deny=Can.CREATE_PUBLIC_THREADS)
    with house(server, "--log", str(log)) as bed:
        mention(bed, voice, "say one")
        bed.until_said("one", voice)
        mention(bed, plain, "say two")
        bed.until_said("two", plain)
        assert all("thread_id" not in facts for facts in senders(log))
        assert server.asked("POST", "/threads") == []


def test_a_permission_that_is_missing_after_all_means_the_same(server: Server, log: Path) -> None:
    """What was computed may be out of date: 50013 is the last word."""
    with house(server, "--log", str(log)) as bed:
        server.fail("POST", "/channels/*/messages/*/threads", status=403, code=50013)
        message = mention(bed, "general", "say hello")
        bed.until_said("hello", "general")
        server.until(lambda: message.reactions.get("🆗"))
        assert "thread_id" not in senders(log)[0]


def test_where_nothing_may_be_written_the_person_is_told_alone(server: Server, log: Path) -> None:
    quiet = server.add_channel("quiet")
    server.allow(quiet, server.app.user, deny=Can.SEND_MESSAGES | Can.CREATE_PUBLIC_THREADS)
    with house(server, "--log", str(log)) as bed:
        mention(bed, quiet, "say hello")
        [told] = server.until(lambda: private(server, "ann"))
        assert "#quiet" in told.content
        assert "“Send Messages”" in told.content
        mention(bed, quiet, "say hello")
        bed.until_said("two", bed.thread("say two"))
        assert len(private(server, "ann")) == 1, "the same is not told over and over"
        assert asked(log) == ["say two"]


def test_where_nobody_can_be_told_the_log_is(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    quiet = server.add_channel("quiet")
    server.allow(quiet, server.app.user, deny=Can.SEND_MESSAGES | Can.CREATE_PUBLIC_THREADS)
    server.user("ann").user.accepts_dms = False
    with house(server, discord={"allow_bot_messages": "mentions"}) as bed, caplog.at_level(logging.WARNING):
        mention(bed, quiet, "say hello")
        until(lambda: "nobody could be told" in caplog.text)
        bed.mention("say hello", quiet, by=server.bot("helper"))
        until(lambda: "a bot cannot be told" in caplog.text)


def test_who_may_not_have_been_told_is_told_later(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """The channel does not answer and the person takes no direct messages: nobody knows yet."""
    monkeypatch.setattr(incoming, "AGAIN", 0.05)
    monkeypatch.setattr(calls, "PAUSES", ())  # else each request is repeated for seconds
    server.user("ann").user.accepts_dms = False
    with house(server) as bed:
        server.fail("POST", "*/threads", status=400, code=200001, times=10_000)
        silent = server.fail("POST", f"/channels/{server.general.id}/messages", status=503, times=10_000)
        mention(bed, "general", "say hello")
        until(lambda: silent.seen >= 2, what="it is tried again")
        assert len(bed.books.deliveries.waiting()) == 1
        silent.times = 0
        bed.until_said("AutoMod", "general")
        until(lambda: not bed.books.deliveries.waiting())


def test_a_locked_thread_is_told_to_the_person_alone(server: Server) -> None:
    server.allow(server.general, server.app.user, deny=Can.MANAGE_THREADS)
    with house(server) as bed:
        thread = bed.thread("say one")
        bed.until_said("one", thread)
        server.user("owner")
        bed.ann.lock(thread)
        until(lambda: bed.platform.client.get_channel(thread.id).locked)  # type: ignore[union-attr]
        moderator = server.user("mod", server.world.add_role(server.guild, "mods", int(Can.MANAGE_THREADS)))
        moderator.write(thread, "say two")
        [told] = server.until(lambda: private(server, "mod"))
        assert "locked" in told.content


def test_an_archived_thread_wakes_up(server: Server) -> None:
    with house(server) as bed:
        thread = bed.thread("say one")
        bed.until_said("one", thread)
        bed.ann.archive(thread)
        bed.ann.write(thread, "say two")
        bed.until_said("two", thread)
        assert not thread.archived


def test_a_message_that_was_deleted_before_its_thread_opened_is_told(server: Server, log: Path) -> None:
    with house(server, "--log", str(log)) as bed:
        server.fail("POST", "/channels/*/messages/*/threads", status=404, code=10008)
        mention(bed, "general", "say hello")
        bed.until_said("was deleted before I could answer it", "general")
        assert asked(log) == []


def test_what_discord_refuses_otherwise_is_told_in_the_channel(server: Server) -> None:
    with house(server) as bed:
        server.fail("POST", "/channels/*/messages/*/threads", status=400, code=200001)
        message = mention(bed, "general", "say hello")
        bed.until_said("AutoMod", "general")
        server.until(lambda: not message.reactions.get("👀"))


def test_in_a_thread_of_others_it_becomes_a_member_and_learns_who_speaks_there(server: Server, log: Path) -> None:
    """FIELD F19, G4, D11: who spoke before it came counts."""
    helper, ann = server.bot("helper"), server.user("ann")
    thread = ann.open_thread("general", "ours")
    helper.write(thread, "I was here first")
    with house(server, "--log", str(log)) as bed:
        mention(bed, thread, "say one")
        bed.until_said("one", thread)
        assert server.app.id in thread.members
        ann.write(thread, "say without a mention")
        mention(bed, thread, "say two")
        bed.until_said("two", thread)
        assert asked(log) == ["say one", "say two"]


def test_a_history_that_may_not_be_read_is_no_hindrance(server: Server) -> None:
    thread = server.user("ann").open_thread("general", "ours")
    with house(server) as bed:
        server.fail("GET", "/channels/*/messages", status=403, code=50013)
        mention(bed, thread, "say one")
        bed.until_said("one", thread)


def test_who_is_not_told_again_sees_a_sign(server: Server) -> None:
    with house(server) as bed:
        bed.mention("")
        bed.until_said("You called me without a question", server.general)
        again = bed.mention("")
        server.until(lambda: "😱" in again.reactions, what="a sign")
        assert sum("without a question" in said for said in server.general.texts) == 1


def test_a_sentence_whose_acknowledgement_is_lost_is_said_once(server: Server) -> None:
    with house(server) as bed:
        server.fail("POST", "/channels/*/messages", lost=True)
        bed.mention("")
        bed.until_said("You called me without a question", server.general)
        bed.until_said("heard", bed.thread("say heard"))
        assert sum("without a question" in said for said in server.general.texts) == 1
