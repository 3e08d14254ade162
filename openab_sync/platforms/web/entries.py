"""What a transcript is made of: frozen plain data, read by every thread and changed by none.

An `Entry` has a number of its own and the version at which it last changed: whoever has seen a transcript up to version
N needs the entries above N and nothing else. Texts are kept as they came; `drawing` makes them harmless.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from ...core.events import PlanEntry
from ...core.message import Conversation
from ...core.port import Outcome, Question

__all__ = [
    "WELL",
    "Asked",
    "Call",
    "Content",
    "Entry",
    "Fate",
    "LinkTo",
    "Message",
    "Plan",
    "Room",
    "Sent",
    "Sentence",
    "Stopped",
    "Words",
]

Fate = Literal["waiting", "running", "answered", "dropped"]
WELL: frozenset[Outcome] = frozenset({"done", "cancelled"})  # ends that nobody has to look at


@dataclass(frozen=True, slots=True)
class Message:
    """What a person wrote. `id` is the platform's; `files` are the names of what came with it."""

    id: str
    who: str
    text: str = field(repr=False)
    files: tuple[str, ...] = ()
    fate: Fate = "waiting"


@dataclass(frozen=True, slots=True)
class Words:
    """Text of the agent: an answer, or a thought. `goes_on`: it was cut only because it had become long."""

    kind: Literal["said", "thought"]
    text: str = field(repr=False)
    goes_on: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call. `changes` are (path, unified diff), `output` is what it said."""

    title: str
    kind: str
    state: Literal["pending", "running", "done", "failed", "stopped"]
    places: tuple[str, ...] = ()
    changes: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    output: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Plan:
    """The agent's plan as it is now."""

    steps: tuple[PlanEntry, ...]


@dataclass(frozen=True, slots=True)
class Sent:
    """A file that the agent made; `data` is None when it is not kept any more."""

    name: str
    mime: str
    size: int
    data: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class LinkTo:
    """A file or page that the agent names."""

    name: str
    uri: str


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of ours. `ok` is False for what could not be done; `lifts`: whose limits it can lift, "" for none."""

    text: str
    ok: bool = True
    lifts: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question of the agent's; `settled` says by whom or what it was decided, "" while it is open."""

    question: Question
    settled: str = ""


@dataclass(frozen=True, slots=True)
class Stopped:
    """How a turn ended. `about` are the messages that it was to answer, where they can be sent again from here."""

    outcome: Outcome
    reason: str = ""
    footer: str = ""
    seconds: float = 0.0
    about: tuple[str, ...] = ()


Content = Message | Words | Call | Plan | Sent | LinkTo | Sentence | Asked | Stopped


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing in a transcript."""

    id: int
    version: int
    content: Content


@dataclass(frozen=True, slots=True)
class Room:
    """A conversation as it looked a moment ago. `touched` is seconds since the epoch; `words` were said last."""

    conversation: Conversation
    version: int = 0
    entries: tuple[Entry, ...] = ()
    title: str = ""
    who: str = ""
    words: str = ""
    touched: float = 0.0
    gone: tuple[int, ...] = ()  # entries that were there in the version before

    @property
    def questions(self) -> tuple[Asked, ...]:
        """Those that are open, oldest first."""
        contents = [entry.content for entry in self.entries]
        return tuple(item for item in contents if isinstance(item, Asked) and not item.settled)

    @property
    def is_working(self) -> bool:
        """A message is being answered, as far as has been told."""
        return any(isinstance(item.content, Message) and item.content.fate == "running" for item in self.entries)
