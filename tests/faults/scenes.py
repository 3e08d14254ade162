"""What the tests of this folder share: how people read a reply, what an agent was sent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from openab_sync.core.message import MessageRef
from openab_sync.core.port import Limits
from tests.core.bed import Bed, place, received

__all__ = ["PAGES", "answers", "calls", "page", "refusals", "sent"]

PAGES = Limits(edit_interval=0.02, typing_interval=None)
"""A platform on which replies are messages that grow, with reactions."""


def page(bed: Bed, text: str, message: str = "m1") -> str:
    """Write `text` as the conversation's message of that id, wait until its reply is out, return all that is there."""
    ref = MessageRef(place(), message)
    bed.say(text)
    bed.port.until(lambda: bed.port.reactions.get(ref) in (["🆗"], ["😱"]))
    return "\n".join(bed.port.texts(place()))


def sent(log: Path) -> list[str]:
    """The methods of what the agent got, in order; "answer" for an answer, "eof" for the end of its stdin."""
    return [entry.get("method") or entry.get("event") or "answer" for entry in received(log)]


def calls(log: Path, method: str) -> list[dict[str, Any]]:
    """The parameters of all calls of one method."""
    return [entry["params"] for entry in received(log) if entry.get("method") == method]


def answers(log: Path) -> list[Any]:
    """The outcomes with which permission requests were answered."""
    return [entry["result"]["outcome"] for entry in received(log) if "outcome" in (entry.get("result") or {})]


def refusals(log: Path) -> list[int]:
    """The codes of all errors that the agent got."""
    return [entry["error"]["code"] for entry in received(log) if "error" in entry]
