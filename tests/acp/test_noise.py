"""What is worth telling of an odd agent, and how often."""

from __future__ import annotations

from openab_sync.acp.events import (
    Event,
    Noise,
)
from tests.acp.talk import chunk, opened, text_of, update


def whats(events: list[Event]) -> list[str]:
    return [event.what for event in events if isinstance(event, Noise)]


def test_unknown_kinds_are_told_once_each() -> None:
    talk = opened()
    odd = update("hologram", x=1)
    block = update("agent_message_chunk", content={"type": "video"})
    notification = {"method": "_vendor/news", "params": [1]}
    events = talk.hear(odd, odd, block, notification, chunk("a"), block, notification, odd, update("smell"))
    assert text_of(events) == "a"
    assert whats(events) == [
        "unknown update 'hologram'",
        "unknown block 'video'",
        "unknown notification _vendor/news",
        "unknown update 'smell'",
    ]
    many = talk.hear(*[{"method": f"n{number}"} for number in range(500)])
    assert len(many) < 256


def test_updates_of_other_sessions_are_dropped_with_one_noise() -> None:
    talk = opened()
    events = talk.hear(chunk("a", "other"), chunk("b", "other"), chunk("c"), chunk("d", "third"))
    assert text_of(events) == "c"
    assert whats(events) == ["an update of another session"]
    assert [event.sample for event in events if isinstance(event, Noise)] == [""]  # its id could resume it
    nameless = {"method": "session/update", "params": {"update": {"sessionUpdate": "plan", "entries": []}}}
    assert whats(talk.hear(nameless, nameless)) == ["an update of no session"]
    assert talk.hear({"method": "session/update", "params": {}}, {"method": "session/update"}) == []
