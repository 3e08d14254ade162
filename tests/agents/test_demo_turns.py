"""The demo agent's permissions, modes, options, and how its turns are cancelled."""

from __future__ import annotations

import pytest
from acp import schema

from tests.agents.client import Json
from tests.agents.demo_client import Demo

# ---- permissions, modes, options ----

ANSWERS = [
    ("allow-once", "Your answer: allow_once.\n", "completed"),
    ("allow-always", "Your answer: allow_always.\n", "completed"),
    ("reject-once", "Your answer: reject_once.\n", "failed"),
    ("reject-always", "Your answer: reject_always.\n", "failed"),
    (None, "Your answer: cancelled.\n", "failed"),
    ("nonsense", "Your answer: an option that was not offered: 'nonsense'.\n", "failed"),
]


@pytest.mark.parametrize(("option", "text", "status"), ANSWERS)
def test_ask_obeys_and_reports_the_answer(demo: Demo, option: str | None, text: str, status: str) -> None:
    prompt = demo.start(demo.session, "ask")
    question = demo.until_question()
    schema.RequestPermissionRequest.model_validate(question["params"])
    assert [one["kind"] for one in question["params"]["options"]] == [
        "allow_once",
        "allow_always",
        "reject_once",
        "reject_always",
    ]
    demo.choose(question, option)
    told = demo.until_answer(prompt)
    assert (told.stop, told.text) == ("end_turn", text)
    assert told.of("tool_call_update")[-1]["status"] == status


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ({"error": {"code": -32601, "message": "no"}}, "an error instead of an answer"),
        ({"result": None}, "an answer without an outcome"),
    ],
)
def test_ask_reports_an_answer_that_is_none(demo: Demo, answer: Json, text: str) -> None:
    prompt = demo.start(demo.session, "ask")
    demo.send({"id": demo.until_question()["id"], **answer})
    assert text in demo.until_answer(prompt).text


def test_edit_asks_first_in_mode_ask_and_shows_a_diff(demo: Demo) -> None:
    prompt = demo.start(demo.session, "edit")
    question = demo.until_question()
    demo.choose(question, "allow-once")
    told = demo.until_answer(prompt)
    assert told.of("tool_call_update")[-1]["status"] == "completed"
    diff = next(update for update in demo.updates if update["sessionUpdate"] == "tool_call")["content"][0]
    assert (diff["type"], diff["path"]) == ("diff", "/srv/work/greeting.txt")


def test_a_rejected_edit_is_left_alone(demo: Demo) -> None:
    prompt = demo.start(demo.session, "edit")
    demo.choose(demo.until_question(), "reject-once")
    told = demo.until_answer(prompt)
    assert told.of("tool_call_update")[-1]["status"] == "failed"
    assert "left greeting.txt alone: reject_once" in told.text


@pytest.mark.parametrize(("option", "status"), [("allow-always", "completed"), ("reject-always", "failed")])
def test_an_answer_for_always_is_not_asked_again(demo: Demo, option: str, status: str) -> None:
    prompt = demo.start(demo.session, "edit")
    demo.choose(demo.until_question(), option)
    demo.until_answer(prompt)
    told = demo.say("edit")
    assert told.questions == []
    assert told.of("tool_call_update")[-1]["status"] == status


@pytest.mark.parametrize(("mode", "status"), [("auto", "completed"), ("read-only", "failed")])
def test_edit_does_not_ask_in_the_other_modes(demo: Demo, mode: str, status: str) -> None:
    assert demo.call("session/set_mode", {"sessionId": demo.session, "modeId": mode}).answer["result"] == {}
    told = demo.say("edit")
    assert told.questions == []
    assert told.of("tool_call_update")[-1]["status"] == status


def test_a_mode_is_one_thing_whether_set_as_mode_or_as_option(demo: Demo) -> None:
    told = demo.set("mode", "auto")
    assert told.of("current_mode_update")[0]["currentModeId"] == "auto"
    assert told.of("config_option_update")[0]["configOptions"] == told.answer["result"]["configOptions"]
    told = demo.call("session/set_mode", {"sessionId": demo.session, "modeId": "ask"})
    assert told.of("config_option_update")[0]["configOptions"][0]["currentValue"] == "ask"


def test_setting_what_is_set_already_announces_nothing(demo: Demo) -> None:
    demo.set("model", "small")
    assert [update["sessionUpdate"] for update in demo.updates] == ["available_commands_update"]


def test_the_larger_model_has_a_bigger_window_and_verbose_thinks_aloud(demo: Demo) -> None:
    demo.set("model", "large")
    demo.set("verbose", True)
    told = demo.say("echo x")
    assert told.of("usage_update")[0]["size"] == 200_000
    assert told.of("agent_thought_chunk")[0]["content"]["text"] == "Mode ask, model large."


@pytest.mark.parametrize(
    ("option", "value"), [("mode", "yolo"), ("model", True), ("verbose", "yes"), ("verbose", 1), ("colour", "red")]
)
def test_what_is_not_offered_cannot_be_set(demo: Demo, option: str, value: object) -> None:
    assert demo.set(option, value).code == -32602


# ---- cancelling ----


@pytest.mark.parametrize("words", ["hang", "silent 600", "slow 600", "flood 900000000", "ask", "long 1 then hang"])
def test_cancel_ends_the_turn_whatever_it_does(demo: Demo, words: str) -> None:
    prompt = demo.start(demo.session, f"echo begin\n{words}")
    demo.until_text("begin")
    demo.cancel(demo.session)
    told = demo.until_answer(prompt)
    assert told.stop == "cancelled"
    assert all(update["status"] == "failed" for update in told.of("tool_call_update"))
    assert demo.say("echo after").text.endswith("after\n")


def test_an_answer_to_a_question_of_a_cancelled_turn_is_dropped(demo: Demo) -> None:
    prompt = demo.start(demo.session, "ask")
    question = demo.until_question()
    demo.cancel(demo.session)
    demo.choose(question, None)
    assert demo.until_answer(prompt).stop == "cancelled"
    demo.choose(question, "allow-once")
    demo.send({"id": [], "result": None})
    assert demo.say("echo x").text == "x\n"


def test_a_cancelled_request_is_answered_with_its_own_error(demo: Demo) -> None:
    prompt = demo.start(demo.session, "hang")
    demo.notify("$/cancel_request", {"requestId": prompt})
    assert demo.until_answer(prompt).code == -32800


def test_cancel_touches_no_other_session(demo: Demo) -> None:
    other = demo.new()
    prompt = demo.start(demo.session, "hang")
    assert demo.prompt(other, "code").stop == "end_turn"
    demo.cancel(other)
    demo.notify("$/cancel_request", {"requestId": "nobody"})
    assert demo.prompt(other, "echo y").text == "y\n"
    demo.cancel(demo.session)
    assert demo.until_answer(prompt).stop == "cancelled"


def test_a_second_prompt_is_refused_while_one_runs(demo: Demo) -> None:
    prompt = demo.start(demo.session, "hang")
    assert demo.say("code").code == -32600
    loaded = demo.come_back(demo.session)
    assert loaded.code == -32600
    demo.cancel(demo.session)
    assert demo.until_answer(prompt).stop == "cancelled"
