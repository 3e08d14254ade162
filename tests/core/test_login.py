"""Logging in from the conversation: the agent's own ways as answers, then the message is tried again."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from openab_sync.core.port import Question
from tests.core.bed import ANN, EVENTS, Bed, received
from tests.fakes.clock import FakeClock
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


# Asks for a form and an address while it is logged in, and tells later what it was answered.
ASKS = """
import json, sys

def send(**message):
    print(json.dumps({"jsonrpc": "2.0", **message}), flush=True)

def ask(id, **params):
    send(id=id, method="elicitation/create", params=params)

login, answers = None, []
for line in sys.stdin:
    message = json.loads(line)
    method = message.get("method")
    if method == "initialize":
        ways = [{"id": "web", "name": "Web"}]
        send(id=message["id"], result={"protocolVersion": 1, "agentCapabilities": {}, "authMethods": ways})
    elif method == "session/new" and not answers:
        send(id=message["id"], error={"code": -32000, "message": "log in"})
    elif method == "session/new":
        send(id=message["id"], result={"sessionId": "s"})
    elif method == "authenticate":
        login = message["id"]
        code = {"type": "object", "properties": {"code": {"type": "string"}}, "required": ["code"]}
        ask("form", mode="form", message="The code?", requestedSchema=code)
        ask("url", mode="url", message="Log in there.", url="https://example.org/login", elicitationId="e")
    elif method is None:
        answers.append([message["id"], message["result"]])
        if len(answers) == 2:
            send(id=login, result={})
    elif method == "session/prompt":
        text = {"type": "text", "text": json.dumps(sorted(answers))}
        update = {"sessionUpdate": "agent_message_chunk", "content": text}
        send(method="session/update", params={"sessionId": "s", "update": update})
        send(id=message["id"], result={"stopReason": "end_turn"})
"""
FORMS = replace(EVENTS, forms=True, links=True)


def asks(bed: Bed) -> tuple[Question, Question]:
    """Write, choose the way, and return the form and the address that are asked for then."""
    bed.say("hello")
    bed.port.answer(bed.port.until_question(), "web", ANN)
    until(lambda: len(bed.port.questions) == 3)
    form, address = [question for question, _ in list(bed.port.questions.values())[1:]]
    return form, address


def test_what_it_wants_to_know_while_it_is_logged_in_is_put_to_who_logs_it_in() -> None:
    with Bed(command=(sys.executable, "-c", ASKS), limits=FORMS) as bed:
        form, address = asks(bed)
        assert (form.asked_of, form.form and form.form.fields[0].name) == ((ANN,), "code")
        assert address.form is not None and address.form.url == "https://example.org/login"
        bed.port.answer(form, "fill", ANN, {"code": ("4711",)})
        bed.port.answer(address, "open", ANN)
        until(bed.ends)
        assert json.loads(bed.text()) == [
            ["form", {"action": "accept", "content": {"code": "4711"}}],
            ["url", {"action": "accept"}],
        ]
        assert [text for _, text in bed.port.settled] == ["Filled in — Ann", "Opened — Ann", "Web — Ann"]


def test_what_nobody_answers_while_it_is_logged_in_is_cancelled() -> None:
    clock = FakeClock()
    with Bed(command=(sys.executable, "-c", ASKS), limits=FORMS, clock=clock, permissions={"timeout_secs": 60}) as bed:
        form, _ = asks(bed)
        bed.port.answer(form, "decline", ANN)
        until(lambda: "Declined — Ann" in [text for _, text in bed.port.settled])
        bed.tick(bed.ends, step=10)
        settled = [text for _, text in bed.port.settled]
        assert "The login is over." in settled or "Nobody answered in time." in settled


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
