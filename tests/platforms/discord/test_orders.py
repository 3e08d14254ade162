"""Orders: buttons, selects, forms and menus on the fake Discord, in a whole house."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from openab_sync.core.message import Conversation, MessageRef, Person
from openab_sync.core.port import Controls
from openab_sync.platforms.discord.orders import NOT_OURS, OLD, OVER
from tests.fakes.discord import Interaction, Message, Server
from tests.fakes.discord.actors import Actor
from tests.fakes.discord.interactions import COMPONENT
from tests.fakes.discord.things import Channel
from tests.platforms.discord.bed import Bed, house
from tests.platforms.discord.fake_client import QUICK
from tests.platforms.discord.pressing import button_ids, buttons, idle, told
from tests.waiting import MS


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(limits=QUICK) as server:
        yield server


def running(bed: Bed) -> tuple[Channel, Message]:
    """A thread in which the agent is at work, and a message of ours there with Stop and Retry."""
    thread = bed.thread("say working\nhang")
    bed.until_said("working", thread)
    return thread, with_controls(bed, thread, str(thread.id))


def with_controls(bed: Bed, thread: Channel, *about: str, of: tuple[Actor, ...] = ()) -> Message:
    """A message with the buttons of a reply to `about`, which the people of `of` have written."""
    conversation = Conversation("discord", str(thread.id))
    refs = tuple(MessageRef(conversation, one) for one in about)
    people = tuple(Person(str(one.id), one.user.name) for one in of)
    controls = Controls(stop=True, retry=True, turn=uuid.uuid4().hex, about=refs, people=people)
    ref = bed.platform.port.post(conversation, "buttons", controls=controls).result(5)
    return thread.messages[int(ref.id)]


def pressed(server: Server, who: Actor, message: Message, custom_id: str, **data: Any) -> Interaction:
    """A press with an id that the message does not have."""
    forged = {"component_type": 2, "custom_id": custom_id, **data}
    interaction = server.backend.interactions.begin(COMPONENT, server.app, who.user, message.channel, forged)
    interaction.message = message
    return server.backend.interactions.send(interaction)


def test_stop_ends_the_turn_that_it_stands_under(server: Server) -> None:
    with house(server) as bed:
        thread, message = running(bed)
        assert told(server, bed.ann.click(message, "Stop")) == "Cancelling."
        idle(bed, thread)


def test_a_stop_that_comes_late_stops_nothing_else(server: Server) -> None:
    """Also after the message has lost its button: somebody may have pressed it before."""
    with house(server) as bed:
        thread, message = running(bed)
        custom_id = button_ids(message)[0]
        told(server, bed.ann.click(message, "Stop"))
        idle(bed, thread)
        bed.mention("say second\nhang", thread)
        bed.until_said("second", thread)
        assert told(server, pressed(server, bed.ann, message, custom_id)) == "That turn is over."
        assert "busy" in told(server, bed.ann.slash("status", where=thread))
        told(server, bed.ann.slash("cancel", where=thread))


def test_two_people_who_press_stop_at_once_are_both_answered(server: Server) -> None:
    with house(server) as bed:
        _, message = running(bed)
        first, second = bed.ann.click(message, "Stop"), server.user("bob").click(message, "Stop")
        assert {told(server, first), told(server, second)} <= {"Cancelling.", "That turn is over."}


def test_retry_asks_once_more_however_many_press_it(server: Server) -> None:
    with house(server) as bed:
        thread = bed.thread("say once")
        bed.until_said("once", thread)
        idle(bed, thread)
        message = with_controls(bed, thread, str(thread.id))
        first, second = bed.ann.click(message, "Retry"), bed.ann.click(message, "Retry")
        answers = {told(server, first), told(server, second)}
        assert answers == {"Trying again.", "That is being tried again already."}
        server.until(lambda: "Retry" not in buttons(message), what="the button is gone")
        server.until(lambda: thread.texts.count("once") == 2, 8000 * MS, what="it is said again")


def test_stop_and_retry_are_for_those_who_wrote_what_is_answered(server: Server) -> None:
    with house(server) as bed:
        bob, thread = server.user("bob"), bed.thread("say working\nhang")
        bed.until_said("working", thread)
        message = with_controls(bed, thread, str(thread.id), of=(bed.ann,))
        no = f"This button is for <@{bed.ann.id}>."
        assert told(server, bob.click(message, "Stop")) == f"{no} `/cancel` stops the agent, too."
        assert told(server, bob.click(message, "Retry")) == no
        assert "Stop" in buttons(message)
        assert told(server, bed.ann.click(message, "Stop")) == "Cancelling."


def test_a_retry_asks_all_messages_of_its_turn_again_in_order(server: Server) -> None:
    with house(server) as bed:
        thread = bed.thread("say one")
        bed.until_said("one", thread)
        second = bed.mention("say two", thread)
        bed.until_said("two", thread)
        idle(bed, thread)
        message = with_controls(bed, thread, str(thread.id), str(second.id), of=(bed.ann,))
        assert told(server, bed.ann.click(message, "Retry")) == "Trying again."
        server.until(lambda: thread.texts.count("two") == 2, 8000 * MS, what="both are said again")
        assert [text for text in thread.texts if text in {"one", "two"}] == ["one", "two", "one", "two"]


def test_the_button_of_another_conversation_does_nothing_here(server: Server) -> None:
    with house(server) as bed:
        thread, message = running(bed)
        elsewhere = bed.thread("say here")
        bed.until_said("here", elsewhere)
        other = with_controls(bed, elsewhere, str(elsewhere.id))
        assert told(server, pressed(server, bed.ann, other, button_ids(message)[0])) == OVER
        told(server, bed.ann.slash("cancel", where=thread))


def test_a_retry_that_did_not_work_can_be_pressed_again(server: Server) -> None:
    with house(server) as bed:
        thread, message = running(bed)
        for _ in range(2):
            assert told(server, bed.ann.click(message, "Retry")) == "It is being answered already."
            assert "Retry" in buttons(message)
        told(server, bed.ann.click(message, "Stop"))
        idle(bed, thread)
        assert told(server, bed.ann.click(message, "Retry")) == "Trying again."
        server.until(lambda: sum("working" in text for text in thread.texts) == 2, 8000 * MS, what="it is said again")
        told(server, bed.ann.slash("cancel", where=thread))


def test_a_button_that_cannot_be_taken_away_keeps_nobody_from_the_answer(server: Server) -> None:
    with house(server) as bed:
        thread = bed.thread("say once")
        bed.until_said("once", thread)
        idle(bed, thread)
        message = with_controls(bed, thread, str(thread.id))
        server.fail("PATCH", f"*/messages/{message.id}", reset=True, times=9)
        assert told(server, bed.ann.click(message, "Retry")) == "Trying again."
        server.until(lambda: thread.texts.count("once") == 2, 8000 * MS, what="it is said again")


@pytest.mark.parametrize(
    "custom_id",
    ["", "nothing", "oab:stop:1:2", "oab:retry:a.b", "oab:about:1:2", "oab:choose:token:0", "oab:resume:t:nowhere"],
)
def test_a_forged_or_foreign_id_is_answered_politely_and_does_nothing(custom_id: str, server: Server) -> None:
    """FIELD I6."""
    with house(server) as bed:
        thread, message = running(bed)
        assert told(server, pressed(server, bed.ann, message, custom_id)) == NOT_OURS
        assert "Stop" in buttons(message)
        told(server, bed.ann.slash("cancel", where=thread))


@pytest.mark.parametrize(
    "custom_id",
    ["oab:pick:token", "oab:page:token:1", "oab:resume:token:here", "oab:ask:token:0", "oab:stop:token", "oab:retry:t"],
)
def test_a_button_that_is_not_in_the_books_is_stale(custom_id: str, server: Server) -> None:
    with house(server) as bed:
        thread, message = running(bed)
        text = told(server, pressed(server, bed.ann, message, custom_id))
        assert "too old" in text or "not open any more" in text or text == OVER
        told(server, bed.ann.slash("cancel", where=thread))


def test_a_command_of_another_time_is_answered_politely(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    """People's programs, and guilds, show commands that are none any more."""
    with house(server) as bed:
        old = {"name": "old", "description": "x", "type": 1}
        put = bed.platform.client.http.bulk_upsert_guild_commands(server.app.id, server.guild.id, [old])
        bed.platform._loop.submit(put, 5).result()
        assert told(server, bed.ann.slash("old", where="general")) == OLD
        assert "'old' not found" in caplog.text


def test_nobody_presses_who_may_not_talk(server: Server) -> None:
    """FIELD I2: one admission for messages, commands, buttons, menus, forms and completions."""
    ann, bob = server.user("ann"), server.user("bob")
    people = {"allow_all_users": False, "allowed_users": [str(ann.id)]}
    with house(server, "--options", discord=people) as bed:
        thread, message = running(bed)
        no = "You are not among those who may use me here: an administrator can let you in."
        assert told(server, bob.click(message, "Stop")) == no
        for command, options in (("cancel", {}), ("status", {}), ("ask", {"text": "hi"}), ("models", {"model": "x"})):
            assert told(server, bob.slash(command, where=thread, **options)) == no
        assert told(server, bob.menu("Drop from queue", message)) == no
        completed = bob.autocomplete("models", "model", "", where=thread)
        server.until(lambda: completed.choices is not None)
        assert completed.choices == []
        assert "Stop" in buttons(message)
        told(server, ann.slash("cancel", where=thread))
