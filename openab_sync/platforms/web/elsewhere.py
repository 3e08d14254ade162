"""Conversations of other platforms as the page shows them: the last turns that a session publishes, as a room. Pure.

What people write on the page itself is in the hall, whole. Of others the page knows what everybody may look at: the
snapshot of a session, with its last turns. An entry keeps its number for as long as it is there; one that has changed
gets a new version, as in a transcript.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ...core.events import Diff, Output
from ...core.house import SessionSnapshot
from ...core.transcript import MediaPart, Part, PlanPart, TextPart, ToolPart, TurnSeen, last_words
from ...text.clean import one_line, plain
from ...text.tools import diff_text
from .entries import Asked, Call, Content, Entry, Fate, Message, Plan, Room, Sentence, Stopped, Words

__all__ = ["Glass", "seen"]

# Numbers of the entries of one turn, from its own on: what was asked, what came of it, open questions, its end.
TURN, PARTS, QUESTIONS, END = 10_000, 1000, 8000, 9999
TITLE = 200
WORDS = 160
DIFF = 20_000
OUTPUT = 8000


def seen(session: SessionSnapshot) -> Room:
    """Return the room of a session, all of its entries of version 1."""
    entries = tuple(Entry(number, 1, content) for turn in session.turns for number, content in _numbered(turn))
    asked = [message for turn in session.turns for message in turn.asked]
    words = one_line(last_words(session.turns) or " ", 4 * WORDS)[-WORDS:]
    title = session.title or (one_line(asked[0].text or " ", TITLE) if asked else "")
    return Room(session.conversation, 1, entries, title, one_line(asked[-1].by or " ", 80) if asked else "", words)


class Glass:
    """One page's look at one session: knows what it has shown, so that only what is new has to be told."""

    def __init__(self) -> None:
        self._shown: dict[int, Entry] = {}
        self._version = 0

    def look(self, session: SessionSnapshot) -> Room:
        """Return the room as it is now; its version is the same if nothing has changed."""
        room, version = seen(session), self._version + 1
        shown, self._shown = self._shown, {}
        for entry in room.entries:
            old = shown.get(entry.id)
            is_same = old is not None and old.content == entry.content
            self._shown[entry.id] = old if old is not None and is_same else replace(entry, version=version)
        gone = tuple(shown.keys() - self._shown.keys())
        if gone or any(entry.version == version for entry in self._shown.values()):
            self._version = version
        return replace(room, version=self._version, entries=tuple(self._shown.values()), gone=gone)


def _numbered(turn: TurnSeen) -> Iterator[tuple[int, Content]]:
    """Yield the entries of a turn. Of one that is cut the parts move up: their numbers tell places, not things."""
    start = turn.number * TURN
    for place, message in enumerate(turn.asked):
        fate: Fate = "running" if turn.outcome is None else "answered"
        who = one_line(message.by or " ", 80)
        yield start + place, Message(message.id, who, plain(message.text), (), fate)
    contents = (content for part in turn.parts if (content := _content(part)) is not None)
    for place, content in enumerate(contents):
        yield start + PARTS + place, content
    for place, question in enumerate(turn.questions):
        yield start + QUESTIONS + place, Asked(question)
    if turn.outcome is not None:
        seconds = (turn.ended or turn.started) - turn.started
        yield start + END, Stopped(turn.outcome, plain(turn.reason).strip(), "", seconds)


def _content(part: Part) -> Content | None:
    match part:
        case TextPart(kind, text):
            if kind == "notice":
                return Sentence(plain(text))
            return Words("thought" if kind == "thought" else "said", text) if text.strip() else None
        case ToolPart():
            return _call(part)
        case PlanPart(entries):
            return Plan(entries)
        case MediaPart(name, mime):
            return Sentence(one_line(f"📎 {name} {mime}", TITLE))


def _call(part: ToolPart) -> Call:
    changes = tuple(
        (plain(item.path), plain(diff_text(item.path, item.old, item.new))[:DIFF])
        for item in part.content
        if isinstance(item, Diff)
    )
    output = "\n".join(item.text for item in part.content if isinstance(item, Output))
    label, kind = one_line(part.label, TITLE), one_line(part.tool or "other", 40)
    return Call(label, kind, part.state, (), changes, plain(output).strip("\n")[-OUTPUT:])
