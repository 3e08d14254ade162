"""The transcript of one conversation: events in, entries out. Pure: no threads, no clock, no page.

It is kept whole up to a bound, then its oldest entries go: it is for people who look now, not an archive. A long answer
is cut into pieces where a reader would cut it, so that drawing what grows costs no more than its last piece.
"""

from __future__ import annotations

import base64
import binascii
import itertools
import re
from collections.abc import Container
from dataclasses import dataclass, field, replace
from typing import Literal

from ...core import events as acp
from ...core.drawing import media_name
from ...core.message import Conversation, Inbound, MessageRef
from ...core.port import Notice, Question, Settled, TurnEnded, TurnEvent, TurnStarted
from ...core.tool import Tool, bulk
from ...text.clean import one_line, plain
from ...text.split import Paginator
from ...text.tools import diff_text
from .entries import (
    WELL,
    Asked,
    Call,
    Content,
    Entry,
    Fate,
    LinkTo,
    Message,
    Plan,
    Room,
    Sent,
    Sentence,
    Stopped,
    Words,
)

__all__ = ["Transcript"]

MOST = 600  # entries
BULK = 32 * 1024 * 1024  # bytes of all of them, files included, as they lie in memory
PIECE = 6000  # characters of an answer in one entry
FILES = 16 * 1024 * 1024  # bytes of pictures and files that are kept in one conversation
OUTPUT = 8000  # characters of what a tool said: its end
DIFF = 20_000  # characters of one change: its head
WORDS = 160  # characters of the last words on a card
TITLE = 200
# Marks of Markdown that mean nothing on a card: rules of tables, fences, bold, code.
_MARKS = re.compile(r"\|?[ :|-]*-{3,}[ :|-]*\|?|`{1,}\w*|\*{2,}|\||^#+ ", re.MULTILINE)


@dataclass(slots=True)
class _Run:
    """Text that is being said: the entry that grows, and what cuts it."""

    kind: Literal["said", "thought"]
    message_id: str | None
    entry: int = 0  # 0: nothing to be seen yet
    is_drawn: bool = True  # the entry holds all that was said
    pages: Paginator = field(default_factory=lambda: Paginator(PIECE))


