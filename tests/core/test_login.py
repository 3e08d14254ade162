"""Logging in from the conversation: the agent's own ways as answers, then the message is tried again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.core.bed import ANN, EVENTS, Bed, received
from tests.waiting import until


def asked(log: Path) -> list[str]:
    return [message["method"] for message in received(log) if "method" in message]


def test_the_ways_that_the_agent_handles_itself_are_offered_and_the_message_goes_on(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with Bed("--auth", "--log", str(log)) as bed:
        bed.say("say hello")
        question = bed.port.until_question()
        assert question.title.endswith("wants somebody to log in") and question.asked_of == (ANN,)
        assert [option.name for option in question.options] == ["API key", "Not now"]
        assert "API key: Paste a key" in question.detail
        assert "Log in (in a terminal: `openab-sync login`)" in question.detail
        assert "Vendor (in a terminal" in question.detail
        bed.port.answer(question, "key", ANN)
        until(bed.ends)
        assert (bed.text(), bed.ends()[0].outcome) == ("hello", "done")
        assert [text for _, text in bed.port.settled] == ["API key — Ann"]
        assert asked(log)[:4] == ["initialize", "session/new", "authenticate", "session/new"]


@pytest.mark.parametrize("answer", ["", "login"], ids=["not now", "one that needs a terminal"])
def test_without_a_login_the_message_fails_and_nothing_is_authenticated(answer: str, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with Bed("--auth", "--log", str(log)) as bed:
        bed.say("say hello")
        bed.port.answer(bed.port.until_question(), answer, ANN)
        [end] = until(bed.ends)
        assert end.outcome == "failed" and "log in" in end.reason
        assert [text for _, text in bed.port.settled] == ["Not logged in — Ann."]
        assert "authenticate" not in asked(log)


def test_nobody_answers_in_time(tmp_path: Path) -> None:
    with Bed("--auth", permissions={"timeout_secs": 0.2}) as bed:
        assert bed.ask("say hello").outcome == "failed"
        assert [text for _, text in bed.port.settled] == ["Not logged in."]


def test_where_nobody_can_be_asked_it_fails_at_once_as_before(tmp_path: Path) -> None:
    with Bed("--auth", limits=replace(EVENTS, can_ask=False)) as bed:
        end = bed.ask("say hello")
        assert end.outcome == "failed" and bed.port.questions == {}


def test_an_agent_that_wants_it_in_mid_conversation_is_logged_in_and_asked_again(tmp_path: Path) -> None:
    """-32000 as the answer to a prompt; a second time it is an error like others."""
    log = tmp_path / "log"
    with Bed("--auth", "--log", str(log)) as bed:
        bed.say("say hello")
        bed.port.answer(bed.port.until_question(), "key", ANN)
        until(bed.ends)
        bed.say("error auth")
        bed.port.answer(bed.port.until_question(), "key", ANN)
        until(lambda: len(bed.ends()) == 2)
        assert bed.ends()[1].outcome == "failed" and "−32000" in bed.ends()[1].reason
        assert asked(log)[-3:] == ["session/prompt", "authenticate", "session/prompt"]
        assert bed.ask("say still here").outcome == "done"


def test_a_cancel_ends_the_wait_for_a_login() -> None:
    with Bed("--auth") as bed:
        bed.say("say hello")
        bed.port.answer(bed.port.until_question(), "key", ANN)
        until(bed.ends)
        bed.say("error auth")
        bed.port.until_question()
        assert bed.command("cancel").text == "Cancelling."
        until(lambda: len(bed.ends()) == 2)
        assert bed.ends()[1].outcome == "cancelled"
        assert bed.ask("say still here").outcome == "done"
