"""One peer shakes hands, opens sessions, and stands agents that do not keep to anything."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openab_sync.acp.events import (
    Answered,
    Command,
    CommandsChanged,
    Event,
    Failed,
    Noise,
    OptionsChanged,
    Said,
    SessionInfo,
    UsageChanged,
)
from openab_sync.acp.schema import (
    TextBlock,
)
from openab_sync.errors import AgentProtocolError, IllegalTransition
from tests.acp.talk import SESSION, Talk, chunk, line, opened, text_of, update

HELLO = [TextBlock("hello")]


def whats(events: list[Event]) -> list[str]:
    return [event.what for event in events if isinstance(event, Noise)]


# Shaking hands.


def test_initialize_offers_version_1_as_an_integer_and_nothing_that_is_not_served() -> None:
    talk = Talk()
    assert talk.peer.initialize() == 1
    (sent,) = talk.written()
    assert sent == {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {
            "protocolVersion": 1,
            "clientCapabilities": {"fs": {"readTextFile": False, "writeTextFile": False}, "terminal": False},
            "clientInfo": {"name": "openab-sync", "title": "openab-sync", "version": "1.2"},
        },
    }


@pytest.mark.parametrize("theirs", [2, 0, "1", "2025-01-01", True, None, 1.5, [1]])
def test_another_version_is_an_error_that_names_both(theirs: object) -> None:
    talk = Talk()
    name = talk.peer.initialize()
    with pytest.raises(AgentProtocolError) as caught:
        talk.answer(name, {"protocolVersion": theirs})
    assert str(theirs) in str(caught.value)
    assert "speaks 1" in str(caught.value)


def test_an_answer_without_a_version_is_an_error_too() -> None:
    talk = Talk()
    with pytest.raises(AgentProtocolError, match="version none"):
        talk.answer(talk.peer.initialize(), {})


def test_a_version_written_as_a_float_is_the_same_number() -> None:
    talk = Talk()
    (event,) = talk.answer(talk.peer.initialize(), {"protocolVersion": 1.0})
    assert isinstance(event, Answered)


# Sessions.


def test_a_new_session_is_open_when_it_is_answered() -> None:
    talk = Talk().shake_hands()
    talk.written()
    name = talk.peer.new_session("/w")
    (sent,) = talk.written()
    assert (sent["method"], sent["params"]) == ("session/new", {"cwd": "/w", "mcpServers": []})
    assert talk.peer.session_id is None
    assert talk.answer(name, {"sessionId": "abc"}) == [Answered(name, "session/new", {"sessionId": "abc"})]
    assert talk.peer.session_id == "abc"


@pytest.mark.parametrize("result", [None, {}, {"sessionId": ""}, {"sessionId": 7}, [], "s"])
def test_a_new_session_without_an_id_has_failed(result: object) -> None:
    talk = Talk().shake_hands()
    events = talk.hear({"id": talk.peer.new_session("/w"), "result": result})
    assert isinstance(events[-1], Failed)
    assert talk.peer.session_id is None


def test_what_was_not_announced_is_not_asked_for() -> None:
    peer = opened().peer
    calls: tuple[Callable[[], int], ...] = (
        lambda: peer.load_session("s", "/w"),
        lambda: peer.resume_session("s", "/w"),
        peer.list_sessions,
        peer.close_session,
        lambda: peer.delete_session("s"),
    )
    for call in calls:
        with pytest.raises(IllegalTransition, match="not announced"):
            call()
    assert not peer.outgoing


def test_what_was_announced_is_asked_for() -> None:
    talk = Talk().shake_hands(sessionCapabilities={"list": {}, "close": {}, "delete": {}, "resume": {}})
    talk.written()
    talk.answer(talk.peer.resume_session("old", "/w"))
    assert talk.peer.session_id == "old"
    assert "session=open" in repr(talk.peer)
    assert "old" not in repr(talk.peer)  # whoever knows it can resume the session
    talk.peer.list_sessions()
    talk.peer.list_sessions("/w", "next")
    talk.peer.close_session()
    talk.peer.delete_session("older")
    assert [(one["method"], one["params"]) for one in talk.written()] == [
        ("session/resume", {"sessionId": "old", "cwd": "/w", "mcpServers": []}),
        ("session/list", {}),
        ("session/list", {"cwd": "/w", "cursor": "next"}),
        ("session/close", {"sessionId": "old"}),
        ("session/delete", {"sessionId": "older"}),
    ]


def test_two_sessions_are_not_opened_at_once_and_nothing_is_asked_before_there_is_one() -> None:
    talk = Talk().shake_hands()
    with pytest.raises(IllegalTransition, match="no session"):
        talk.peer.prompt(HELLO)
    assert talk.peer.prompt_id is None
    with pytest.raises(IllegalTransition, match="no session"):
        talk.peer.cancel()
    talk.peer.new_session("/w")
    with pytest.raises(IllegalTransition, match="opening"):
        talk.peer.new_session("/w")


@pytest.mark.parametrize("method", ["load", "resume"])
def test_history_is_swallowed_while_a_session_is_brought_back_and_its_state_is_not(method: str) -> None:
    talk = Talk().shake_hands(loadSession=True, sessionCapabilities={"resume": {}})
    name = talk.peer.load_session("old", "/w") if method == "load" else talk.peer.resume_session("old", "/w")
    replay = [
        update("user_message_chunk", "old", content={"type": "text", "text": "q"}),
        chunk("a", "old"),
        update("agent_thought_chunk", "old", content={"type": "text", "text": "t"}),
        update("tool_call", "old", toolCallId="t", title="x"),
        update("plan", "old", entries=[]),
        update("usage_update", "old", used=1, size=2),
        update("available_commands_update", "old", availableCommands=[{"name": "/go"}]),
        update("session_info_update", "old", title="T"),
        update("current_mode_update", "old", currentModeId="code"),
    ]
    assert talk.hear(*replay) == []
    modes = {"currentModeId": "ask", "availableModes": [{"id": "ask"}, {"id": "code"}]}
    events = talk.answer(name, {"modes": modes})
    assert [type(event) for event in events] == [Answered, OptionsChanged, UsageChanged, CommandsChanged, SessionInfo]
    assert talk.peer.options[0].value == "ask"
    assert talk.peer.commands == (Command("go"),)
    assert talk.hear(chunk("late history", "old")) == [Said("late history")]  # when to show it is not ours to decide


def test_a_refused_load_leaves_room_for_a_new_session() -> None:
    talk = Talk().shake_hands(loadSession=True)
    name = talk.peer.load_session("old", "/w")
    talk.hear(chunk("a", "old"), update("usage_update", "old", used=1))
    (event,) = talk.refuse(name, {"code": -32002, "message": "unknown session"})
    assert isinstance(event, Failed)
    assert talk.peer.session_id is None
    talk.open()
    assert talk.peer.session_id == SESSION


def test_a_load_that_nobody_waits_for_any_more_opens_nothing() -> None:
    talk = Talk().shake_hands(loadSession=True)
    name = talk.peer.load_session("old", "/w")
    talk.peer.abandon(name)
    talk.open()
    assert whats(talk.answer(name)) == [f"a response that nobody waits for: id {name}"]
    assert talk.peer.session_id == SESSION


# Agents that do not keep to anything.


def test_a_line_beyond_the_limit_ends_the_session(monkeypatch: pytest.MonkeyPatch) -> None:
    talk = opened()
    monkeypatch.setattr(talk.peer._lines, "_limit", 1000)
    assert text_of(talk.hear(chunk("ok"))) == "ok"
    with pytest.raises(AgentProtocolError, match="1,000 bytes"):
        talk.hear(b"x" * 2000)


def test_banners_and_rubbish_cost_a_noise_each_and_no_text() -> None:
    talk = opened()
    rubbish = [b"Loading...\n", b"\n", b"\xff\xfe\n", b"[]\n", b"\x1b[2K 40%\r\n"]
    events = talk.hear(*[piece for bad in rubbish for piece in (bad, line(chunk("x")))])
    assert text_of(events) == "xxxxx"
    assert len(whats(events)) == 5


@given(st.binary(max_size=200), st.lists(st.integers(0), max_size=5))
def test_no_bytes_raise_or_hide_what_follows(garbage: bytes, places: list[int]) -> None:
    talk = opened()
    data = garbage + b"\n" + line(chunk("good"))
    ends = sorted({0, len(data), *(place % len(data) for place in places)})
    events: list[Event] = []
    for start, end in pairwise(ends):
        events += talk.peer.receive(data[start:end])
    assert text_of(events) == "good"
    talk.written()


NAMES = [
    "sessionId",
    "update",
    "sessionUpdate",
    "content",
    "type",
    "text",
    "options",
    "optionId",
    "toolCall",
    "requestId",
    "code",
    "message",
    "data",
    "configOptions",
    "modes",
    "models",
    "availableModes",
    "usage",
    "stopReason",
    "_meta",
]
odd_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.floats()
    | st.text(max_size=4)
    | st.sampled_from([SESSION, "text", "plan"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=10,
)
messages = st.fixed_dictionaries(
    {},
    optional={
        "id": odd_values | st.integers(1, 5),
        "method": st.sampled_from(["session/update", "session/request_permission", "$/cancel_request", "_x", 5, None]),
        "params": odd_values,
        "result": odd_values,
        "error": odd_values,
    },
)


@given(st.lists(messages, max_size=8))
def test_messages_of_impossible_shapes_never_raise_and_requests_get_one_answer(sent: list[dict[str, Any]]) -> None:
    talk = opened()
    talk.peer.prompt(HELLO)
    talk.peer.outgoing.clear()
    for message in sent:
        talk.hear(message)
    assert text_of(talk.hear(chunk("good"))) == "good"
    talk.peer.close()
    wanted = [one for one in sent if one.get("method") == 5 or (one.get("method") and "id" in one)]
    silent = [one for one in wanted if one["method"] in ("session/update", "$/cancel_request") and is_null(one["id"])]
    answers = [one for one in talk.written() if "method" not in one]
    assert len(answers) == len(wanted) - len(silent)


def is_null(name: object) -> bool:
    """Return whether an id is null once it is JSON: NaN and its like have no other way to be written."""
    return name is None or (isinstance(name, float) and not math.isfinite(name))
