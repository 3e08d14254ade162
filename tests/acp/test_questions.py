"""What an agent asks: everything gets exactly one answer."""

from __future__ import annotations

import pytest

from openab_sync.acp.events import (
    Answered,
    Asked,
    AskWithdrawn,
    Diff,
    Event,
    Noise,
    PermissionOption,
    ToolChanged,
)
from openab_sync.acp.schema import (
    TextBlock,
)
from tests.acp.talk import SESSION, ask, chunk, opened, text_of

HELLO = [TextBlock("hello")]
CANCELLED = {"outcome": {"outcome": "cancelled"}}


def whats(events: list[Event]) -> list[str]:
    return [event.what for event in events if isinstance(event, Noise)]


# Requests of the agent.


@pytest.mark.parametrize("name", [0, 1, -5, 2**80, "a-uuid", "", None, 1.5, "\u2028"])
@pytest.mark.parametrize(
    "method", ["fs/read_text_file", "terminal/create", "elicitation/create", "_x/y", "session/prompt"]
)
def test_an_unknown_request_is_refused_at_once_with_its_own_id(name: object, method: str) -> None:
    talk = opened()
    events = talk.hear({"jsonrpc": "2.0", "id": name, "method": method, "params": {"path": "/etc/passwd"}})
    (sent,) = talk.written()
    assert sent["id"] == name
    assert type(sent["id"]) is type(name)
    assert sent["error"]["code"] == -32601
    assert len(whats(events)) == 1
    assert talk.hear({"id": name, "method": method}) == []
    assert len(talk.written()) == 1


def test_the_same_id_can_be_open_in_both_directions() -> None:
    talk = opened()
    name = talk.peer.prompt(HELLO)
    talk.written()
    (asked,) = talk.hear(ask(name))
    assert isinstance(asked, Asked)
    assert talk.peer.prompt_id == name
    assert talk.peer.answer(name, "yes")
    assert talk.written() == [
        {"jsonrpc": "2.0", "id": name, "result": {"outcome": {"outcome": "selected", "optionId": "yes"}}}
    ]
    assert isinstance(talk.answer(name, {"stopReason": "end_turn"})[0], Answered)


@pytest.mark.parametrize(("bad", "echoed"), [(b'[{"id":1,"method":"x"}]\n', None), (b'{"id":"a","method":3}\n', "a")])
def test_what_is_no_request_is_answered_once_as_such(bad: bytes, echoed: object) -> None:
    talk = opened()
    (event,) = talk.hear(bad)
    assert isinstance(event, Noise)
    (sent,) = talk.written()
    assert (sent["id"], sent["error"]["code"]) == (echoed, -32600)


def test_a_line_that_is_no_message_is_noise_and_an_update_with_an_id_is_answered() -> None:
    talk = opened()
    assert whats(talk.hear({"level": "info"})) == ["neither a request nor a notification nor a response"]
    assert text_of(talk.hear({**chunk("a"), "id": 5}, {**chunk("b"), "id": None})) == "ab"
    assert talk.written() == [{"jsonrpc": "2.0", "id": 5, "result": None}]


# Questions.


def test_a_question_shows_its_tool_and_its_options_and_gets_one_answer() -> None:
    talk = opened()
    options = [
        {"optionId": "o1", "name": "Yes", "kind": "allow_once"},
        {"optionId": "o1", "name": "again", "kind": "reject_once"},
        {"optionId": "o2"},
        {"name": "no id"},
        None,
    ]
    tool = {
        "toolCallId": "t",
        "title": "rm",
        "kind": "delete",
        "content": [{"type": "diff", "path": "a", "newText": "b"}],
    }
    events = talk.hear(ask("q", options, tool))
    assert events[-1] == Asked(
        "q",
        ToolChanged("t", "rm", "delete", content=(Diff("a", None, "b"),)),
        (PermissionOption("o1", "Yes", "allow_once"), PermissionOption("o2", "o2")),
    )
    assert len(whats(events)) == 2
    with pytest.raises(ValueError, match="'allow' was not offered"):
        talk.peer.answer("q", "allow")
    assert talk.written() == []
    assert talk.peer.open_questions == ("q",)
    assert talk.peer.answer("q", "o2")
    assert not talk.peer.answer("q", "o1")
    assert not talk.peer.answer("never asked", None)
    (sent,) = talk.written()
    assert (sent["id"], sent["result"]) == ("q", {"outcome": {"outcome": "selected", "optionId": "o2"}})


