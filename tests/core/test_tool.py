"""A tool call: what is news of it, and how much it takes. How it looks is test_drawing's and test_turn's."""

from __future__ import annotations

from openab_sync.acp import events as acp
from openab_sync.core.tool import PART, Tool, bulk


def test_only_what_is_said_is_taken_over() -> None:
    tool = Tool("a")
    assert tool.take(acp.ToolChanged("a", "Read", "read", "in_progress", locations=("/a",), raw_input={"path": "/a"}))
    assert not tool.take(acp.ToolChanged("a", title="", kind=None))
    assert (tool.title, tool.kind, tool.state, tool.locations) == ("Read", "read", "running", ("/a",))
    assert tool.take(acp.ToolChanged("a", content=())) is False
    assert tool.take(acp.ToolChanged("a", status="completed")) and not tool.is_open


def test_a_value_is_as_large_as_all_that_is_in_it() -> None:
    assert bulk("x" * 1000) - bulk("x" * 500) == 500
    assert bulk("中" * 1000) - bulk("中" * 500) == 1000, "in bytes, as it lies in memory"
    assert bulk(None) == PART
    assert bulk({"ab": ["c", 1]}) == 3 * PART + bulk("ab") + bulk("c")
    assert bulk((acp.Output("x" * 400), acp.Diff("f", None, "y" * 400))) > 800


def test_a_call_takes_as_much_as_it_holds_and_not_what_was_replaced() -> None:
    tool = Tool("a")
    for _ in range(10):
        tool.merge(
            acp.ToolChanged("a", title="x" * 1000, content=(acp.Output("y" * 5000),), raw_output={"z": "w" * 500})
        )
    assert 6500 < tool.bulk < 6500 + 30 * PART
    tool.merge(acp.ToolChanged("a", content=(), raw_output={}))
    assert 1000 < tool.bulk < 1000 + 30 * PART
