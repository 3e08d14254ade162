"""Prompts and the answers to our requests."""

from __future__ import annotations

import pytest

from openab_sync.acp.events import (
    Answered,
    Event,
    Noise,
    Said,
)
from openab_sync.acp.schema import (
    TextBlock,
)
from openab_sync.errors import IllegalTransition
from tests.acp.talk import SESSION, chunk, opened


def whats(events: list[Event]) -> list[str]:
    return [event.what for event in events if isinstance(event, Noise)]


HELLO = [TextBlock("hello")]

# Prompts.


def test_a_turn_ends_with_the_answer_to_its_prompt() -> None:
    talk = opened()
    name = talk.peer.prompt(HELLO)
    (sent,) = talk.written()
    assert sent["params"] == {"sessionId": SESSION, "prompt": [{"type": "text", "text": "hello"}]}
    assert talk.peer.prompt_id == name
    assert f"{name}:session/prompt" in repr(talk.peer)
    events = talk.hear(chunk("Hi"), {"id": name, "result": {"stopReason": "end_turn"}}, chunk(" late"))
    assert events == [
        Said("Hi"),
        Answered(name, "session/prompt", {"stopReason": "end_turn"}, "end_turn"),
        Said(" late"),
    ]
    assert talk.peer.prompt_id is None


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        ({"stopReason": "refusal"}, "refusal"),
        ({"stopReason": "odd_reason"}, "odd_reason"),
        ({"stopReason": 5}, "unknown"),
        ({"stopReason": ""}, "unknown"),
        ({}, "unknown"),
        (None, "unknown"),
    ],
)
def test_any_answer_ends_a_turn_and_the_reason_is_the_agents_own(result: object, reason: str) -> None:
    talk = opened()
    name = talk.peer.prompt(HELLO)
    events = talk.hear({"id": name, "result": result})
    assert isinstance(events[-1], Answered)
    assert events[-1].stop_reason == reason
    assert talk.hear({"id": talk.peer.prompt(HELLO)})[-1] == Answered(name + 1, "session/prompt", {}, "unknown")


def test_there_is_never_a_second_prompt_in_flight() -> None:
    talk = opened()
    name = talk.peer.prompt(HELLO)
    with pytest.raises(IllegalTransition, match=f"prompt {name} has no answer"):
        talk.peer.prompt(HELLO)
    talk.refuse(name, {"code": -32603, "message": "x"})
    assert talk.peer.prompt(HELLO) == name + 1


# Responses.


def test_an_abandoned_prompt_cannot_touch_the_next_turn() -> None:
    talk = opened()
    first = talk.peer.prompt(HELLO)
    talk.peer.cancel_request(first)
    talk.peer.abandon(first)
    second = talk.peer.prompt(HELLO)
    notice = talk.written()[1]
    assert (notice["method"], notice["params"]) == ("$/cancel_request", {"requestId": first})
    assert whats(talk.answer(first, {"stopReason": "cancelled"})) == [f"a response that nobody waits for: id {first}"]
    assert talk.peer.prompt_id == second
    talk.peer.abandon(999)
    assert talk.peer.prompt_id == second


@pytest.mark.parametrize("name", [999, 0, -1, "1", "x", None, 3.5, 2**70])
def test_a_response_that_nobody_waits_for_is_noise(name: object) -> None:
    talk = opened()
    talk.peer.prompt(HELLO)
    (event,) = talk.hear({"id": name, "error": {"code": 1, "message": "why"}})
    assert isinstance(event, Noise)
    assert event.sample == "why"
    (event,) = talk.hear({"id": name, "result": {}})
    assert isinstance(event, Noise)


def test_a_response_whose_id_came_back_as_a_float_is_ours() -> None:
    talk = opened()
    name = talk.peer.prompt(HELLO)
    (event,) = talk.hear(f'{{"id":{name}.0,"result":{{"stopReason":"end_turn"}},"error":null}}\n'.encode())
    assert event == Answered(name, "session/prompt", {"stopReason": "end_turn"}, "end_turn")


def test_a_result_that_is_no_object_is_success_with_a_noise() -> None:
    talk = opened()
    noise, answered = talk.answer(talk.peer.prompt(HELLO), ["x"])
    assert isinstance(noise, Noise)
    assert isinstance(answered, Answered)
    assert answered.result == {}
