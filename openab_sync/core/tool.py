"""A tool call, as far as its turn knows it, and how much of the broker's memory it may well take.

Session thread only; never blocks.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from sys import getsizeof
from typing import Literal

from msgspec import Struct

from ..acp import events as acp

__all__ = ["Tool", "ToolState", "bulk"]

ToolState = Literal["pending", "running", "done", "failed", "stopped"]

_STATES: dict[str, ToolState] = {
    "pending": "pending",
    "in_progress": "running",
    "completed": "done",
    "failed": "failed",
}
_SAID = ("title", "kind", "content", "locations", "raw_input", "raw_output")
PART = 56  # what the smallest thing costs, in bytes
_LABEL = 2000  # characters: megabytes have been met, and a label is looked at again and again
# What a tool's raw input names when nobody gave it a title; the first that is there.
_NAMING = ("command", "cmd", "path", "file_path", "filePath", "abs_path", "pattern", "query", "url")


class Tool(Struct, gc=False, eq=False):
    """One tool call as far as it is known."""

    call_id: str
    title: str = ""
    kind: str = ""
    state: ToolState = "pending"
    content: tuple[acp.Output | acp.Diff | acp.Media | acp.Link, ...] = ()
    locations: tuple[str, ...] = ()
    raw_input: object = None
    raw_output: object = None
    bulk: int = 0
    """Bytes of what the agent has said of it: `bulk` of each."""
    # What drawing made of the content in that state, kept because a diff is dear and a live page is drawn often.
    drawn: tuple[object, ToolState, str] | None = None

    @property
    def label(self) -> str:
        """The title, else the command or path it works on, else its kind; of a very long one the beginning."""
        label = self.title[:_LABEL].strip() or self.target or self.kind or "tool"
        return label if len(label) < _LABEL else label[:_LABEL] + "…"

    @property
    def target(self) -> str:
        """The command, path or address in its raw input, else its first location; "" if it names none."""
        if isinstance(self.raw_input, dict):
            for name in _NAMING:
                value = self.raw_input.get(name)
                if isinstance(value, list) and value and all(isinstance(word, str) for word in value):
                    return " ".join(value)
                if isinstance(value, str) and value.strip():
                    return value
        return self.locations[0] if self.locations else ""

    @property
    def is_open(self) -> bool:
        return self.state in {"pending", "running"}

    def take(self, change: acp.ToolChanged) -> bool:
        """Merge `change`; return whether it shows in a line about this call."""
        state, label, content = self.state, self.label, self.content
        if not self.merge(change):
            return self.state != state
        return (self.state, self.label, self.content) != (state, label, content)

    def merge(self, change: acp.ToolChanged) -> bool:
        """Take over what `change` says; what it does not speak of stays. Return whether that is more than a state."""
        self.bulk = self.bulk or bulk(self.call_id)
        if change.status is not None:
            self.state = _STATES.get(change.status, self.state)
        is_more = False
        for name in _SAID:
            value = getattr(change, name)
            if value is None or value == "":
                continue
            before = getattr(self, name)
            if value is not before and value != before:
                self.bulk += bulk(value) - bulk(before)
                setattr(self, name, value)
                is_more = True
        return is_more


def bulk(value: object) -> int:
    """Return the bytes of a value with all that is in it, about as many as it takes in memory."""
    if isinstance(value, str):  # most are
        return getsizeof(value)
    total, todo = 0, [value]
    for one in todo:  # grows while we walk it
        total += getsizeof(one) if isinstance(one, str | bytes) else PART
        if isinstance(one, dict):
            todo += [*one.keys(), *one.values()]
        elif isinstance(one, list | tuple):
            todo += one
        elif is_dataclass(one):
            todo += [getattr(one, field.name) for field in fields(one)]
    return total
