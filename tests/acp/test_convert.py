"""Shapes of the field become events: content, tools, plans, tokens, errors."""

from __future__ import annotations

import pytest

from openab_sync.acp.convert import stored_sessions
from openab_sync.acp.events import (
    Answered,
    AuthMethod,
    Command,
    CommandsChanged,
    Diff,
    Failed,
    Link,
    Media,
    Noise,
    Output,
    PlanChanged,
    PlanEntry,
    SessionInfo,
    StoredSession,
    ToolChanged,
    UsageChanged,
)
from openab_sync.acp.peer import error_from
from openab_sync.acp.schema import TextBlock
from openab_sync.errors import AuthRequired
from tests.acp.talk import opened, update


def test_images_sounds_files_and_links_are_events() -> None:
    blocks = [
        {"type": "image", "data": "aW1n", "mimeType": "image/png", "uri": None},
        {"type": "audio", "data": "c25k", "mimeType": "audio/ogg"},
        {"type": "resource", "resource": {"uri": "file:///a", "text": "words", "mimeType": "text/plain"}},
        {"type": "resource", "resource": {"uri": "file:///b", "blob": "Yg=="}},
        {"type": "resource_link", "uri": "file:///c", "name": "c", "size": 12.0},
    ]
    assert opened().hear(*[update("agent_message_chunk", content=block, messageId="m") for block in blocks]) == [
        Media("image", "image/png", "aW1n", message_id="m"),
        Media("audio", "audio/ogg", "c25k", message_id="m"),
        Media("resource", "text/plain", None, "words", "file:///a", "m"),
        Media("resource", "", "Yg==", None, "file:///b", "m"),
        Link("file:///c", "c", "", 12, "m"),
    ]


def test_a_tool_call_tells_what_it_holds_and_its_updates_only_what_is_new() -> None:
    content = [
        {"type": "content", "content": {"type": "text", "text": "out"}},
        {"type": "content", "content": {"type": "image", "data": "x"}},
        {"type": "content", "content": {"type": "text", "text": ""}},
        {"type": "diff", "path": "/a", "oldText": None, "newText": "new"},
        {"type": "terminal", "terminalId": "t"},
    ]
    first = update(
        "tool_call", toolCallId="1", title="ls", kind="execute", status="pending", content=content,
        locations=[{"path": "/a", "line": 3}], rawInput={"c": 1}, rawOutput=[2],
    )  # fmt: skip
    later = update("tool_call_update", toolCallId="unseen", status="completed", content=[])
    assert opened().hear(first, later) == [
        ToolChanged(
            "1", "ls", "execute", "pending", (Output("out"), Media("image", data="x"), Diff("/a", None, "new")),
            ("/a",), {"c": 1}, [2],
        ),
        ToolChanged("unseen", status="completed", content=()),
    ]  # fmt: skip


def test_plan_usage_commands_and_title() -> None:
    talk = opened()
    commands = [{"name": "web", "description": "search", "input": {"hint": "query"}}, {"name": "/x", "input": None}, 7]
    events = talk.hear(
        update("plan", entries=[{"content": "a"}, {"content": "b", "status": "completed", "priority": "low"}]),
        update("usage_update", used=1.0, size=200, cost={"amount": 1, "currency": "EUR"}),
        update("usage_update", used=None),
        update("available_commands_update", availableCommands=commands),
        update("session_info_update", title="T"),
        update("session_info_update", title=None),
        update("session_info_update", updatedAt="now"),
    )
    assert [event for event in events if not isinstance(event, Noise)] == [
        PlanChanged((PlanEntry("a"), PlanEntry("b", "completed", "low"))),
        UsageChanged(1, 200, 1.0, "EUR"),
        UsageChanged(),
        CommandsChanged((Command("web", "search", "query"), Command("x"))),
        SessionInfo("T"),
        SessionInfo(""),
    ]
    assert talk.peer.commands[0].hint == "query"


HELLO = [TextBlock("hello")]


