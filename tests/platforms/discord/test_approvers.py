"""Approvers: they answer questions in everybody's turns, and being one is good for nothing else."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from openab_sync.platforms.discord.approvers import Approvers
from openab_sync.platforms.discord.serving import NO
from tests.fakes.discord import Message, Server, ShiftedClock
from tests.fakes.discord.things import Channel
from tests.platforms.discord.bed import Bed, house
from tests.platforms.discord.fake_client import QUICK
from tests.platforms.discord.pressing import buttons, done, told
from tests.waiting import until


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(clock=ShiftedClock(), limits=QUICK) as server:
        yield server


def only(server: Server, **approvers: object) -> dict[str, object]:
    """Nobody may talk to the bot but Ann."""
    return {"allow_all_users": False, "allowed_users": [str(server.user("ann").id)], **approvers}


def test_nobody_is_one_unless_named() -> None:
    assert not Approvers() and Approvers(users=frozenset("1")) and Approvers(roles=frozenset("1"))


@pytest.mark.parametrize("how", ["user", "role"])
def test_an_approver_answers_in_anothers_turn_and_the_message_says_who_it_was(how: str, server: Server) -> None:
    role = server.world.add_role(server.guild, "reviewers")
    bob = server.user("bob", role) if how == "role" else server.user("bob")
    eve = server.user("eve")
    approvers = {"approver_roles": [str(role.id)]} if how == "role" else {"approver_users": [str(bob.id)]}
    with house(server, discord=only(server, **approvers)) as bed:
        message = bed.until_said("🔐", bed.thread("ask"))
        assert told(server, eve.click(message, "Reject")) == NO
        assert buttons(message)
        done(server, bob.click(message, "Reject"))
        bed.until_said("answer: no-1", message.channel)
        assert "Reject — bob" in message.content
        assert told(server, bob.slash("status", where=message.channel)) == NO, "it lets nobody talk to the bot"


def test_who_may_talk_but_not_answer_is_told_whose_question_it_is(server: Server) -> None:
    roles = {"approver_users": [str(server.user("bob").id)]}
    with house(server, discord=roles) as bed:
        message = bed.until_said("🔐", bed.thread("ask"))
        assert told(server, server.user("eve").click(message, "Reject")) == (
            "This question is ann's or an approver's to answer."
        )
        assert buttons(message)


def test_where_a_bot_asks_and_there_are_approvers_nobody_else_answers(server: Server) -> None:
    approvers = {"approver_users": [str(server.user("bob").id)], "allow_bot_messages": "mentions"}
    with house(server, discord=approvers) as bed:
        message = bed.until_said("🔐", bed.thread("ask", by=server.bot("helper")))
        assert told(server, bed.ann.click(message, "Reject")) == "This question is an approver's to answer."
        server.user("bob").click(message, "Reject")
        bed.until_said("answer: no-1", message.channel)


def test_a_rule_of_an_approver_is_for_everybody_another_persons_for_themselves(server: Server) -> None:
    approvers = {"approver_users": [str(server.user("bob").id)]}
    with house(server, discord=approvers) as bed:
        thread = bed.thread("say hi")
        bed.until_said("hi", thread)
        said = told(server, bed.ann.slash("permissions", where=thread, then="allow", kind="execute", pattern="npm *"))
        assert said == r"In your own turns, until this session ends: allow execute command npm \*."
        said = told(server, server.user("bob").slash("permissions", where=thread, then="deny", kind="delete"))
        assert said == "In everybody's turns, until this session ends: deny delete."
        listed = told(server, bed.ann.slash("permissions", where=thread))
        assert "in turns of ann" in listed and "by bob" in listed
        assert told(server, bed.ann.slash("permissions", where=thread, forget=2)) == "That is bob's to take back."
        assert told(server, bed.ann.slash("permissions", where=thread, forget=1)) == "That holds no longer."
        assert "KIND is read" in told(server, bed.ann.slash("permissions", where=thread, pattern="x"))


# The whole of a question's life, in a house.


def asked(bed: Bed, text: str = "ask") -> tuple[Message, Channel]:
    """The message with the question, and its thread."""
    message = bed.until_said("🔐", bed.thread(text))
    return message, message.channel


def test_a_new_message_of_its_author_does_not_dismiss_a_question(server: Server) -> None:
    with house(server) as bed:
        message, thread = asked(bed)
        bed.mention("say later", thread)
        server.until(lambda: bed.app.broker.snapshot().sessions[0].inbox == 1)
        assert buttons(message) and "⏳" not in message.content
        bed.ann.click(message, "Allow once")
        bed.until_said("answer: ok-1", thread)
        bed.until_said("later", thread)


def test_the_agents_death_and_a_cancel_take_the_buttons_and_tell_why(server: Server) -> None:
    with house(server) as bed:
        message, thread = asked(bed, "pid\nask")
        assert told(server, bed.ann.slash("cancel", where=thread)) == "Cancelling."
        server.until(lambda: not buttons(message))
        assert "Cancelled by ann. · <t:" in message.content
        bed.ann.write(thread, f"<@{server.app.id}> ask", mentions=[server.app])
        server.until(lambda: sum("🔐" in one.content for one in thread.history) == 2)
        second = [one for one in thread.history if "🔐" in one.content][-1]
        [session] = bed.app.broker.snapshot().sessions
        assert session.pid is not None
        os.kill(session.pid, signal.SIGKILL)
        server.until(lambda: not buttons(second))
        assert "SIGKILL" in second.content or "has ended" in second.content


def test_nobody_answers_in_time_and_the_agents_own_rejection_is_taken(server: Server) -> None:
    with house(server, permissions={"timeout_secs": 0.2}) as bed:
        message, thread = asked(bed)
        bed.until_said("answer: no-1", thread)
        until(lambda: "Nobody answered within" in message.content and not buttons(message))
        assert "Reject. · <t:" in message.content


def test_an_agent_that_wants_a_login_gets_it_by_a_button(server: Server) -> None:
    with house(server, "--auth") as bed:
        message = bed.until_said("wants somebody to log in", bed.thread("say hello"))
        assert buttons(message) == ["API key", "Not now"]
        assert told(server, server.user("eve").click(message, "API key")) == "This question is ann's to answer."
        bed.ann.click(message, "API key")
        bed.until_said("hello", message.channel)
        assert "API key — ann · <t:" in message.content and not buttons(message)
