from __future__ import annotations

import json

import pytest

from openab_sync.acp import events as acp
from openab_sync.core.message import MessageRef
from openab_sync.core.port import Notice, Settled, TurnEnded, TurnEvent, TurnStarted
from openab_sync.platforms.console.jsonlines import json_line

from .stub import ONE, question

REF = MessageRef(ONE, "7")


@pytest.mark.parametrize(
    ("event", "members"),
    [
        (TurnStarted((REF,)), {"event": "turn_started", "messages": ["7"]}),
        (acp.Said("héllo", "m1"), {"event": "said", "text": "héllo", "message_id": "m1"}),
        (acp.Thought("hm"), {"event": "thought", "text": "hm", "message_id": None}),
        (
            acp.PlanChanged((acp.PlanEntry("do it"),)),
            {"event": "plan", "entries": [{"content": "do it", "status": "pending", "priority": "medium"}]},
        ),
        (
            acp.UsageChanged(5, 10, 0.5, "USD"),
            {"event": "usage", "used": 5, "size": 10, "cost": 0.5, "currency": "USD"},
        ),
        (
            acp.Media("image", "image/png", data="AAAA"),
            {"event": "media", "kind": "image", "mime": "image/png", "uri": "", "data": "AAAA"},
        ),
        (
            acp.Media("resource", text="t", uri="file:///a"),
            {"event": "media", "kind": "resource", "mime": "", "uri": "file:///a", "text": "t"},
        ),
        (
            acp.Link("file:///a", "a", size=3),
            {"event": "link", "uri": "file:///a", "name": "a", "mime": "", "size": 3},
        ),
        (acp.SessionInfo("t"), {"event": "title", "title": "t"}),
        (Notice("n"), {"event": "notice", "text": "n"}),
        (
            Settled(question(), "Allow once"),
            {
                "event": "settled",
                "question": {
                    "title": "Run make?",
                    "options": [
                        {"id": "yes", "name": "Allow once", "kind": "allow_once"},
                        {"id": "no", "name": "Reject", "kind": "reject_once"},
                    ],
                },
                "text": "Allow once",
            },
        ),
        (
            TurnEnded((REF,), "gone", "it died", "footer", "", 1.5),
            {
                "event": "turn_ended",
                "outcome": "gone",
                "reason": "it died",
                "stop_reason": "",
                "seconds": 1.5,
                "footer": "footer",
            },
        ),
    ],
)
def test_every_event_has_its_line(event: TurnEvent, members: dict[str, object]) -> None:
    line = json_line(ONE, event)
    assert line.endswith("}\n")
    assert line.isascii()
    assert json.loads(line) == {"conversation": "console:1", **members}


def test_a_tool_tells_what_is_news_and_never_what_it_was_given() -> None:
    content = (acp.Output("out"), acp.Diff("/a", None, "new"), acp.Link("u"), acp.Media("image", data="AA=="))
    line = json_line(ONE, acp.ToolChanged("t1", status="completed", content=content, raw_input={"token": "s3cret"}))
    tool = json.loads(line)
    assert "s3cret" not in line
    assert (tool["event"], tool["id"], tool["status"], "title" in tool) == ("tool", "t1", "completed", False)
    assert [part["type"] for part in tool["content"]] == ["output", "diff", "link", "media"]
    assert tool["content"][1] == {"type": "diff", "path": "/a", "old": None, "new": "new"}


def test_places_of_a_tool_are_told() -> None:
    assert json.loads(json_line(ONE, acp.ToolChanged("t", title="x", locations=("/a",))))["locations"] == ["/a"]