@pytest.mark.parametrize(
    ("result", "tokens", "usage"),
    [
        ({"usage": {"outputTokens": 34, "totalTokens": 99}}, 34, None),
        ({"usage": {"output_tokens": 0}}, 0, None),
        (
            {"usage": {"completion_tokens": 5.0, "cost": {"amount": 0.5, "currency": "USD"}}},
            5,
            UsageChanged(None, None, 0.5, "USD"),
        ),
        ({"usage": {"total_tokens": 7, "cost": 2}}, None, UsageChanged(None, None, 2.0)),
        ({"_meta": {"quota": {"token_count": {"input_tokens": 9, "output_tokens": 68}}}}, 68, None),
        ({"_meta": {"a": {"b": {"c": {"outputTokens": 1}}}}}, None, None),
        ({"usage": {"outputTokens": True, "cost": True}, "_meta": 5}, None, None),
        ({"usage": [1]}, None, None),
    ],
)
def test_tokens_and_usage_are_found_where_agents_put_them(
    result: dict[str, object], tokens: int | None, usage: UsageChanged | None
) -> None:
    talk = opened()
    *before, answered = talk.answer(talk.peer.prompt(HELLO), {"stopReason": "end_turn", **result})
    assert isinstance(answered, Answered)
    assert answered.output_tokens == tokens
    assert before == ([] if usage is None else [usage])


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (
            {"code": -32603, "message": "Internal error", "data": {"details": "no model"}},
            -32603,
            "Internal error: no model",
        ),
        ({"code": 1, "message": "A", "data": {"message": "B", "details": "C"}}, 1, "A: C: B"),
        ({"code": 1, "message": "Bad: quota", "data": {"details": "quota"}}, 1, "Bad: quota"),
        ({"code": 1, "message": "quota", "data": "Out of quota today"}, 1, "Out of quota today"),
        ({"code": 1, "message": "A", "data": {"error": {"message": "inner"}}}, 1, "A: inner"),
        ({"code": 1, "message": "A:", "data": [1]}, 1, "A"),
        ({"code": -32603}, -32603, "error −32603"),
        ({"code": 7, "message": " "}, 7, "error 7"),
        ({"message": "x"}, -32603, "x"),
        ({"code": "E", "message": 5, "data": "why"}, -32603, "why"),
        ("just words", -32603, "just words"),
        ("", -32603, "error −32603"),
        ([], -32603, "error −32603"),
    ],
)
def test_an_error_says_what_is_useful_in_it_once(error: object, code: int, message: str) -> None:
    talk = opened()
    (event,) = talk.refuse(talk.peer.prompt(HELLO), error)
    assert isinstance(event, Failed)
    assert (event.code, event.message, event.method) == (code, message, "session/prompt")
    assert talk.peer.prompt_id is None


def test_an_endless_error_is_cut_and_its_data_kept() -> None:
    talk = opened()
    (event,) = talk.refuse(talk.peer.prompt(HELLO), {"code": 1, "message": "x" * 9000, "data": {"k": "\ud83d"}})
    assert isinstance(event, Failed)
    assert len(event.message) == 2001
    assert event.data == {"k": "\ufffd"}


def test_a_failure_becomes_the_error_of_whoever_asked() -> None:
    methods = [AuthMethod("a", "Browser"), AuthMethod("b")]
    login = error_from(Failed(1, "session/new", -32000, "log in", {"x": 1}), methods)
    assert isinstance(login, AuthRequired)
    assert (login.methods, login.data, login.message) == (("Browser", "b"), {"x": 1}, "log in")
    refused = error_from(Failed(1, "session/prompt", -32603, "no", None))
    assert not isinstance(refused, AuthRequired)
    assert (refused.code, refused.message) == (-32603, "no")


def test_remembered_sessions_are_read_each_once_and_what_is_none_is_left_out() -> None:
    found, cursor = stored_sessions(
        {
            "sessions": [
                {"sessionId": "a", "cwd": "/w", "title": "One", "updatedAt": "2026-11-01T00:00:00Z", "_meta": {}},
                {"sessionId": "b", "cwd": 7, "title": None},
                {"sessionId": "a", "title": "again"},
                {"sessionId": ""},
                {"title": "without an id"},
                "nonsense",
            ],
            "nextCursor": "c2",
        }
    )
    assert found == (StoredSession("a", "/w", "One", "2026-11-01T00:00:00Z"), StoredSession("b"))
    assert cursor == "c2"


@pytest.mark.parametrize("result", [{}, {"sessions": None}, {"sessions": {}, "nextCursor": None}, {"nextCursor": 3}])
def test_an_answer_without_sessions_has_none(result: dict[str, object]) -> None:
    assert stored_sessions(result) == ((), "")