@pytest.mark.parametrize(
    ("tool", "known"),
    [
        ({"title": "ls"}, ToolChanged("", "ls")),
        ({"toolCallId": None, "title": "ls"}, ToolChanged("", "ls")),
        ({"toolCallId": "t"}, ToolChanged("t")),
        ([1], ToolChanged("")),
        ("x", ToolChanged("")),
    ],
)
def test_a_question_that_says_little_is_a_question(tool: object, known: ToolChanged) -> None:
    talk = opened()
    events = talk.hear(ask(1, "none", tool))
    assert events[-1] == Asked(1, known, ())
    assert talk.peer.answer(1, None)
    assert talk.written()[0]["result"] == CANCELLED


def test_a_question_without_any_parameters_is_a_question() -> None:
    talk = opened()
    assert talk.hear({"id": 1, "method": "session/request_permission"}) == [Asked(1, ToolChanged(""))]
    assert whats(talk.hear({"method": "session/request_permission"})) == [
        "unknown notification session/request_permission"
    ]


def test_several_questions_are_open_at_once_and_ids_of_all_types_are_apart() -> None:
    talk = opened()
    talk.hear(ask(1), ask("1"), b'{"id":1.0,"method":"session/request_permission"}\n', ask(None))
    assert talk.peer.open_questions == (1, "1", 1.0, None)
    assert talk.peer.answer("1", "yes")
    assert talk.peer.answer(None, None)
    assert [one["id"] for one in talk.written()] == ["1", None]
    assert list(talk.peer.open_questions) == [1, 1.0]


def test_a_second_question_under_an_open_id_is_refused_and_the_first_stays() -> None:
    talk = opened()
    events = talk.hear(ask(3), ask(3))
    assert [type(event) for event in events] == [Asked, Noise]
    talk.peer.answer(3, "yes")
    refusal, answer = talk.written()
    assert (refusal["id"], refusal["error"]["code"]) == (3, -32600)
    assert answer["result"]["outcome"]["optionId"] == "yes"


def test_cancel_tells_the_agent_first_and_answers_every_question() -> None:
    talk = opened()
    name = talk.peer.prompt(HELLO)
    talk.hear(ask(1), ask(2))
    talk.written()
    talk.peer.cancel()
    told, one, two = talk.written()
    assert (told["method"], told["params"]) == ("session/cancel", {"sessionId": SESSION})
    assert "id" not in told
    assert (one, two) == tuple({"jsonrpc": "2.0", "id": number, "result": CANCELLED} for number in (1, 2))
    events = talk.hear(chunk("still "), ask(3), chunk("talking"))
    assert text_of(events) == "still talking"
    assert talk.written() == [{"jsonrpc": "2.0", "id": 3, "result": CANCELLED}]
    talk.answer(name, {"stopReason": "cancelled"})
    talk.peer.prompt(HELLO)
    assert isinstance(talk.hear(ask(4))[0], Asked)


def test_a_cancel_between_turns_does_not_reach_the_next_one() -> None:
    talk = opened()
    talk.peer.cancel()
    assert isinstance(talk.hear(ask(1))[0], Asked)
    talk.peer.prompt(HELLO)
    assert isinstance(talk.hear(ask(2))[0], Asked)


def test_questions_left_open_at_the_end_of_a_turn_are_settled() -> None:
    talk = opened()
    name = talk.peer.prompt(HELLO)
    talk.hear(ask(1), ask("b"))
    talk.written()
    events = talk.answer(name, {"stopReason": "end_turn"})
    assert events[:2] == [AskWithdrawn(1, turn_ended=True), AskWithdrawn("b", turn_ended=True)]
    assert isinstance(events[2], Answered)
    assert [one["result"] for one in talk.written()] == [CANCELLED, CANCELLED]
    assert isinstance(talk.hear(ask(9))[0], Asked)  # after the answer: an answer it gets all the same
    assert talk.peer.answer(9, "yes")


def test_a_question_can_be_taken_back() -> None:
    talk = opened()
    talk.hear(ask(1), ask(2))
    taken_back = {"method": "$/cancel_request", "params": {"requestId": 1}}
    assert talk.hear(taken_back, taken_back) == [AskWithdrawn(1)]
    assert talk.hear({"method": "$/cancel_request"}) == []
    assert not talk.peer.answer(1, "yes")
    (sent,) = talk.written()
    assert (sent["id"], sent["error"]["code"]) == (1, -32800)
    assert talk.hear({**taken_back, "id": 7}) == []
    assert talk.written() == [{"jsonrpc": "2.0", "id": 7, "result": None}]


def test_closing_settles_what_is_open_and_refuses_what_still_comes() -> None:
    talk = opened()
    talk.hear(ask(1))
    talk.peer.close()
    talk.peer.close()
    talk.hear(ask(2), {"id": 3, "method": "fs/read_text_file", "params": {}})
    one, two, three = talk.written()
    assert (one["id"], one["result"]) == (1, CANCELLED)
    assert (two["id"], two["result"]) == (2, CANCELLED)
    assert (three["id"], three["error"]["code"]) == (3, -32800)
    assert talk.peer.open_questions == ()
