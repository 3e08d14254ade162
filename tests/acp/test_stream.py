"""Runs of updates become one event, and nothing is lost, moved or changed by it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openab_sync.acp.events import Answered, Event, Noise, Output, PlanChanged, Said, Thought, ToolChanged
from openab_sync.core.turn import TextRun, ThoughtRun, ToolGroup, Turn
from tests.acp.talk import SESSION, Talk, ask, chunk, opened, text_of, update
from tests.core.makers import note
from tests.fakes.clock import FakeClock


def thought(text: str, **members: Any) -> dict[str, Any]:
    return update("agent_thought_chunk", content={"type": "text", "text": text}, **members)


def call(name: str, **members: Any) -> dict[str, Any]:
    return update("tool_call", toolCallId=name, **members)


def step(name: str, **members: Any) -> dict[str, Any]:
    return update("tool_call_update", toolCallId=name, **members)


def test_text_that_belongs_together_is_one_event_and_the_order_stays() -> None:
    events = opened().hear(
        *[chunk("a"), chunk("b"), thought("c"), thought("d"), chunk("e")],
        *[chunk("f", messageId="m"), chunk("g", messageId="m")],
        *[update("plan", entries=[]), chunk("h", messageId="m")],
    )
    assert events == [Said("ab"), Thought("cd"), Said("e"), Said("fg", "m"), PlanChanged(()), Said("h", "m")]


def test_the_steps_of_one_call_are_one_event_that_says_what_they_say_together() -> None:
    text = {"type": "content", "content": {"type": "text", "text": "done"}}
    events = opened().hear(
        call("t", title="Read", kind="read", status="pending", rawInput={"path": "a"}, locations=[{"path": "a"}]),
        step("t", status="in_progress", content=[]),
        step("t", title="Read a", status="completed", content=[text], rawOutput="x"),
        step("u", status="in_progress"),
        step("t", locations=[]),
    )
    whole = ToolChanged("t", "Read a", "read", "completed", (Output("done"),), ("a",), {"path": "a"}, "x")
    assert events == [whole, ToolChanged("u", status="in_progress"), ToolChanged("t", locations=())]


@pytest.mark.parametrize(
    ("first", "then"),
    [("completed", "in_progress"), ("failed", "pending"), ("pending", "thinking hard")],
)
def test_an_end_or_a_state_of_the_agents_own_is_never_folded_away(first: str, then: str) -> None:
    events = opened().hear(call("t", status=first), step("t", status=then))
    assert events == [ToolChanged("t", status=first), ToolChanged("t", status=then)]


def test_what_comes_between_parts_what_stands_around_it() -> None:
    talk = opened()
    name = talk.peer.logout()
    events = talk.hear(chunk("a"), ask(7), chunk("b"), {"id": name, "result": {}}, step("t"), b"nonsense\n", step("t"))
    kinds = [type(event).__name__ for event in events]
    assert kinds == ["Said", "Asked", "Said", "Answered", "ToolChanged", "Noise", "ToolChanged"]


def test_others_text_is_not_ours_and_an_update_with_an_id_gets_its_answer() -> None:
    talk = opened()
    events = talk.hear(chunk("a"), chunk("x", "other"), {**chunk("b"), "id": 5}, chunk("c"), chunk(""), thought(""))
    assert [event for event in events if not isinstance(event, Noise)] == [Said("a"), Said("b"), Said("c")]
    assert [answer["id"] for answer in talk.written()] == [5]


def test_the_updates_of_a_session_that_opens_in_the_same_breath_are_told() -> None:
    talk = Talk().shake_hands()
    name = talk.peer.new_session("/w")
    no_session = {"method": "session/update", "params": {**chunk("?")["params"], "sessionId": None}}
    events = talk.hear(no_session, chunk("a"), {"id": name, "result": {"sessionId": SESSION}}, chunk("b"), chunk("c"))
    assert text_of(events) == "abc"
    assert [type(event) for event in events if not isinstance(event, Said)] == [Noise, Answered]


@given(st.lists(st.tuples(st.sampled_from(["agent_message_chunk", "agent_thought_chunk"]), st.text(max_size=3))))
def test_joining_loses_nothing_and_changes_no_order(pieces: list[tuple[str, str]]) -> None:
    events = opened().hear(*[update(kind, content={"type": "text", "text": text}) for kind, text in pieces])
    kinds = {"agent_message_chunk": Said, "agent_thought_chunk": Thought}
    assert text_of(events) == "".join(text for kind, text in pieces if kinds[kind] is Said)
    spoken = [(type(event), event.text) for event in events if isinstance(event, Said | Thought)]
    assert "".join(text for _, text in spoken) == "".join(text for _, text in pieces)
    assert all(text for _, text in spoken)


TEXTS = st.fixed_dictionaries(
    {"content": st.builds(lambda text: {"type": "text", "text": text}, st.sampled_from(["", "a", "b\n"]))},
    optional={"messageId": st.sampled_from(["m", "n"])},
)
TOOLS = st.fixed_dictionaries(
    {"toolCallId": st.sampled_from(["t", "u"])},
    optional={
        "title": st.sampled_from(["", "one", "two", None]),
        "kind": st.sampled_from(["read", "edit"]),
        "status": st.sampled_from(["pending", "in_progress", "completed", "failed", "odd", None]),
        "content": st.sampled_from([[], [{"type": "diff", "path": "f", "newText": "x"}]]),
        "locations": st.sampled_from([[], [{"path": "p"}]]),
        "rawInput": st.sampled_from([{"command": "ls"}, None]),
        "rawOutput": st.sampled_from(["out", None]),
    },
)
UPDATES = st.one_of(
    st.tuples(st.sampled_from(["agent_message_chunk", "agent_thought_chunk"]), TEXTS),
    st.tuples(st.sampled_from(["tool_call", "tool_call_update"]), TOOLS),
    st.tuples(st.just("plan"), st.just({"entries": [{"content": "do it"}]})),
)


@given(st.lists(UPDATES, max_size=12), st.booleans())
def test_a_turn_is_the_same_whether_updates_come_one_by_one_or_in_one_breath(
    said: list[tuple[str, dict[str, Any]]], is_late: bool
) -> None:
    updates = [update(kind, **members) for kind, members in said]
    one_by_one, in_one_breath = opened(), opened()
    singly: list[Event] = [event for item in updates for event in one_by_one.hear(item)]
    at_once = in_one_breath.hear(*updates)
    assert len(at_once) <= len(singly)
    assert look_of(at_once, is_late) == look_of(singly, is_late)


def look_of(events: list[Event], is_late: bool) -> list[object]:
    """All that can be seen of a turn made of these events."""
    turn = Turn((note("m1"),), FakeClock())
    if is_late:
        turn.end("done")
    for event in events:
        assert isinstance(event, Said | Thought | ToolChanged | PlanChanged)
        turn.take(event)
    looks: list[object] = [turn.text, turn.message_ids, turn.open_tool, list(map(repr, turn.tools)), turn.outcome]
    for segment in turn.segments:
        match segment:
            case TextRun():
                looks.append(("text", "".join(segment.parts), segment.continues))
            case ThoughtRun():
                looks.append(("thought", "".join(segment.parts)))
            case ToolGroup():
                looks.append(("tools", [tool.call_id for tool in segment.tools]))
            case _:
                looks.append(repr(segment))
    return looks
