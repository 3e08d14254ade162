"""The block about the sender that stands before every message, as OpenAB's agents know it (`openab.sender.v1`). Pure.

It is made when the message has its place, so that it is complete on the first turn (FIELD F5). Nothing that a person
chooses (a name, a text) can end the block or begin another: `<` is written as an escape in it, and the block's own tags
are taken apart where they come in a text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

__all__ = ["HEAD", "Sender", "harmless", "sender_block"]

SCHEMA = "openab.sender.v1"
HEAD = "<sender_context>"
"""What every block begins with."""

_TAG = re.compile(r"<(\s*/?\s*sender_context)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Sender:
    """Who wrote which message where. `channel_id` is the thread's channel, `thread_id` "" where there is no thread."""

    id: str
    name: str
    display_name: str
    is_bot: bool
    channel_id: str
    thread_id: str
    message_id: str
    at: datetime


def sender_block(sender: Sender) -> str:
    """Return the block for one message."""
    facts: dict[str, str | bool] = {
        "schema": SCHEMA,
        "sender_id": sender.id,
        "sender_name": sender.name,
        "display_name": sender.display_name,
        "channel": "discord",
        "channel_id": sender.channel_id,
        "thread_id": sender.thread_id,
        "message_id": sender.message_id,
        "timestamp": _moment(sender.at),
        "is_bot": sender.is_bot,
    }
    if not sender.thread_id:
        del facts["thread_id"]
    line = msgspec.json.encode(facts).decode().replace("<", "\\u003c")
    return f"{HEAD}\n{line}\n</sender_context>"


def harmless(text: str) -> str:
    """Return the text with no tag of the block in it: nobody speaks in another's name."""
    return _TAG.sub(r"&lt;\1", text)


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
