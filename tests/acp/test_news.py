"""What a session tells: text, thoughts, tools, plans; joined, filtered, kept until it is wanted."""

from __future__ import annotations

from openab_sync.acp.events import (
    Event,
    Noise,
)
from tests.acp.talk import chunk, opened, update


def whats(events: list[Event]) -> list[str]:
    return [event.what for event in events if isinstance(event, Noise)]


# What is said.


def test_empty_chunks_and_what_people_said_give_nothing() -> None:
    talk = opened()
    thought = update("agent_thought_chunk", content={"type": "text", "text": ""})
    echo = update("user_message_chunk", content={"type": "text", "text": "my own words"})
    assert talk.hear(chunk(""), thought, echo, chunk("", messageId="m")) == []
    assert whats(talk.hear(update("agent_thought_chunk", content={"type": "image", "data": "x"}))) != []