class Transcript:
    """What has happened in one conversation. One thread only."""

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation
        self._ids = itertools.count(1)
        self._version = 0
        self._entries: dict[int, Entry] = {}
        self._bulks: dict[int, int] = {}  # of each entry …
        self._bulk = 0  # … and of all
        self._run: _Run | None = None
        self._messages: dict[str, int] = {}  # message id → entry
        self._tools: dict[str, tuple[Tool, int]] = {}  # of the turn that runs
        self._plan = 0  # the entry of this turn's plan
        self._questions: dict[str, int] = {}
        self._kept = 0  # bytes of files
        self._title = self._who = self._words = ""
        self._touched = 0.0

    def __repr__(self) -> str:
        return f"<Transcript {self._conversation} entries={len(self._entries)} version={self._version}>"

    def room(self) -> Room:
        """Return how it looks now."""
        self._draw()
        return Room(
            self._conversation,
            self._version,
            tuple(self._entries.values()),
            self._title,
            self._who,
            self._words,
            self._touched,
        )

    # What happens.

    def hear(self, note: Inbound, at: float) -> None:
        """A person has written; `at` is seconds since the epoch."""
        if note.ref.id in self._messages:
            return
        who = one_line(note.sender.name or note.sender.id or "somebody", 80)
        files = tuple(one_line(item.name, 120) for item in note.attachments)
        self._who, self._touched = who, at
        self._title = self._title or one_line(note.text or ", ".join(files), TITLE)
        self._messages[note.ref.id] = self._add(Message(note.ref.id, who, plain(note.text), files))

    def take(self, event: TurnEvent, at: float) -> None:
        """Something has happened in a turn, or a sentence of ours was told."""
        self._touched = at
        match event:
            case acp.Said() | acp.Thought():
                self._say("said" if isinstance(event, acp.Said) else "thought", event)
                return
            case acp.UsageChanged():
                return
            case acp.SessionInfo():
                self._title = one_line(event.title, TITLE) if event.title.strip() else self._title
                self._version += 1
                return
        self._close()
        match event:
            case TurnStarted():
                self._begin(event.refs)
            case acp.ToolChanged():
                self._tool(event)
            case acp.PlanChanged():
                self._planned(event)
            case acp.Media():
                self._media(event)
            case acp.Link():
                self._add(LinkTo(one_line(event.name or event.uri, TITLE), plain(event.uri)))
            case Notice():
                self._add(Sentence(plain(event.text)))
            case Settled():
                self.settle(event.question, event.text)
            case TurnEnded():
                self._end(event)

    def ask(self, question: Question) -> None:
        """The agent wants to know something."""
        self._close()
        self._questions[question.id] = self._add(Asked(question))

    def settle(self, question: Question, text: str) -> None:
        """A question was decided; told twice it is decided once."""
        entry = self._entries.get(self._questions.pop(question.id, 0))
        if entry is not None and isinstance(entry.content, Asked):
            self._change(entry.id, replace(entry.content, settled=plain(text).strip() or "decided"))

    def tell(self, text: str, *, ok: bool, lifts: str = "") -> None:
        """A command was answered, or a limit was met that can be lifted for whom `lifts` names."""
        self._close()
        self._add(Sentence(plain(text), ok, lifts))

    def reconcile(self, waiting: Container[MessageRef]) -> None:
        """Those of its messages that neither wait nor run were dropped."""
        for message_id, entry in self._messages.items():
            if MessageRef(self._conversation, message_id) not in waiting:
                self._fate(entry, "dropped", only_if="waiting")

    def clear(self) -> None:
        """Forget all of it. What comes later is numbered behind it, so that pages that showed it let go of it, too."""
        self._version += 1
        self._entries, self._messages, self._tools, self._questions = {}, {}, {}, {}
        self._bulks, self._bulk = {}, 0
        self._run, self._plan, self._kept = None, 0, 0
        self._title = self._who = self._words = ""

    # How it is done.

    def _begin(self, refs: tuple[MessageRef, ...]) -> None:
        self._tools, self._plan = {}, 0
        begun = [self._messages[ref.id] for ref in refs if ref.id in self._messages]
        for entry in begun:
            self._fate(entry, "running")
        for entry in self._messages.values():  # what stood before them and was not taken has been dropped
            if begun and entry < begun[0]:
                self._fate(entry, "dropped", only_if="waiting")

    def _end(self, end: TurnEnded) -> None:
        for ref in end.refs:
            self._fate(self._messages.get(ref.id, 0), "answered")
        for key, (tool, entry) in self._tools.items():
            if tool.is_open:
                self._tools[key] = tool, entry
                tool.state = "stopped"
                self._change(entry, _call(tool))
        about = () if end.outcome in WELL else tuple(ref.id for ref in end.refs if ref.id in self._messages)
        self._add(Stopped(end.outcome, plain(end.reason).strip(), plain(end.footer), end.seconds, about))
        if end.outcome not in WELL and end.reason:
            self._words = one_line(end.reason, WORDS)

    def _say(self, kind: Literal["said", "thought"], event: acp.Said | acp.Thought) -> None:
        run = self._run
        if run is None or run.kind != kind or event.message_id not in {None, run.message_id}:
            self._close()
            run = self._run = _Run(kind, event.message_id)
        for text in run.pages.feed(event.text):
            self._words_at(run, text, goes_on=True)
            run.entry = 0
        run.is_drawn = False

    def _draw(self) -> None:
        """Bring what is being said into its entry: when somebody looks, not for each word."""
        run = self._run
        if run is None or run.is_drawn:
            return
        run.is_drawn = True
        text = "\n".join(run.pages.page())  # two where a few characters wait for what decides the cut
        if text:
            self._words_at(run, text)

    def _close(self) -> None:
        """What is being said has ended: something else follows."""
        self._draw()
        self._run = None

    def _words_at(self, run: _Run, text: str, *, goes_on: bool = False) -> None:
        content = Words(run.kind, text, goes_on)
        if run.entry:
            self._change(run.entry, content)
        else:
            run.entry = self._add(content)
        if run.kind == "said":
            self._words = one_line(_MARKS.sub(" ", text[-4 * WORDS :]) or " ", 4 * WORDS)[-WORDS:].lstrip()

    def _tool(self, change: acp.ToolChanged) -> None:
        tool, entry = self._tools.get(change.call_id, (Tool(change.call_id), 0))
        tool.merge(change)
        if entry:
            self._change(entry, _call(tool))
        else:
            self._tools[change.call_id] = tool, self._add(_call(tool))

    def _planned(self, plan: acp.PlanChanged) -> None:
        if self._plan:
            self._change(self._plan, Plan(plan.entries))
        else:
            self._plan = self._add(Plan(plan.entries))

    def _media(self, media: acp.Media) -> None:
        if media.text is not None:
            data = media.text.encode("utf-8", "replace")
        else:
            try:
                data = base64.b64decode(media.data or "", validate=False)
            except binascii.Error:
                self._add(Sentence("A file of the agent's could not be read.", ok=False))
                return
        name = media_name(media)
        keep = self._kept + len(data) <= FILES
        self._kept += len(data) if keep else 0
        self._add(Sent(name, media.mime, len(data), data if keep else None))

    def _fate(self, entry: int, fate: Fate, only_if: Fate | None = None) -> None:
        found = self._entries.get(entry)
        content = found.content if found is not None else None
        if isinstance(content, Message) and content.fate != fate and only_if in {None, content.fate}:
            self._change(entry, replace(content, fate=fate))

    def _add(self, content: Content) -> int:
        self._version += 1
        number = next(self._ids)
        self._put(number, content)
        return number

    def _put(self, number: int, content: Content) -> None:
        """Keep an entry as it is now, and of the others as many as there is room for."""
        self._entries[number] = Entry(number, self._version, content)
        size = bulk(content)
        self._bulk += size - self._bulks.get(number, 0)
        self._bulks[number] = size
        while len(self._entries) > MOST or (self._bulk > BULK and len(self._entries) > 1):
            self._drop(next(one for one in self._entries if one != number))

    def _drop(self, number: int) -> None:
        content = self._entries.pop(number).content
        self._bulk -= self._bulks.pop(number)
        if isinstance(content, Message):
            self._messages.pop(content.id, None)
        elif isinstance(content, Sent) and content.data is not None:
            self._kept -= len(content.data)

    def _change(self, number: int, content: Content) -> None:
        """Replace an entry; one that has been dropped stays so."""
        found = self._entries.get(number)
        if found is not None and found.content != content:
            self._version += 1
            self._put(number, content)


def _call(tool: Tool) -> Call:
    changes = tuple(
        (plain(part.path), plain(diff_text(part.path, part.old, part.new))[:DIFF])
        for part in tool.content
        if isinstance(part, acp.Diff)
    )
    output = "\n".join(part.text for part in tool.content if isinstance(part, acp.Output))
    return Call(
        one_line(tool.label, TITLE),
        one_line(tool.kind or "other", 40),
        tool.state,
        tuple(one_line(place, TITLE) for place in tool.locations),
        changes,
        plain(output).strip("\n")[-OUTPUT:],
    )
