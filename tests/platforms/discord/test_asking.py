"""What people have the agent asked by a command, a menu or a button."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import discord
import pytest

from openab_sync.core.commands import CommandAnswer
from openab_sync.core.message import Conversation
from openab_sync.errors import ChatError
from openab_sync.platforms.discord import asking
from openab_sync.platforms.discord.asking import IN_PART, question_text
from openab_sync.platforms.discord.bots import conversation_at
from openab_sync.platforms.discord.words import unquoted
from tests.fakes.discord import Server
from tests.fakes.discord.actors import Actor
from tests.fakes.discord.things import VOICE, Channel, Message
from tests.platforms.discord.bed import Bed, house
from tests.platforms.discord.fake_client import QUICK
from tests.platforms.discord.pressing import idle
from tests.platforms.discord.prompts import asked, prompts, senders, thread_of
from tests.waiting import until


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(limits=QUICK) as server:
        yield server


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "agent.log"


def ask(
    bed: Bed, where: Channel, text: str, *, by: Actor | None = None, about: Message | None = None
) -> tuple[Conversation, str]:
    """As the command does: on the loop."""

    async def main() -> tuple[Conversation, str]:
        client: Any = bed.platform.client
        channel = client.get_channel(where.id)
        guild = client.get_guild(bed.server.guild.id)
        author = await guild.fetch_member((by or bed.ann).id)
        source = await channel.fetch_message(about.id) if about else None
        result: tuple[Conversation, str] = await incoming(bed).ask(channel, author, text, about=source)
        return result

    return bed.platform._loop.submit(main(), 10).result(10)


def again(bed: Bed, at: Channel, message: Message, by: Actor | None = None) -> str:
    async def main() -> str:
        guild: Any = bed.platform.client.get_guild(bed.server.guild.id)
        author = await guild.fetch_member((by or bed.ann).id)
        result: CommandAnswer = await incoming(bed).again(conversation_at(at.id), str(message.id), author)
        return result.text

    return bed.platform._loop.submit(main(), 10).result(10)


def incoming(bed: Bed) -> Any:
    assert bed.platform._hearing.parts is not None
    return bed.platform._hearing.parts.incoming


def test_a_question_gets_a_thread_of_its_own_and_says_where(server: Server, log: Path) -> None:
    with house(server, "--log", str(log)) as bed:
        conversation, sentence = ask(bed, server.general, "say hello")
        assert sentence == f"I answer in <#{conversation.id}>."
        [message] = [one for one in server.general.history if one.kind == 0]
        assert message.content == "**ann** asks:\n> say hello"
        assert message.thread is not None
        bed.until_said("hello", message.thread)
        assert asked(log) == ["say hello"]
        assert senders(log)[0]["sender_id"] == str(bed.ann.id)


def test_in_a_thread_and_where_there_are_none_it_is_answered_there(server: Server, log: Path) -> None:
    voice = server.add_channel("voice", VOICE)
    with house(server, "--log", str(log)) as bed:
        thread = bed.thread("say one")
        bed.until_said("one", thread)
        assert ask(bed, thread, "say two") == (conversation_at(thread.id), "I answer here.")
        bed.until_said("two", thread)
        assert ask(bed, voice, "say three") == (conversation_at(voice.id), "I answer here.")
        bed.until_said("three", voice)


def test_a_question_about_a_message_takes_it_along(server: Server, log: Path) -> None:
    with house(server, "--log", str(log)) as bed:
        source = server.user("bob").write("general", "the build is broken")
        ask(bed, server.general, "say why?", about=source)
        [prompt] = until(lambda: prompts(log))
        assert "About the message of bob:\n> the build is broken\n\nsay why?" in prompt


def test_what_cannot_be_asked_is_an_error_for_who_asks(server: Server) -> None:
    with house(server) as bed:
        server.fail("POST", "/channels/*/messages/*/threads", status=400, code=200001)
        with pytest.raises(ChatError, match="AutoMod"):
            ask(bed, server.general, "say hello")
        server.fail("POST", "/channels/*/messages", status=403, code=50013)
        with pytest.raises(ChatError, match="may not send messages"):
            ask(bed, server.general, "say hello")


def test_a_question_too_many_is_an_error(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    with house(server) as bed:
        monkeypatch.setattr(incoming(bed)._lanes, "_most", 0)
        with pytest.raises(ChatError, match="Too many messages"):
            ask(bed, server.general, "say hello")


def test_a_question_whose_message_is_deleted_on_its_way_is_an_error(server: Server) -> None:
    with house(server) as bed:
        server.fail("POST", "/channels/*/messages/*/threads", status=404, code=10008)
        with pytest.raises(ChatError, match="was deleted"):
            ask(bed, server.general, "say hello")


def test_a_message_is_answered_once_more(server: Server, log: Path) -> None:
    with house(server, "--log", str(log)) as bed:
        first = bed.mention("say one")
        thread = thread_of(server, first)
        bed.until_said("one", thread)
        second = bed.ann.write(thread, "say two")
        bed.until_said("two", thread)
        idle(bed, thread)
        assert again(bed, thread, first, by=server.user("bob")) == "Trying again."
        until(lambda: len(asked(log)) == 3)
        assert again(bed, thread, second) == "Trying again."
        until(lambda: len(asked(log)) == 4)
        assert asked(log) == ["say one", "say two", "say one", "say two"]
        assert senders(log)[2]["sender_id"] == str(bed.ann.id), "it is still hers"


def test_a_message_that_waits_is_not_asked_twice(server: Server, log: Path, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    with house(server, "--log", str(log)) as bed:
        thread = bed.thread(f"gate {gate}")
        until(lambda: asked(log))
        waiting = bed.ann.write(thread, "say two")
        until(lambda: bed.app.broker.waiting(conversation_at(thread.id)))
        assert "still waits" in again(bed, thread, waiting)
        gate.touch()
        bed.until_said("two", thread)


def test_a_message_that_is_being_answered_is_not_asked_twice(server: Server, log: Path) -> None:
    with house(server, "--log", str(log)) as bed:
        first = bed.mention("say working\nhang")
        thread = thread_of(server, first)
        bed.until_said("working", thread)
        assert again(bed, thread, first) == "It is being answered already."
        bed.ann.delete(first)
        idle(bed, thread)
        assert asked(log) == ["say working\nhang"]


def test_a_question_whose_acknowledgement_is_lost_is_asked_once(server: Server, log: Path) -> None:
    with house(server, "--log", str(log)) as bed:
        fault = server.fail("POST", "/channels/*/messages", lost=True)
        ask(bed, server.general, "say hello")
        until(lambda: asked(log))
        assert fault.seen == 1
        assert [one.content for one in server.general.history if one.kind == 0] == ["**ann** asks:\n> say hello"]
        assert asked(log) == ["say hello"]


def test_deleting_the_message_that_puts_a_question_cancels_its_turn(server: Server) -> None:
    with house(server) as bed:
        conversation, _ = ask(bed, server.general, "say working\nhang")
        thread = server.world.channels[int(conversation.id)]
        bed.until_said("working", thread)
        bed.ann.delete(server.general.messages[int(conversation.id)])
        idle(bed, thread)


def test_what_is_gone_or_from_a_stranger_or_empty_is_not_asked_again(server: Server, log: Path) -> None:
    rules = {"allow_all_users": False, "allowed_users": [str(server.user("ann").id)]}
    with house(server, "--log", str(log), discord=rules) as bed:
        thread = bed.thread("say one")
        answer = bed.until_said("one", thread)
        strange, empty = server.user("eve").write(thread, "say no"), bed.ann.write(thread, f"<@{server.app.id}>")
        bed.until_said("without a question", thread)
        gone = bed.ann.write(thread, "/status")
        bed.ann.delete(gone)
        assert again(bed, thread, strange) == "That message is from somebody whom I may not answer."
        assert again(bed, thread, empty) == "It asks nothing."
        assert again(bed, thread, gone) == "This message does not exist any more."
        assert again(bed, thread, answer) == "That message asks nothing."
        assert asked(log) == ["say one"]


def test_a_question_of_ours_is_asked_again_after_a_restart_too(server: Server, log: Path, tmp_path: Path) -> None:
    folder = tmp_path / "store"
    folder.mkdir(mode=0o700)
    with house(server, "--log", str(log), folder=folder) as bed:
        short, _ = ask(bed, server.general, "say hello\nto everybody")
        long, _ = ask(bed, server.general, "say " + "many words " * 300)
        until(lambda: len(asked(log)) == 2)
        threads = {one.id: server.world.channels[int(one.id)] for one in (short, long)}
        messages = {one.id: server.general.messages[int(one.id)] for one in (short, long)}
        for thread in threads.values():
            idle(bed, thread)
        assert again(bed, threads[long.id], messages[long.id]) == "Trying again."
        until(lambda: len(asked(log)) == 3)
        assert max(asked(log)[1:], key=len) == asked(log)[2]
    with house(server, "--log", str(log), folder=folder) as bed:
        assert again(bed, threads[short.id], messages[short.id]) == "Trying again."
        until(lambda: len(asked(log)) == 4)
        assert asked(log)[3] == "say hello\nto everybody"
        assert again(bed, threads[long.id], messages[long.id]) == IN_PART


def test_questions_are_remembered_within_bounds(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "MOST_REMEMBERED", 1)
    with house(server) as bed:
        ask(bed, server.general, "say one")
        ask(bed, server.general, "say two")
        assert len(incoming(bed)._asking._asked) == 1


def test_a_name_cannot_make_a_question_of_others_words() -> None:
    post = question_text("ann** asks:\n> no", "say yes")
    assert unquoted(post) == "say yes"
    assert post.count("\n") == 1
    assert len(question_text("n" * 32, "word " * 2000)) <= 2000
    assert discord.utils.escape_markdown("**") in question_text("**", "x")
