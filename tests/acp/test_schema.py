"""Messages that do not fit: what can be saved of them is, and each loss is told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openab_sync.acp import schema
from openab_sync.acp.events import Noise
from openab_sync.acp.salvage import Loss, fit
from openab_sync.acp.schema import Frame, McpServer, Unknown, Update
from openab_sync.acp.wire import decode
from tests.acp.talk import line, update


def decoded(kind: str, /, **members: object) -> tuple[Update | None, list[Loss]]:
    *losses, frame = decode(line(update(kind, **members)))
    assert isinstance(frame, Frame)
    assert frame.params is not None
    return frame.params.update, [loss for loss in losses if isinstance(loss, Noise | Unknown)]


def whats(losses: list[Loss]) -> list[str]:
    return [loss.what if isinstance(loss, Noise) else f"unknown {loss.kind} {loss.name}" for loss in losses]


TEXT = {"type": "text", "text": "hi"}


@pytest.mark.parametrize(
    ("kind", "members"),
    [
        ("user_message_chunk", {"content": TEXT}),
        ("agent_message_chunk", {"content": TEXT, "messageId": "m"}),
        ("agent_thought_chunk", {"content": TEXT}),
        ("tool_call", {"toolCallId": "t", "title": "ls", "rawInput": {"a": [1]}}),
        ("tool_call_update", {"toolCallId": "t", "content": None, "locations": [{"path": "a", "line": 1}]}),
        ("plan", {"entries": [{"content": "x", "priority": "high", "status": "pending"}]}),
        ("available_commands_update", {"availableCommands": [{"name": "a", "description": "b", "input": None}]}),
        ("current_mode_update", {"currentModeId": "m"}),
        ("config_option_update", {"configOptions": [{"anything": 1}]}),
        ("session_info_update", {"title": None}),
        ("usage_update", {"used": 1.5, "size": 10, "cost": {"amount": 0.1, "currency": "USD"}}),
    ],
)
def test_every_kind_of_update_fits_with_members_unknown_or_null(kind: str, members: dict[str, object]) -> None:
    found, losses = decoded(kind, **members, _meta={"x": 1}, novelty=[1])
    assert found is not None
    assert losses == []


def test_a_member_that_does_not_fit_is_dropped_alone() -> None:
    found, losses = decoded(
        "tool_call", toolCallId="t", title=5, status="pending", locations=[{"path": 1}, {"path": "b"}]
    )
    assert isinstance(found, schema.ToolCall)
    assert (found.tool_call_id, found.title, found.status) == ("t", None, "pending")
    assert found.locations == [schema.Location("b")]
    assert whats(losses) == ["dropped: `title`: unexpected int", "dropped: `path`: Expected `str`, got `int`"]


def test_an_update_without_what_it_needs_is_dropped_whole_and_told_once() -> None:
    found, losses = decoded("tool_call", title="ls")
    assert found is None
    assert whats(losses) == ["dropped: `update`: `toolCallId` is missing"]


@pytest.mark.parametrize(
    "content", [None, "hi", [TEXT], {"text": "hi"}, {"type": 3}, {"type": "text"}, {"type": "text", "text": 3}]
)
def test_a_chunk_without_a_block_is_one_noise(content: object) -> None:
    found, losses = decoded("agent_message_chunk", content=content)
    assert found is None
    assert len(losses) == 1
    assert isinstance(losses[0], Noise)


def test_unknown_kinds_are_named() -> None:
    assert decoded("hologram", x=1) == (None, [Unknown("update", "hologram", '{"sessionUpdate": "hologram", "x": 1}')])
    found, losses = decoded("agent_message_chunk", content={"type": "video"})
    assert found is None
    assert whats(losses) == ["unknown block video"]


def test_one_unknown_item_of_a_tool_costs_the_others_nothing() -> None:
    content = [
        {"type": "hologram"},
        {"type": "content", "content": TEXT},
        {"type": "content", "content": {"type": "smell"}},
    ]
    found, losses = decoded("tool_call_update", toolCallId="t", content=content)
    assert isinstance(found, schema.ToolUpdate)
    assert found.content == [schema.ContentItem(schema.TextContent("hi"))]
    assert whats(losses) == ["unknown block hologram", "unknown block smell"]


def test_null_where_a_member_may_be_absent_is_no_loss() -> None:
    losses: list[Loss] = []
    entry = fit({"id": "x", "currentValue": None, "options": None, "zz": None}, schema.PlanItem, losses)
    assert entry is None
    assert whats(losses) == ["dropped: `content` is missing"]
    found, losses = decoded("plan", entries=[{"content": "x", "status": None, "priority": 7}, 3])
    assert found == schema.PlanUpdate([schema.PlanItem("x")])
    assert len(losses) == 2


def test_surrogates_are_cleaned_and_pairs_of_them_kept() -> None:
    found, losses = decoded("agent_message_chunk", content={"type": "text", "text": "a\ud83db \U0001f600"})
    assert found == schema.AgentChunk(schema.TextContent("a\ufffdb \U0001f600"))
    assert losses == []


def test_invalid_utf8_inside_a_text_is_replaced() -> None:
    raw = line(update("agent_message_chunk", content={"type": "text", "text": "a?b"})).replace(b"?", b"\xff")
    (frame,) = decode(raw)
    assert isinstance(frame, Frame)
    assert frame.params is not None
    assert frame.params.update == schema.AgentChunk(schema.TextContent("a\ufffdb"))


def test_secrets_of_an_mcp_server_are_not_in_its_repr() -> None:
    server = McpServer(
        "db", "http", args=("--token", "hush"), env=(("K", "hush"),), url="http://hush", headers=(("A", "hush"),)
    )
    assert repr(server) == "McpServer(name='db', type='http')"


members = st.dictionaries(
    st.sampled_from(
        ["content", "toolCallId", "title", "locations", "entries", "used", "cost", "type", "text", "sessionUpdate"]
    ),
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats()
        | st.text(max_size=5)
        | st.sampled_from(["text", "plan"]),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["type", "text", "content", "path", "amount"]), inner, max_size=4)
        ),
        max_leaves=8,
    ),
)


@given(st.sampled_from(["agent_message_chunk", "tool_call", "plan", "usage_update", "nope"]), members)
def test_nothing_in_the_shape_of_an_update_raises(kind: str, given_members: dict[str, object]) -> None:
    given_members.pop("sessionUpdate", None)
    found, losses = decoded(kind, **given_members)
    assert found is not None or losses
