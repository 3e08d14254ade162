"""Updates that come before their session has an id: kept, in bounds, for it alone."""

from __future__ import annotations

from typing import Any

from openab_sync.acp import early
from openab_sync.acp.events import (
    Answered,
    Event,
    Link,
    Noise,
    Said,
    ToolChanged,
    UsageChanged,
)
from tests.acp.talk import SESSION, Talk, chunk, update


def whats(events: list[Event]) -> list[str]:
    return [event.what for event in events if isinstance(event, Noise)]


def test_updates_before_the_answer_are_kept_for_their_session_in_order() -> None:
    talk = Talk().shake_hands()
    name = talk.peer.new_session("/w")
    assert talk.hear(chunk("one "), chunk("other", "s-2"), chunk("two")) == []
    assert talk.hear(update("usage_update", used=3)) == []
    events = talk.hear(chunk("three"), {"id": name, "result": {"sessionId": SESSION}}, chunk("four"))
    assert isinstance(events[0], Answered)
    assert events[1:] == [Said("one "), Said("two"), UsageChanged(3), Said("three"), Said("four")]


def test_what_is_kept_is_bounded_and_the_oldest_go_with_one_noise() -> None:
    talk = Talk().shake_hands()
    name = talk.peer.new_session("/w")
    events: list[Event] = []
    for number in range(10_005):
        events += talk.hear(chunk(f"{number} ", messageId=str(number)))
    assert whats(events) == ["too many updates before there was a session: the oldest are lost"]
    told = talk.answer(name, {"sessionId": SESSION})
    assert len(told) == 10_001
    assert told[1] == Said("5 ", "5")


def test_what_is_kept_is_weighed_whatever_it_is() -> None:
    heavy = "x" * 1000
    kept = early.EarlyUpdates(size_limit=3000)
    talk = Talk().shake_hands()
    talk.peer._news._early = kept
    name = talk.peer.new_session("/w")
    blocks: list[dict[str, Any]] = [
        {"type": "text", "text": heavy},
        {"type": "image", "data": heavy},
        {"type": "resource", "resource": {"text": heavy}},
        {"type": "resource_link", "uri": "u"},
    ]
    messages = [update("agent_message_chunk", content=block) for block in blocks]
    tool = update("tool_call", toolCallId="t", rawInput={"x": heavy}, rawOutput=heavy)
    talk.hear(*messages, tool, update("usage_update", used=1))
    assert len(kept) == 3
    events = talk.answer(name, {"sessionId": SESSION})
    assert [type(event) for event in events] == [Answered, Link, ToolChanged, UsageChanged]
