"""The slash commands: what they take, what they offer, what they answer, and where."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import discord
import pytest

from openab_sync.platforms.discord.slash import ELSEWHERE, readable
from tests.fakes.discord import Server, ShiftedClock
from tests.fakes.discord.permissions import Can
from tests.platforms.discord.bed import admin, house
from tests.platforms.discord.fake_client import QUICK
from tests.platforms.discord.pressing import done, idle, shown, told
from tests.waiting import until


@pytest.fixture
def clock() -> ShiftedClock:
    return ShiftedClock()


@pytest.fixture
def server(clock: ShiftedClock) -> Iterator[Server]:
    with Server(clock=clock, limits=QUICK) as server:
        yield server


def test_commands_answer_one_person_in_a_conversation(server: Server) -> None:
    with house(server, "--early-updates") as bed:
        thread = bed.thread("say hello")
        bed.until_said("hello", thread)
        idle(bed, thread)
        assert told(server, bed.ann.slash("status", where=thread)) == f"→ {thread.mention}: idle, Fake"
        assert told(server, bed.ann.slash("cancel", where=thread)) == "Nothing is running here."
        assert "Turns: 1" in told(server, bed.ann.slash("usage", where=thread))
        assert "Context: 8,675 of 128,000" in told(server, bed.ann.slash("usage", where=thread))
        assert "/ask TEXT" in told(server, bed.ann.slash("help", where=thread))
        assert told(server, bed.ann.slash("cancel-all", where=thread)) == "Nothing is running here."
        assert told(server, bed.ann.slash("reset", where=thread)).startswith("Reset:")


def test_commands_work_while_the_agent_works(server: Server) -> None:
    with house(server, "--options", discord=admin(server)) as bed:
        thread = bed.thread("say working\nhang")
        bed.until_said("working", thread)
        assert "busy" in told(server, bed.ann.slash("status", where=thread))
        assert "large" in told(server, bed.ann.slash("models", where=thread, model="large"))
        assert "is" in told(server, bed.ann.slash("config", where=thread, option="model", value="small"))
        assert "●" in told(server, bed.ann.slash("config", where=thread, option="model"))
        bed.mention("say later", thread)
        server.until(lambda: bed.app.broker.snapshot().sessions[0].inbox == 1)
        assert told(server, bed.ann.slash("queue", where=thread, drop=1)) == "Dropped."
        assert told(server, bed.ann.slash("cancel", where=thread)) == "Cancelling."


def test_commands_work_while_an_agent_is_starting(server: Server, tmp_path: Path) -> None:
    """FIELD J7: an agent may take a minute to start; Discord waits 3 seconds."""
    with house(server, "--options", "--slow-new-on", str(tmp_path / "go")) as bed:
        thread = bed.thread("say hi")
        until(lambda: bed.app.broker.snapshot().sessions)
        assert "starting" in told(server, bed.ann.slash("status", where=thread))
        asked = bed.ann.slash("agents", where=thread, mode="ask")
        server.until(lambda: asked.acked, what="it is acknowledged")
        assert asked.acked_after < 2.5 and not asked.is_done
        (tmp_path / "go").touch()
        assert "is" in told(server, asked)


def test_what_is_about_a_conversation_is_answered_in_one(server: Server) -> None:
    with house(server) as bed:
        for command in ("cancel", "reset", "models", "config", "queue", "usage", "sessions"):
            assert told(server, bed.ann.slash(command, where="general")) == ELSEWHERE
        assert told(server, bed.ann.slash("status", where="general")) == "No agent is running."
        assert "/cancel" in told(server, bed.ann.slash("help", where="general"))
        assert bed.app.broker.snapshot().sessions == ()  # no agent was started for nobody


def test_ask_opens_a_thread_and_says_where_for_everybody(server: Server) -> None:
    with house(server) as bed:
        asked = bed.ann.slash("ask", where="general", text="say good morning")
        done(server, asked)
        assert not asked.is_ephemeral
        assert asked.answer.startswith("I answer in <#")
        [thread] = [one for one in server.world.channels.values() if one.mention in asked.answer]
        bed.until_said("good morning", thread)


def test_ask_in_a_conversation_is_answered_there(server: Server) -> None:
    with house(server) as bed:
        thread = bed.thread("say hi")
        idle(bed, thread)
        asked = bed.ann.slash("ask", where=thread, text="say good evening")
        bed.until_said("good evening", thread)
        done(server, asked)


def test_the_agents_own_commands_are_offered_and_given(server: Server) -> None:
    with house(server, "--early-updates") as bed:
        thread = bed.thread("say hi")
        idle(bed, thread)
        offered = bed.ann.autocomplete("do", "command", "/ea", where=thread)
        server.until(lambda: offered.choices is not None)
        assert [choice["value"] for choice in offered.choices or []] == ["early"]
        given = bed.ann.slash("do", where=thread, command="early", text="and now")
        bed.until_said("you said: /early and now", thread)
        told(server, given)


def test_do_with_nothing_lists_the_agents_commands(server: Server) -> None:
    with house(server, "--early-updates") as bed:
        thread = bed.thread("say hi")
        idle(bed, thread)
        assert told(server, bed.ann.slash("do", where=thread)).startswith("/early")


def test_help_lists_the_forms_that_there_are(server: Server) -> None:
    with house(server, "--early-updates") as bed:
        thread = bed.thread("say hi")
        idle(bed, thread)
        lines = told(server, bed.ann.slash("help", where=thread)).replace("\\", "").splitlines()
        assert "/ask TEXT — ask the agent; a thread is opened for it" in lines
        assert "/queue [DROP] — show what waits here, or drop a message" in lines
        assert "/do [COMMAND] [TEXT] — show the agent's own commands, or give one of them" in lines
        assert not any("edit N" in line or "resume TAG" in line or "/agents" in line for line in lines)
        assert any(line.startswith("/early") for line in lines[lines.index("The agent's own, given with /do:") :])


def test_the_status_tells_everybody_only_what_they_may_see(server: Server) -> None:
    with house(server, discord={"allow_dm": True}) as bed:
        bob = server.user("bob")
        thread, private = bed.thread("say hi"), bed.ann.dm("say hi").channel
        for place in (thread, private):
            bed.until_said("hi", place)
            idle(bed, place)
        assert told(server, bob.slash("status", where=thread)) == f"→ {thread.mention}: idle, Fake\nand 1 elsewhere"
        assert f"{private.mention}: idle" in told(server, bed.ann.slash("status", where=thread))
        assert f"{thread.mention}: idle" in told(server, bob.slash("status", where="general"))
        bed.mention("/status", thread, bob)
        assert private.mention not in bed.until_said("and 1 elsewhere", thread).content
        other = bed.thread("say hi", server.add_channel("hidden"))
        idle(bed, other)
        server.allow(server.channel("hidden"), bob.user, deny=Can.VIEW_CHANNEL)
        hidden = bed.platform.client.get_channel(server.channel("hidden").id)
        assert isinstance(hidden, discord.TextChannel)
        server.until(lambda: hidden.overwrites)
        assert told(server, bob.slash("status", where=thread)).endswith("Fake\nand 2 elsewhere")
        assert other.mention in told(server, bed.ann.slash("status", where=thread))


def test_the_head_of_a_prompt_is_no_title(server: Server) -> None:
    with house(server) as bed:
        thread = bed.thread("prompt_title\nsay hi")
        idle(bed, thread)
        bed.mention("session_info A real one", thread)
        server.until(lambda: thread.name == "A real one")
        assert [message.content for message in thread.history if message.kind == 4] == ["A real one"]


def test_options_and_their_values_are_offered_without_asking_a_session(server: Server) -> None:
    with house(server, "--options", "--boolean-option") as bed:
        thread = bed.thread("say hi")
        idle(bed, thread)

        def offers(command: str, name: str, typed: str = "", /, **others: str) -> list[str]:
            asked = bed.ann.autocomplete(command, name, typed, where=thread, **others)
            server.until(lambda: asked.choices is not None, what=f"choices for {command}")
            return [choice["value"] for choice in asked.choices or []]

        assert "large" in offers("models", "model") and "large" not in offers("models", "model", "sma")
        assert "ask" in offers("modes", "mode") and offers("agents", "mode") == offers("modes", "mode")
        names = offers("config", "option")
        assert {"model", "auto_approve"} <= set(names)
        assert offers("config", "value", option="auto_approve") == ["on", "off"]
        assert offers("config", "value", option="nothing") == []
        elsewhere = bed.ann.autocomplete("models", "model", "", where="general")
        server.until(lambda: elsewhere.choices is not None)
        assert elsewhere.choices == []


def test_the_sessions_an_agent_remembers_are_a_menu(server: Server, tmp_path: Path) -> None:
    with house(server, "--memory", str(tmp_path / "memory")) as bed:
        thread = bed.thread("say hi")
        idle(bed, thread)
        menu = shown(server, bed.ann.slash("sessions", where=thread))
        assert menu.content == "The agent remembers 1 session."
        assert menu.is_ephemeral
    with house(server, "--no-list") as bed:
        text = told(server, bed.ann.slash("sessions", where=thread))
        assert text == "Fake does not tell which sessions it remembers."


def test_a_conversation_is_exported_for_one_person(server: Server) -> None:
    with house(server, agent={"env": {"KEY": "topsecretvalue"}}) as bed:
        thread = bed.thread("say good morning topsecretvalue")
        bed.until_said("good morning", thread)
        idle(bed, thread)
        message = shown(server, bed.ann.slash("export", where=thread))
        assert message.is_ephemeral
        [file] = message.attachments
        text = file.content.decode()
        assert file.filename.endswith(".md")
        assert "say good morning [redacted]" in text and "topsecret" not in text + file.filename
        assert text.index("**ann**") < text.index("**bridge**")  # what it began with is in the channel


def test_a_conversation_is_exported_without_what_is_gone(server: Server) -> None:
    with house(server) as bed:
        prompt = bed.mention("say hi")
        thread = server.until(lambda: prompt.thread)
        assert thread is not None
        bed.until_said("hi", thread)
        idle(bed, thread)
        bed.ann.delete(prompt)
        [file] = shown(server, bed.ann.slash("export", where=thread)).attachments
        assert b"**bridge**" in file.content and b"**ann**" not in file.content
        alone = bed.ann.open_thread("general", "talk")
        bed.ann.write(alone, "among us")
        [file] = shown(server, bed.ann.slash("export", where=alone)).attachments
        assert b"among us" in file.content


def test_what_a_person_may_not_read_is_not_exported_to_them(server: Server) -> None:
    with house(server) as bed:
        thread = bed.thread("say hi")
        idle(bed, thread)
        server.allow(server.general, server.user("bob").user, deny=Can.READ_MESSAGE_HISTORY)
        answer = told(server, server.user("bob").slash("export", where=thread))
        assert answer == "You may not read the history of this channel."


def test_a_full_house_says_so(server: Server) -> None:
    with house(server, pool={"max_sessions": 1, "max_waiting": 1}) as bed:
        first = bed.thread("say working\nhang")
        bed.until_said("working", first)
        second = bed.thread("say second")
        until(lambda: bed.app.broker.snapshot().waiting)
        third = bed.ann.open_thread("general", "third")
        assert "the waiting line is full" in told(server, bed.ann.slash("models", where=third))
        told(server, bed.ann.slash("reset", where=second))
        told(server, bed.ann.slash("cancel", where=first))


def test_a_direct_message_is_a_conversation(server: Server) -> None:
    with house(server, discord={"allow_dm": True}) as bed:
        message = bed.ann.dm("say hi")
        bed.until_said("hi", message.channel)
        until(lambda: bed.app.broker.snapshot().sessions)
        assert told(server, bed.ann.slash("queue", where=message.channel)) == "Nothing waits here."
        asked = bed.ann.slash("ask", where=message.channel, text="say something else")
        bed.until_said("something else", message.channel)
        assert done(server, asked).answer == "I answer here."


def test_what_the_core_says_is_shown_word_for_word() -> None:
    assert readable("→ discord:123: idle, a_b_c *x*") == "→ <#123>: idle, a\\_b\\_c \\*x\\*"
    assert readable("other:123") == "other:123"
