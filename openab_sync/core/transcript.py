"""What a turn has said and done, frozen: for whoever looks at it from another thread. Pure.

Bounded, so that it costs the same however long an answer is: the newest parts, so many characters in all, and of what a
tool has put out or changed its beginning. What is left out is said (`is_cut`); the chat has all of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from ..acp import events as acp
from ..text.redact import Redactor
from .message import Inbound
from .port import Outcome, Question
from .tool import Tool, ToolState
from .turn import MediaItem, NoticeLine, PlanList, Segment, TextRun, ThoughtRun, ToolGroup, Turn
from .veiled import swept

__all__ = ["Asked", "MediaPart", "Part", "PlanPart", "TextPart", "ToolPart", "TurnSeen", "freeze", "last_words"]

CHARACTERS = 40_000  # of text in one turn
PARTS = 200
PIECE = 10_000  # characters of what a tool put out, and of each side of a change
WORDS = 300  # characters of the last thing said


@dataclass(frozen=True, slots=True)
class Asked:
    """A message that the turn answers."""

    id: str
    by: str
    text: str


@dataclass(frozen=True, slots=True)
class TextPart:
    """Text of the agent, its thoughts, or a sentence of ours."""

    kind: Literal["text", "thought", "notice"]
    text: str


@dataclass(frozen=True, slots=True)
class ToolPart:
    """One tool call as far as it had come."""

    id: str
    label: str
    tool: str  # the agent's kind: read, edit, execute …
    state: ToolState
    target: str = ""
    content: tuple[acp.Output | acp.Diff, ...] = ()
    kind: Literal["tool"] = "tool"


@dataclass(frozen=True, slots=True)
class PlanPart:
    """The agent's plan."""

    entries: tuple[acp.PlanEntry, ...]
    kind: Literal["plan"] = "plan"


@dataclass(frozen=True, slots=True)
class MediaPart:
    """A picture, a sound, a file or a link: by its name."""

    name: str
    mime: str = ""
    kind: Literal["media"] = "media"


Part = TextPart | ToolPart | PlanPart | MediaPart


@dataclass(frozen=True, slots=True)
class TurnSeen:
    """A turn as it looked a moment ago. `number` counts the session's turns; moments are monotonic seconds."""

    number: int
    asked: tuple[Asked, ...]
    parts: tuple[Part, ...]
    questions: tuple[Question, ...]
    started: float
    ended: float | None = None
    outcome: Outcome | None = None
    reason: str = ""
    is_cut: bool = False


def freeze(number: int, turn: Turn, questions: tuple[Question, ...], redact: Redactor | None = None) -> TurnSeen:
    """Return how a turn looks, without what `redact` takes out. The session's thread; costs some 300 µs at most."""
    newest, is_cut = _newest(turn.segments)
    if redact is not None and turn.outcome is None and newest and isinstance(newest[-1], TextPart):
        last = newest[-1]  # more of it may come: what may be the head of a secret is not shown yet
        newest = (*newest[:-1], replace(last, text=last.text[: redact.settled_length(last.text)]))
    seen = TurnSeen(
        number,
        tuple(_asked(note) for note in turn.notes),
        newest,
        questions,
        turn.started,
        turn.ended_at,
        turn.outcome,
        turn.explain(),
        is_cut,
    )
    return seen if redact is None else swept(replace(seen, parts=_untorn(seen.parts, redact)), redact)


def _untorn(parts: tuple[Part, ...], redact: Redactor) -> tuple[Part, ...]:
    """Take out the secrets that something else tears into two texts of the agent's."""
    said = [part for part in parts if isinstance(part, TextPart) and part.kind == "text"]
    texts = iter(redact.across([part.text for part in said]))
    return tuple(
        replace(part, text=next(texts)) if isinstance(part, TextPart) and part.kind == "text" else part
        for part in parts
    )


def last_words(turns: tuple[TurnSeen, ...]) -> str:
    """Return the end of the last text that the agent has said, "" if it has said nothing."""
    for turn in reversed(turns):
        for part in reversed(turn.parts):
            if isinstance(part, TextPart) and part.kind == "text" and part.text.strip():
                return part.text.strip()[-WORDS:]
    return ""


def _asked(note: Inbound) -> Asked:
    return Asked(note.ref.id, note.sender.name or note.sender.id, note.text[:PIECE])


def _newest(segments: list[Segment]) -> tuple[tuple[Part, ...], bool]:
    """Return the newest parts that there is room for, oldest first, and whether some are left out."""
    found: list[Part] = []
    room = CHARACTERS
    for segment in reversed(segments):
        if room <= 0 or len(found) >= PARTS:
            return tuple(reversed(found)), True
        for part in _parts(segment, room):
            room -= len(part.text) if isinstance(part, TextPart) else 0
            found.append(part)
    return tuple(reversed(found)), room <= 0


def _parts(segment: Segment, room: int) -> Iterator[Part]:
    """Yield the parts of a segment, newest first."""
    match segment:
        case TextRun():
            yield TextPart("text", _tail(segment.parts, room))
        case ThoughtRun():
            yield TextPart("thought", _tail(segment.parts, room))
        case NoticeLine():
            yield TextPart("notice", segment.text)
        case ToolGroup():
            yield from map(_tool, reversed(segment.tools))
        case PlanList():
            yield PlanPart(segment.entries)
        case MediaItem():
            item = segment.item
            name = item.name or item.uri if isinstance(item, acp.Link) else item.uri or item.kind
            yield MediaPart(name[:PIECE], item.mime)


def _tail(pieces: list[str], room: int) -> str:
    """Return the end of a text that is there in pieces."""
    taken: list[str] = []
    for piece in reversed(pieces):
        taken.append(piece[-room:])
        room -= len(piece)
        if room <= 0:
            break
    return "".join(reversed(taken))


def _tool(tool: Tool) -> ToolPart:
    return ToolPart(
        tool.call_id, tool.label[:PIECE], tool.kind, tool.state, tool.target[:PIECE], tuple(_content(tool.content))
    )


def _content(content: Iterable[object]) -> Iterator[acp.Output | acp.Diff]:
    for item in content:
        match item:
            case acp.Output():
                yield item if len(item.text) <= PIECE else acp.Output(item.text[:PIECE] + "…")
            case acp.Diff() if len(item.new) + len(item.old or "") <= PIECE:
                yield item
            case acp.Diff():
                old = item.old if item.old is None else item.old[:PIECE]
                yield acp.Diff(item.path, old, item.new[:PIECE])
