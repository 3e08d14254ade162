"""A message's way in, on the fake Discord: what is taken, in which order, and what edits and deletions do to it."""

from __future__ import annotations

import gc
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import discord
import pytest

from openab_sync.platforms.discord import calls, incoming
from openab_sync.platforms.discord.bots import conversation_at
from openab_sync.platforms.discord.export import UNREADABLE
from tests.fakes.discord import Server
from tests.fakes.discord.permissions import Can
from tests.fakes.discord.things import Channel, Message
from tests.platforms.discord.bed import Bed, house
from tests.platforms.discord.fake_client import QUICK
from tests.platforms.discord.prompts import asked, prompts, senders, thread_of
from tests.waiting import until


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(limits=QUICK) as server:
        yield server


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "agent.log"


def said(bed: Bed, channel: Channel) -> list[str]:
    """What the bot has said in a channel."""
    return [one.content for one in channel.history if one.author is bed.server.app.user and one.kind == 0]


def shows(message: Message, emoji: str) -> bool:
    return bool(message.reactions.get(emoji))


def test_the_agent_knows_from_the_first_turn_who_asks_and_where(server: Server, log: Path) -> None:
    """FIELD F5: the block is made when the thread is there."""
    with house(server, "--log", str(log)) as bed:
        thread = bed.thread("say hello")
        bed.until_said("hello", thread)
        [facts] = senders(log)
        assert facts["channel_id"] == str(server.general.id)
        assert facts["thread_id"] == facts["message_id"] == str(thread.id)
        assert (facts["sender_id"], facts["is_bot"], facts["channel"]) == (str(bed.ann.id), False, "discord")
        assert asked(log) == ["say hello"]


def test_a_thread_goes_on_without_a_mention_and_a_channel_does_not(server: Server, log: Path) -> None:
    with house(server, "--log", str(log)) as bed:
        bed.ann.write("general", "say not for the bot")
        thread = bed.thread("say one")
        bed.until_said("one", thread)
        bed.ann.write(thread, "say two")
        bed.until_said("two", thread)
        assert asked(log) == ["say one", "say two"]
        assert senders(log)[1]["channel_id"] == str(server.general.id)


def test_a_message_that_the_gateway_tells_twice_is_answered_once(server: Server, log: Path) -> None:
    """FIELD F2, K4."""
    with house(server, "--log", str(log)) as bed:
        thread = bed.thread("say one")
        bed.until_said("one", thread)
        message = bed.ann.write(thread, "say two")
        bed.until_said("two", thread)
        cached = bed.platform._loop.submit(
            bed.platform.client.get_partial_messageable(thread.id).fetch_message(message.id), 5
        ).result()
        bed.platform._loop.submit(bed.platform._hearing.message(cached), 5).result()
        bed.ann.write(thread, "say three")
        bed.until_said("three", thread)
        assert asked(log) == ["say one", "say two", "say three"]


def test_messages_keep_their_order_although_a_file_is_slow(server: Server, log: Path) -> None:
    """FIELD F12: the second is complete long before the first."""
    with house(server, "--log", str(log)) as bed:
        thread = bed.thread("say ready")
        bed.until_said("ready", thread)
        held = server.fail("GET", "/attachments/*", hold=True)
        bed.ann.write(thread, "say first", files=[("notes.txt", b"some notes", "text/plain")])
        bed.ann.write(thread, "say second")
        until(lambda: held.seen, what="the file is asked for")
        held.release()
        bed.until_said("second", thread)
        assert [text.split("\n")[0] for text in asked(log)] == ["say ready", "say first", "say second"]


def test_an_order_as_a_message_is_answered_in_place(server: Server, log: Path) -> None:
    with house(server, "--log", str(log)) as bed:
        message = bed.mention("/status")
        bed.until_said("No agent is running.", "general")
        assert message.thread is None
        assert not message.reactions
        thread = bed.thread("hang")
        until(lambda: asked(log) == ["hang"])
        bed.ann.write(thread, "/cancel")
        bed.until_said("Cancelling.", thread)
        bed.until_said("Cancelled by ann.", thread)


