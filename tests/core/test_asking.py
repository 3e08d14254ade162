"""The questions of a turn: judged first, put to people where they have to decide, answered once."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from openab_sync.core.asking import MOST
from openab_sync.core.audit import Audit
from openab_sync.core.judging import Standing
from openab_sync.core.port import Notice, Question
from tests.acp.talk import ask, update
from tests.core.bed import ANN, BOB, EVENTS
from tests.core.test_answering import CANCELLED, OPTIONS, Scene, chosen

ALWAYS = [{"optionId": "ever", "name": "Always", "kind": "allow_always"}, *OPTIONS]
RUN = {"toolCallId": "t1", "title": "npm test", "kind": "execute", "rawInput": {"command": "npm test"}}


def ruled(*rules: dict[str, Any], can_ask: bool = True, mode: str = "ask") -> Scene:
    return Scene(replace(EVENTS, can_ask=can_ask), permissions={"mode": mode, "rules": rules})


def notices(scene: Scene) -> list[str]:
    return [event.text for _, event in scene.platform.events if isinstance(event, Notice)]


def open_questions(scene: Scene) -> list[Question]:
    return [question for question, future in scene.platform.questions.values() if not future.done()]


def test_a_rule_allows_without_a_word_and_denies_with_one() -> None:
    scene = ruled({"command": "npm *", "then": "allow"}, {"kind": "delete", "then": "deny"})
    scene.hear(ask(1, OPTIONS, RUN))
    assert (scene.outcomes(), notices(scene)) == ([chosen("go")], [])
    scene.hear(ask(2, OPTIONS, {"toolCallId": "t2", "title": "rm x", "kind": "delete"}))
    assert scene.outcomes() == [chosen("no")]
    assert notices(scene) == ["🔒 Rejected, rule 2 of the configuration: rm x"]
    assert scene.platform.questions == {}


def test_a_rule_that_asks_goes_before_a_mode_that_allows() -> None:
    scene = ruled({"kind": "execute", "then": "ask"}, mode="allow")
    scene.hear(ask(1, OPTIONS, RUN), ask(2, OPTIONS, {"toolCallId": "t2", "kind": "edit"}))
    assert scene.outcomes() == [chosen("go")]
    assert [question.title for question in open_questions(scene)] == ["npm test"]


def test_what_was_told_of_a_call_before_counts_for_the_rules_too() -> None:
    """A question may say nothing but the id of its call."""
    scene = ruled({"command": "npm *", "then": "allow"})
    scene.hear(update("tool_call", **RUN), ask(1, OPTIONS, {"toolCallId": "t1"}))
    assert scene.outcomes() == [chosen("go")]


@pytest.mark.parametrize(("can_ask", "outcomes"), [(True, []), (False, [chosen("stay")])])
def test_where_allowing_would_change_the_mode_people_are_asked_or_it_is_rejected(
    can_ask: bool, outcomes: list[object]
) -> None:
    options = [
        {"optionId": "default", "name": "Yes", "kind": "allow_once"},
        {"optionId": "stay", "name": "No, keep planning", "kind": "reject_once"},
    ]
    scene = ruled(mode="allow", can_ask=can_ask)
    scene.hear(ask(1, options, {"toolCallId": "t", "title": "Ready to code?", "kind": "switch_mode"}))
    assert scene.outcomes() == outcomes
    assert len(open_questions(scene)) == (1 if can_ask else 0)


def test_ids_that_python_takes_for_the_same_are_different_questions() -> None:
    """1 and 1.0 are two requests of an agent; one answer each."""
    scene = Scene()
    scene.hear(ask(1, OPTIONS), ask(1.0, OPTIONS, {"toolCallId": "t2"}))
    assert scene.answering.questions == 2
    first, second = open_questions(scene)
    scene.platform.answer(second, "no", ANN)
    scene.answering.tend()
    scene.platform.answer(first, "go", ANN)
    scene.answering.tend()
    answers = {json.dumps(one["id"]): one["result"]["outcome"] for one in scene.talk.written() if "result" in one}
    assert answers == {"1": chosen("go"), "1.0": chosen("no")}
    assert scene.answering.questions == 0


def test_an_always_is_noted_in_the_agents_own_words_and_decides_nothing_here() -> None:
    scene = Scene()
    scene.hear(ask(1, ALWAYS, RUN))
    scene.platform.answer(scene.platform.until_question(), "ever", BOB)
    scene.answering.tend()
    assert scene.outcomes() == [chosen("ever")]
    assert scene.judge.standing == (Standing(BOB, said="Always", about="npm test"),)
    scene.hear(ask(2, ALWAYS, RUN))
    assert scene.outcomes() == [] and len(open_questions(scene)) == 1


def test_a_rule_of_the_session_holds_from_then_on() -> None:
    scene = Scene()
    [rule] = ruled({"kind": "execute", "then": "allow"}).config.permissions.rules
    scene.judge.remember(Standing(ANN, rule))
    scene.hear(ask(1, OPTIONS, RUN))
    assert scene.outcomes() == [chosen("go")]


def test_a_cancel_and_an_end_say_why_the_question_is_over() -> None:
    scene = Scene()
    scene.hear(ask(1, OPTIONS))
    scene.answering.cancel("cancelled", "Cancelled by Bob.")
    assert (scene.outcomes(), scene.settled()) == ([CANCELLED], ["Cancelled by Bob."])
    scene.hear(ask(2, OPTIONS))
    assert (scene.outcomes(), len(scene.platform.questions)) == ([CANCELLED], 1)


def test_the_death_of_the_agent_and_the_end_of_its_turn_close_questions() -> None:
    scene = Scene()
    scene.hear(ask(1, OPTIONS))
    scene.answering.end("gone", "The agent has ended (exit code 3).")
    assert scene.settled() == ["The agent has ended (exit code 3)."]
    scene = Scene()
    scene.hear(ask(1, OPTIONS))
    scene.end(stopReason="end_turn")
    assert scene.settled() == ["The turn has ended."]


def test_a_flood_of_questions_is_rejected_beyond_what_anybody_reads_and_told_once() -> None:
    scene = Scene()
    scene.hear(*(ask(number, OPTIONS, {"toolCallId": f"t{number}"}) for number in range(MOST + 200)))
    assert scene.answering.questions == MOST
    assert scene.outcomes() == [chosen("no")] * 200
    assert len(notices(scene)) == 1 and "50 questions are open already" in notices(scene)[0]


def test_each_answer_is_on_record_with_who_or_what_decided() -> None:
    kept: list[tuple[str, str, str | None, object]] = []

    def keep(kind: str, conversation: str, person: tuple[str, str], details: dict[str, object]) -> None:
        kept.append((kind, person[0], details["chosen"], details.get("why")))  # type: ignore[arg-type]  # an id or None

    scene = Scene(audit=Audit(keep), permissions={"rules": [{"kind": "delete", "then": "deny"}]})
    scene.hear(ask(1, OPTIONS), ask(2, OPTIONS, {"toolCallId": "t2", "kind": "delete"}), ask(3, OPTIONS))
    scene.platform.answer(open_questions(scene)[0], "go", BOB)
    scene.answering.tend()
    scene.end(stopReason="end_turn")
    assert kept == [
        ("permission", "", "no", "rule 1 of the configuration"),
        ("permission", "bob", "go", None),
        ("permission", "", None, "The turn has ended."),
    ]


def test_who_chose_is_said_however_long_the_options_name_is() -> None:
    scene = Scene()
    scene.hear(ask(1, [{"optionId": "go", "name": f"Run {'x' * 900}", "kind": "allow_once"}]))
    scene.platform.answer(scene.platform.until_question(), "go", ANN)
    scene.answering.tend()
    assert scene.settled()[0].endswith("… — Ann") and len(scene.settled()[0]) < 200
