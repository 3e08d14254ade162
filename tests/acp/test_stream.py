"""Runs of text become one event, and nothing is lost or moved by it."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from openab_sync.acp.events import (
    PlanChanged,
    Said,
    Thought,
)
from tests.acp.talk import chunk, opened, text_of, update


def test_text_that_belongs_together_is_one_event_and_the_order_stays() -> None:
    def thought(text: str) -> dict[str, Any]:
        return update("agent_thought_chunk", content={"type": "text", "text": text})

    events = opened().hear(
        *[chunk("a"), chunk("b"), thought("c"), thought("d"), chunk("e")],
        *[chunk("f", messageId="m"), chunk("g", messageId="m")],
        *[update("plan", entries=[]), chunk("h", messageId="m")],
    )
    assert events == [Said("ab"), Thought("cd"), Said("e"), Said("fg", "m"), PlanChanged(()), Said("h", "m")]


@given(st.lists(st.tuples(st.sampled_from(["agent_message_chunk", "agent_thought_chunk"]), st.text(max_size=3))))
def test_joining_loses_nothing_and_changes_no_order(pieces: list[tuple[str, str]]) -> None:
    events = opened().hear(*[update(kind, content={"type": "text", "text": text}) for kind, text in pieces])
    kinds = {"agent_message_chunk": Said, "agent_thought_chunk": Thought}
    assert text_of(events) == "".join(text for kind, text in pieces if kinds[kind] is Said)
    spoken = [(type(event), event.text) for event in events if isinstance(event, Said | Thought)]
    assert "".join(text for _, text in spoken) == "".join(text for _, text in pieces)
    assert all(text for _, text in spoken)