def test_a_long_answer_to_an_order_comes_in_several_messages(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(incoming, "PAGE", 200)
    with house(server) as bed:
        bed.mention("/help")
        bed.until_said("show this list", "general")
        assert len(said(bed, server.general)) > 2


def test_an_answer_that_may_not_be_posted_is_logged(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    with house(server) as bed:
        server.fail("POST", "/channels/*/messages", code=50013, times=9)
        with caplog.at_level(logging.WARNING):
            bed.mention("/status")
            until(lambda: "an answer could not be posted" in caplog.text)


def test_a_word_that_is_no_order_is_the_agents(server: Server, log: Path) -> None:
    """FIELD F16."""
    with house(server, "--log", str(log)) as bed:
        bed.until_said("/modelsfoo", bed.thread("/modelsfoo"))
        bed.until_said("/compact", bed.thread("/do compact"))
        bed.until_said("good day", bed.thread("/ask say good day"))
        assert asked(log) == ["/modelsfoo", "/compact", "say good day"]


def test_a_conversation_is_exported_by_a_message_as_well(server: Server) -> None:
    with house(server) as bed:
        thread = bed.thread("say hello")
        bed.until_said("hello", thread)
        bed.ann.write(thread, "/export")
        [file] = server.until(lambda: [one for item in thread.history for one in item.attachments])
        assert b"hello" in file.content


def test_what_a_person_may_not_read_is_not_exported_to_them_by_a_message_either(server: Server) -> None:
    with house(server) as bed:
        thread = bed.thread("say hello")
        bed.until_said("hello", thread)
        bob = server.user("bob")
        server.allow(server.general, bob.user, deny=Can.READ_MESSAGE_HISTORY)
        bed.mention("/export", thread, by=bob)
        refusal = bed.until_said(UNREADABLE, thread)
        assert refusal.content == f"bob: {UNREADABLE}"
        assert not any(message.attachments for message in thread.history)


def test_an_edit_of_a_message_that_waits_changes_it_and_shows(server: Server, log: Path, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    with house(server, "--log", str(log)) as bed:
        thread = bed.thread(f"gate {gate}")
        until(lambda: asked(log))
        waiting = bed.ann.write(thread, "say old")
        server.until(lambda: shows(waiting, "👀"))
        bed.ann.embed(waiting, {"title": "a link"})
        bed.ann.edit(waiting, "say new")
        server.until(lambda: shows(waiting, "✏️"))
        gate.touch()
        bed.until_said("new", thread)
        assert asked(log)[1] == "say new"
        assert len(server.asked("PUT", "/@me")) <= 6


def test_an_update_that_only_brings_an_embed_is_no_edit(server: Server, log: Path, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    with house(server, "--log", str(log)) as bed:
        thread = bed.thread(f"gate {gate}")
        until(lambda: asked(log))
        waiting = bed.ann.write(thread, "say same https://example.org")
        server.until(lambda: shows(waiting, "👀"))
        bed.ann.embed(waiting, {"title": "Example"})
        gate.touch()
        bed.until_said("same", thread)
        assert not shows(waiting, "✏️")


def test_a_deleted_message_that_waits_is_withdrawn(server: Server, log: Path, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    with house(server, "--log", str(log)) as bed:
        thread = bed.thread(f"gate {gate}")
        until(lambda: asked(log))
        gone, kept = bed.ann.write(thread, "say gone"), bed.ann.write(thread, "say kept")
        server.until(lambda: shows(gone, "👀") and shows(kept, "👀"))
        bed.ann.delete(gone)
        until(lambda: [note.text for note in bed.app.broker.waiting(conversation_at(thread.id))] == ["say kept"])
        gate.touch()
        bed.until_said("kept", thread)
        assert len(asked(log)) == 2


def test_messages_that_are_deleted_together_are_withdrawn_together(server: Server, log: Path, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    with house(server, "--log", str(log)) as bed:
        thread = bed.thread(f"gate {gate}\nsay opened")
        until(lambda: asked(log))
        gone = [bed.ann.write(thread, f"say {number}") for number in range(3)]
        server.until(lambda: all(shows(one, "👀") for one in gone))
        until(lambda: len(bed.app.broker.waiting(conversation_at(thread.id))) == 3)
        ids = [str(one.id) for one in gone]
        event: Any = {"ids": ids, "channel_id": str(thread.id), "guild_id": str(server.guild.id)}
        payload = discord.RawBulkMessageDeleteEvent(event)
        bed.platform._loop.submit(bed.platform._hearing.deleted(payload), 5).result()
        assert bed.app.broker.waiting(conversation_at(thread.id)) == ()
        gate.touch()
        bed.until_said("opened", thread)


def test_a_deleted_prompt_that_runs_is_cancelled(server: Server, log: Path) -> None:
    with house(server, "--log", str(log)) as bed:
        thread = bed.thread("say ready")
        bed.until_said("ready", thread)
        running = bed.ann.write(thread, "hang")
        until(lambda: len(asked(log)) == 2)
        bed.ann.delete(running)
        bed.until_said("Cancelled by deleting the message.", thread)


def test_the_message_that_began_a_thread_cancels_its_turn_when_it_is_deleted(server: Server, log: Path) -> None:
    """It is in the parent channel, and its conversation is the thread."""
    with house(server, "--log", str(log)) as bed:
        message = bed.mention("hang")
        thread = thread_of(server, message)
        until(lambda: asked(log))
        bed.ann.delete(message)
        bed.until_said("Cancelled by deleting the message.", thread)


def test_what_is_edited_while_its_thread_opens_goes_out_as_it_is_now(server: Server, log: Path) -> None:
    with house(server, "--log", str(log)) as bed:
        held = server.fail("POST", "/channels/*/messages/*/threads", hold=True)
        message = bed.mention("say old")
        until(lambda: held.seen)
        bed.ann.edit(message, f"<@{server.app.id}> say new")
        drafts = bed.platform._hearing.parts.incoming._drafts  # type: ignore[union-attr]
        until(lambda: drafts[message.id].is_edited)
        held.release()
        thread = thread_of(server, message)
        bed.until_said("new", thread)
        assert asked(log) == ["say new"]
        server.until(lambda: shows(message, "✏️"))


def test_what_is_deleted_while_its_thread_opens_is_not_asked(server: Server, log: Path) -> None:
    with house(server, "--log", str(log)) as bed:
        held = server.fail("GET", "/attachments/*", hold=True)
        message = bed.mention("say gone", files=[("notes.txt", b"notes", "text/plain")])
        until(lambda: held.seen)
        bed.ann.delete(message)
        drafts = bed.platform._hearing.parts.incoming._drafts  # type: ignore[union-attr]
        until(lambda: drafts[message.id].is_withdrawn)
        held.release()
        until(lambda: not drafts)
        bed.until_said("after", bed.thread("say after"))
        assert asked(log) == ["say after"]


def test_of_what_is_deleted_before_discord_refuses_it_nothing_is_said(server: Server, log: Path) -> None:
    with house(server, "--log", str(log)) as bed:
        held = server.fail("POST", "/channels/*/messages/*/threads", hold=True, status=400, code=200001)
        message = bed.mention("say gone")
        until(lambda: held.seen)
        bed.ann.delete(message)
        drafts = bed.platform._hearing.parts.incoming._drafts  # type: ignore[union-attr]
        until(lambda: drafts[message.id].is_withdrawn)
        held.release()
        until(lambda: not drafts and not bed.books.deliveries.waiting())
        bed.until_said("after", bed.thread("say after"))
        assert said(bed, server.general) == [] and asked(log) == ["say after"]


def test_where_no_thread_can_be_opened_for_minutes_people_are_told_and_the_log_holds_no_traceback(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    """discord.py leaves errors behind that nobody waits for: its own business, and told by those who were refused."""
    server.backend.buckets.limits["thread"] = (1, 300.0)
    with house(server) as bed:
        for number in range(3):
            bed.mention(f"say {number}")
        bed.until_said("Discord wants us to wait 300 s before we open threads again.", "general")
        until(lambda: caplog.text.count("is not answered") == 2)
        gc.collect()
    assert "Traceback" not in caplog.text and "never retrieved" not in caplog.text


def test_who_is_not_listed_is_shown_so_and_not_answered(server: Server, log: Path) -> None:
    eve = server.user("eve")
    rules = {"allow_all_users": False, "allowed_users": [str(server.user("ann").id)]}
    with house(server, "--log", str(log), discord=rules) as bed:
        first = bed.mention("say no", by=eve)
        server.until(lambda: shows(first, "🚫"))
        second = bed.mention("say no", by=eve)
        bed.until_said("yes", bed.thread("say yes"))
        assert not shows(second, "🚫"), "once a minute is enough"
        assert first.thread is None
        assert asked(log) == ["say yes"]


def test_direct_messages_are_answered_in_place_where_they_are_allowed(server: Server, log: Path) -> None:
    """FIELD F17: no thread, one conversation for each person."""
    with house(server, "--log", str(log), discord={"allow_dm": True}) as bed:
        message = bed.ann.dm("say hello")
        bed.until_said("hello", message.channel)
        [facts] = senders(log)
        assert facts["channel_id"] == str(message.channel.id)
        assert "thread_id" not in facts


def test_direct_messages_are_ignored_unless_they_are_allowed(server: Server, log: Path) -> None:
    with house(server, "--log", str(log)) as bed:
        message = bed.ann.dm("say hello")
        bed.until_said("yes", bed.thread("say yes"))
        assert asked(log) == ["say yes"]
        assert not message.reactions


def test_too_much_at_once_is_not_taken_and_said(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(incoming, "MOST_UNDER_WAY", 1)
    with house(server) as bed:
        held = server.fail("POST", "/channels/*/messages/*/threads", hold=True)
        first = bed.mention("say one")
        until(lambda: held.seen)
        bed.mention("say two")
        bed.until_said("Too many messages", "general")
        held.release()
        bed.until_said("one", thread_of(server, first))
        bed.until_said("three", bed.thread("say three"))


def test_pins_and_joins_are_nobodys_words(server: Server, log: Path) -> None:
    """FIELD G3."""
    with house(server, "--log", str(log)) as bed:
        thread = bed.thread("say one")
        bed.until_said("one", thread)
        bed.ann.write(thread, "", kind=6)
        bed.ann.write(thread, "say two")
        bed.until_said("two", thread)
        assert len(prompts(log)) == 2


def test_a_bot_that_is_heard_gives_no_orders(server: Server, log: Path) -> None:
    helper = server.bot("helper")
    rules = {"allow_bot_messages": "mentions", "allow_user_messages": "involved"}
    with house(server, "--log", str(log), discord=rules) as bed:
        thread = bed.thread("say one")
        bed.until_said("one", thread)
        bed.mention("/reset", thread, by=helper)
        bed.mention("say two", thread, by=helper)
        bed.until_said("two", thread)
        assert asked(log) == ["say one", "say two"]
        assert not any("forgotten" in said.content.lower() for said in thread.history)
        assert len(bed.app.broker.snapshot().sessions) == 1


def test_a_waiting_message_that_is_edited_to_nothing_is_withdrawn(server: Server, log: Path) -> None:
    with house(server, "--log", str(log)) as bed:
        thread = bed.thread("slow 1 hold")
        waiting = bed.mention("say never", thread)
        server.until(lambda: waiting.reactions, what="it waits")
        bed.ann.edit(waiting, f"<@{server.app.id}>")
        bed.mention("say last", thread)
        bed.until_said("last", thread)
        assert asked(log)[1:] == ["say last"]


def test_a_message_for_which_discord_answers_nothing_at_all_stays_accepted_and_is_answered_later(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither could its thread be opened nor anybody be told why not: that is no end of it."""
    monkeypatch.setattr(incoming, "AGAIN", 0.05)
    monkeypatch.setattr(calls, "PAUSES", ())  # else each request is repeated for seconds
    with house(server) as bed:
        silent = server.fail("POST", "*/threads", status=503, times=10_000)
        for path in (f"/channels/{server.general.id}/messages", "/users/@me/channels"):
            server.fail("POST", path, status=503, times=10_000)
        message = bed.mention("say hello")
        until(lambda: silent.seen >= 3, what="it is tried again")
        assert len(bed.books.deliveries.waiting()) == 1
        silent.times = 0
        thread = server.until(lambda: message.thread, what="a thread opens after all")
        bed.until_said("hello", thread or "")
        until(lambda: not bed.books.deliveries.waiting() and not bed.books.replies.open())
        assert server.general.texts == [message.content]


def test_a_message_that_waits_for_discord_to_answer_can_be_edited_and_deleted(
    server: Server, monkeypatch: pytest.MonkeyPatch, log: Path
) -> None:
    monkeypatch.setattr(incoming, "AGAIN", 0.5)
    monkeypatch.setattr(calls, "PAUSES", ())  # else each request is repeated for seconds
    with house(server, "--log", str(log)) as bed:
        silent = server.fail("POST", "*/threads", status=503, times=10_000)
        server.fail("POST", f"/channels/{server.general.id}/messages", status=503, times=10_000)
        last = server.fail("POST", "/users/@me/channels", status=503, times=10_000)
        edited, deleted = bed.mention("say one"), bed.mention("say never")
        until(lambda: last.seen >= 2, what="nobody can be told")
        bed.ann.edit(edited, f"<@{server.app.id}> say another")
        bed.ann.delete(deleted)
        silent.times = 0
        bed.until_said("another", thread_of(server, edited))
        until(lambda: not bed.books.deliveries.waiting() and not bed.books.replies.open())
        assert asked(log) == ["say another"]
        assert said(bed, server.general) == []
