"""What happens in one conversation, as lines of a terminal. Pure: an event in, text out.

The text is to be appended to what was printed before: `Said` and `Thought` give pieces of a line, everything else
begins and ends a line. What the agent wrote is cleaned first, so that it cannot play tricks with the terminal.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from msgspec.structs import replace

from ...core import events as acp
from ...core.port import Notice, Question, Settled, TurnEnded, TurnEvent, TurnStarted
from ...text.clean import one_line, plain, settled_length
from ...text.tools import diff_text, fence
from .style import Style

__all__ = ["Screen", "Shown", "media_line", "wall_clock"]

TITLE = 200  # characters of a tool's title
OUTPUT = 12  # lines of what a failed tool said; the last ones tell why
ABOVE = "(the change above)"
MARKS = {"completed": "✅", "failed": "❌"}
BOXES = {"completed": "☑", "in_progress": "◐"}


@dataclass(frozen=True, slots=True)
class Shown:
    """What is shown besides the answer."""

    tools: Literal["full", "compact", "none"] = "full"
    plan: bool = True
    thoughts: bool = False


def wall_clock() -> str:
    """Return what time it is here, for people."""
    return time.strftime("%H:%M:%S")


def media_line(media: acp.Media | acp.Link) -> str:
    """Name a picture, a sound, a file or a link in one line."""
    if isinstance(media, acp.Link):
        sign = "📎" if media.uri.startswith("/") else "🔗"  # a file here, or an address
        return one_line(f"{sign} {media.name} {media.uri}", TITLE * 5)
    size = f", {len(media.data) * 3 // 4} bytes" if media.data else ""  # base64: four characters, three bytes
    return one_line(f"📎 {media.kind} {media.uri} {media.mime}{size}", TITLE * 5)


class Screen:
    """Draws one conversation. One thread only."""

    def __init__(self, style: Style, shown: Shown, clock: Callable[[], str] = wall_clock) -> None:
        """`clock` tells what time it is, for people."""
        self._style = style
        self._shown = shown
        self._clock = clock
        self._line: Literal["", "said", "thought"] = ""  # what the unfinished line holds
        self._said_id: str | None = None  # whose text came last: another message begins a paragraph
        self._held: dict[str, str] = {}  # text that may be the head of an escape sequence, by what it is
        self._tools: dict[str, acp.ToolChanged] = {}  # of this turn, merged
        self._drawn: dict[str, str] = {}  # how far each tool is on the screen: its mark
        self._diffs: set[tuple[str, str]] = set()  # changes on the screen: of which tool, and what
        self._details: list[str] = []  # what questions have shown
        self._plan: tuple[acp.PlanEntry, ...] = ()

    @property
    def is_mid_line(self) -> bool:
        """Whether the last line is unfinished."""
        return bool(self._line)

    def draw(self, event: TurnEvent) -> str:
        """Return what `event` adds to the screen, "" for nothing."""
        match event:
            case acp.Said():
                return self._said(event)
            case acp.Thought():
                return self._thought(event)
            case acp.ToolChanged():
                return self._tool(event)
            case acp.PlanChanged():
                return self._planned(event.entries)
            case acp.Media() | acp.Link():
                return self._media(event)
            case TurnEnded():
                return self._ended(event)
            case Notice():
                return self.notice(event.text)
            case Settled():
                return self.settled(event.question, event.text)
            case TurnStarted():
                self._begin()
        return ""  # usage and titles have their place in the footer and the status line

    def block(self, text: str) -> str:
        """Return `text` as lines of its own."""
        head, self._line = "\n" if self._line else "", ""
        return f"{head}{text}\n"

    def notice(self, text: str) -> str:
        """Return a sentence of ours."""
        return self.block(self._style.faint(plain(text)))

    def question(self, question: Question, hint: str) -> str:
        """Return a question with the whole of what it is about, and its options, numbered."""
        lines = [self._style.ask(f"❓ {plain(question.title)}")]
        detail = self._without_known(plain(question.detail))
        if detail.strip():
            lines += self._detail(detail.strip("\n"))
        # Nothing is cut from a name, for some hold a whole command; but one of two lines would look like two answers.
        names = (" ".join(plain(option.name).split()) for option in question.options)
        lines += [f"   {number}. {name}" for number, name in enumerate(names, 1)]
        lines.append(self._style.faint(f"   {hint}"))
        return self.block("\n".join(lines))

    def settled(self, question: Question, text: str) -> str:
        """Return how a question was decided, and when."""
        title = one_line(question.title, TITLE)
        return self.block(self._style.faint(f"❓ {title}: {plain(text)} ({self._clock()})"))

    # What the agent says.

    def _said(self, said: acp.Said) -> str:
        if said.message_id not in {None, self._said_id}:
            self._held.pop("said", None)  # nothing completes it any more
        text = self._cleaned("said", said.text)
        if not text:
            return ""
        head = ""
        if self._line == "thought":
            head = "\n"
        elif self._said_id is not None and said.message_id not in {None, self._said_id}:
            head = "\n\n" if self._line else "\n"
        if said.message_id is not None:
            self._said_id = said.message_id
        self._line = "" if text.endswith("\n") else "said"
        return head + text

    def _thought(self, thought: acp.Thought) -> str:
        text = self._cleaned("thought", thought.text)
        if not self._shown.thoughts or not text:
            return ""
        head = "\n" if self._line == "said" else ""
        mark = "" if self._line == "thought" else "💭 "
        self._line = "" if text.endswith("\n") else "thought"
        return head + self._style.faint(mark + text)

    def _cleaned(self, kind: str, text: str) -> str:
        """Clean a piece of text; what may be the head of an escape sequence waits for the next piece of its kind."""
        text = self._held.pop(kind, "") + text
        cut = settled_length(text)
        self._held[kind] = text[cut:]
        return plain(text[:cut])

    def _media(self, media: acp.Media | acp.Link) -> str:
        lines = [self._style.mark(media_line(media))]
        if isinstance(media, acp.Media) and media.text:
            lines.append(plain(media.text).rstrip("\n"))
        return self.block("\n".join(lines))

    # What it does.

    def _tool(self, change: acp.ToolChanged) -> str:
        tool = _merged(self._tools.get(change.call_id), change)
        self._tools[tool.call_id] = tool
        mark, before = MARKS.get(tool.status or "", "🔧"), self._drawn.get(tool.call_id, "")
        if self._shown.tools == "none" or mark == before or before in MARKS.values():
            return ""  # a tool that has ended does not run again
        self._drawn[tool.call_id] = mark
        lines = [f"{mark} {_title(tool)}"]
        if self._shown.tools == "full":
            lines += self._changes(tool) if not before or mark == "✅" else []
            lines += self._output(tool) if mark == "❌" else []
        return self.block("\n".join(lines))

    def _changes(self, tool: acp.ToolChanged) -> list[str]:
        """The diffs of a tool that are not on the screen: agents repeat them when it has ended, questions hold them."""
        parts = [part for part in tool.content or () if isinstance(part, acp.Diff)]
        diffs = dict.fromkeys(plain(diff_text(part.path, part.old, part.new)) for part in parts)
        news = [diff for diff in diffs if diff and (tool.call_id, diff) not in self._diffs]
        if not news:
            return []
        self._diffs.update((tool.call_id, diff) for diff in news)
        asked = next((text for text in self._details if all(fence(diff, "diff") in text for diff in news)), None)
        if asked is not None:
            self._details.remove(asked)  # it speaks for one tool: the next shows its own
            return []
        return [_indented(self._style.diff("\n".join(diff.rstrip("\n") for diff in news)))]

    def _without_known(self, detail: str) -> str:
        """What a question is about, without the changes that stand above it."""
        for diff in {diff for _, diff in self._diffs}:
            detail = detail.replace(fence(diff, "diff"), ABOVE)
        self._details.append(detail)
        return detail

    def _output(self, tool: acp.ToolChanged) -> list[str]:
        said = "\n".join(part.text for part in tool.content or () if isinstance(part, acp.Output))
        lines = plain(said).strip("\n").split("\n") if said.strip() else []
        return [_indented(self._style.faint(line)) for line in lines[-OUTPUT:]]

    def _detail(self, text: str) -> list[str]:
        """The whole of what a question is about; diffs in it are coloured."""
        lines, in_diff = [], False
        for line in text.split("\n"):
            fence = line.lstrip().startswith(("```", "~~~"))
            in_diff = (not in_diff and line.strip().endswith("diff")) if fence else in_diff
            lines.append(f"   {self._style.diff(line) if in_diff and not fence else line}")
        return lines

    def _planned(self, entries: tuple[acp.PlanEntry, ...]) -> str:
        """The whole plan at first, then what has changed."""
        known = {(entry.content, entry.status) for entry in self._plan}
        is_new = {entry.content for entry in entries}.isdisjoint({entry.content for entry in self._plan})
        self._plan = entries
        news = [entry for entry in entries if is_new or (entry.content, entry.status) not in known]
        if not self._shown.plan or not news:
            return ""
        lines = [f"{BOXES.get(entry.status, '☐')} {one_line(entry.content, TITLE)}" for entry in news]
        return self.block("\n".join(["📋 Plan", *lines] if is_new else lines))

    # How a turn begins and ends.

    def _begin(self) -> None:
        self._tools, self._drawn, self._held = {}, {}, {}
        self._diffs, self._details = set(), []
        self._plan, self._said_id = (), None

    def _ended(self, end: TurnEnded) -> str:
        left = [tool for key, tool in self._tools.items() if self._drawn.get(key) == "🔧"]
        lines = [self._style.faint(f"– {_title(tool)} (not finished)") for tool in left]
        reason = plain(end.reason).strip()
        if end.outcome == "cancelled":
            lines.append(self._style.faint(f"⏹ {reason or 'cancelled'}"))
        elif end.outcome != "done":
            lines.append(self._style.bad(f"✗ {reason or end.outcome}"))
        elif reason:
            lines.append(self._style.faint(reason))
        if end.footer:
            lines.append(self._style.faint(plain(end.footer)))
        self._begin()
        if lines:
            return self.block("\n".join(lines))
        return self.block("")[:-1]  # only finish the line


def _merged(before: acp.ToolChanged | None, change: acp.ToolChanged) -> acp.ToolChanged:
    """A tool as it is now: what the change does not speak of stays."""
    if before is None:
        return change
    return replace(
        before,
        title=change.title or before.title,
        kind=change.kind or before.kind,
        status=change.status or before.status,
        content=before.content if change.content is None else change.content,
        raw_input=before.raw_input if change.raw_input is None else change.raw_input,
    )


def _title(tool: acp.ToolChanged) -> str:
    """The tool's own title, else what it was given, else its kind."""
    given = tool.raw_input if isinstance(tool.raw_input, dict) else {}
    names = [tool.title, *(given.get(key) for key in ("command", "path", "file_path", "url")), tool.kind]
    return one_line(next((name for name in names if isinstance(name, str) and name.strip()), "tool"), TITLE)


def _indented(text: str) -> str:
    return "\n".join(f"   {line}" for line in text.split("\n"))
