"""Drawing: what the segments of a turn look like as markdown.

Pure: a segment in, a block of text out. `Scribe` joins blocks into one text, so that a paragraph stands between them
and a block of code that the agent left open swallows nothing of what follows. Nothing here knows of pages
(`manuscript`) or of a chat (`reply`).
"""

from __future__ import annotations

import base64
import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from ..acp import events as acp
from ..config.schema import Config
from ..text.clean import one_line, plain
from ..text.fences import Fence, step
from ..text.marks import contained, hidden, literal
from ..text.masks import unsigned
from ..text.redact import Redactor
from ..text.tools import ToolLine, diff_head, diff_text, tool_lines
from .port import File, Limits
from .tool import Tool
from .turn import MediaItem, NoticeLine, PlanList, Segment, TextRun, ThoughtRun, ToolGroup, Turn

__all__ = ["Drawing", "Scribe", "diff_file", "file_of", "media_name", "tool_detail"]

_MARKS = {"completed": "☑", "in_progress": "◐"}
_ENTRY_WIDTH = 300  # characters of one entry of a plan
_NAME_WIDTH = 120  # characters of a file's name
_URI_WIDTH = 500
_READ = 4000  # characters of what will be one line: megabytes have been met
# What would be a mark of markdown in an address.
_QUOTED = str.maketrans({"|": "%7C", "*": "%2A", "`": "%60", "~": "%7E", "<": "%3C", ">": "%3E"})
# A name's ending for files that came without a name; the rest are named by the second half of their type.
_ENDINGS = {"jpeg": "jpg", "svg+xml": "svg", "plain": "txt", "mpeg": "mp3", "markdown": "md", "octet-stream": "bin"}


@dataclass(frozen=True, slots=True)
class Drawing:
    """How a turn is drawn: what is shown and how."""

    tool_display: Literal["full", "compact", "none"] = "full"
    tables: Literal["code", "bullets", "off"] = "code"
    plan: bool = True
    thoughts: bool = False
    spoiler: int = 0  # characters of thoughts in one spoiler; 0: they are quoted
    redact: Redactor = field(default=Redactor(), compare=False, repr=False)

    @classmethod
    def of(cls, config: Config, redact: Redactor | None = None) -> Drawing:
        """Return what the configuration asks for, without what `redact` takes out."""
        reply = config.reply
        display, tables = config.reactions.tool_display, config.markdown.tables
        return cls(display, tables, reply.plan, reply.thoughts, redact=redact or Redactor())

    def fitted(self, limits: Limits) -> Drawing:
        """Return how it is drawn where these limits hold."""
        # Half a page: whoever makes pages cuts between two such blocks, not in one.
        return replace(self, spoiler=limits.page // 2 if limits.spoilers else 0)

    def on_paper(self) -> Drawing:
        """Return how it is drawn in a file, where nothing can be hidden."""
        return replace(self, spoiler=0)

    def hides(self, segment: Segment) -> bool:
        """Say whether `segment` is of a kind that is not shown."""
        match segment:
            case ToolGroup():
                return self.tool_display == "none"
            case PlanList():
                return not self.plan
            case ThoughtRun():
                return not self.thoughts
            case _:
                return False

    def block(self, segment: Segment, *, grows: bool = False) -> str:
        """Return `segment` as markdown, as it is now, clean and without secrets; "" if there is nothing to show.

        `grows`: more of it may come, so what may be the head of a secret is left out.
        """
        return "" if self.hides(segment) else self.redact(self._block(segment, grows=grows))

    def _words(self, parts: list[str], *, grows: bool) -> str:
        """Return text of the agent, clean, without a secret that a line of ours would tear up."""
        text = plain("".join(parts))
        return unsigned(self.redact(text[: self.redact.settled_length(text)] if grows else text))

    def _block(self, segment: Segment, *, grows: bool) -> str:
        match segment:
            case TextRun():
                return self._words(segment.parts, grows=grows)
            case ThoughtRun():
                text = self._words(segment.parts, grows=grows)
                return hidden(f"💭 {text}", self.spoiler) if self.spoiler and text.strip() else _quoted("💭 ", text)
            case ToolGroup():
                return "\n".join(_tool_lines(segment.tools, self.tool_display, self.redact))
            case PlanList():
                return "\n".join(
                    f"{_MARKS.get(entry.status, '☐')} {contained(one_line(entry.content[:_READ], _ENTRY_WIDTH))}"
                    for entry in segment.entries
                )
            case NoticeLine():
                return _quoted("", segment.text)
            case MediaItem():
                return _media_line(segment.item)

    def ending(self, explanation: str, footer: str) -> str:
        """Return what stands below an answer: why it ended as it did, and the footer."""
        return "\n\n".join(part for part in (_quoted("⚠️ ", explanation), f"*{footer}*" if footer else "") if part)

    def whole(self, turn: Turn, ending: str = "") -> str:
        """Return a turn as one text, as far as it has come; tables are left as they are."""
        scribe = Scribe()
        pieces: list[str] = []
        for segment in _untorn(turn.segments, self.redact):
            if not self.hides(segment):
                scribe.begin(segment)
                grows = turn.outcome is None and segment is turn.segments[-1]
                pieces.append(scribe.put(self.block(segment, grows=grows)))
        return "".join([*pieces, scribe.behind([ending])])


def _untorn(segments: Sequence[Segment], redact: Redactor) -> Iterator[Segment]:
    """Yield segments; of a secret that something else tears into two texts of the agent's nothing is in either."""
    said = ["".join(segment.parts) if isinstance(segment, TextRun) else "" for segment in segments]
    for segment, raw, text in zip(segments, said, redact.across(said), strict=True):
        yield TextRun([text], segment.continues) if isinstance(segment, TextRun) and text != raw else segment


class Scribe:
    """Joins blocks: says what to write for a block, given what has been written before it.

    A block is begun once and may be put in pieces. White space at its head waits for what follows, so a block of white
    space is none.
    """

    __slots__ = ("_blank", "_breaks", "_fence", "_line", "_pending", "_was_text", "_wrote")

    def __init__(self) -> None:
        self._wrote = False
        self._breaks = 0  # newlines at the end of what was written, two at most
        self._fence: Fence | None = None
        self._line = ""  # the unfinished line, as far as it can matter for a fence
        self._pending = False  # the next ink begins a new block
        self._blank = ""  # white space that waits for ink
        self._was_text = False

    def begin(self, segment: Segment) -> None:
        """Begin the block of a segment that is shown. What belongs before it waits for its first ink."""
        glued = isinstance(segment, TextRun) and segment.continues and self._was_text
        self._was_text = isinstance(segment, TextRun)
        if not glued:
            self._pending, self._blank = True, ""

    def put(self, text: str) -> str:
        """Return `text` of this block as it is to be written."""
        if self._pending:
            text = self._blank + text
            if not text.strip():
                self._blank = text
                return ""
            self._pending, self._blank = False, ""
            text = self._gap() + text.lstrip("\r\n")
        self._follow(text)
        return text

    def behind(self, blocks: Iterable[str]) -> str:
        """Return `blocks` as they would be written now, and forget them: they may change."""
        copy = Scribe()
        copy._wrote, copy._breaks, copy._fence, copy._line = self._wrote, self._breaks, self._fence, self._line
        pieces: list[str] = []
        for block in blocks:
            copy._pending = True
            pieces.append(copy.put(block))
        return "".join(pieces)

    def _gap(self) -> str:
        """Return what separates a new block from what was written: a closed fence and a blank line."""
        if not self._wrote:
            return ""
        inside = step(self._line, self._fence)
        closer = "" if inside is None else ("\n" if self._line else "") + inside.mark
        return closer + "\n" * (2 if closer else 2 - self._breaks)

    def _follow(self, text: str) -> None:
        """Remember what the end of the text means for what comes next."""
        if not text:
            return
        self._wrote = True
        end = text[-2:] if len(text) > 1 else ("\n" * self._breaks + text)[-2:]
        self._breaks = len(end) - len(end.rstrip("\n"))
        if self._fence is None and not _may_fence(self._line + text):
            self._line = text.rpartition("\n")[2][:200] if "\n" in text else (self._line + text)[:200]
            return
        *lines, last = (self._line + text).split("\n")
        for line in lines:
            self._fence = step(line, self._fence)
        self._line = last[:200]


def media_name(item: acp.Media | acp.Link) -> str:
    """Return a file name for something in an answer; never empty, never a path."""
    name = item.name if isinstance(item, acp.Link) else ""
    name = _file_name(name or item.uri.partition("?")[0].rstrip("/").rpartition("/")[2])
    if name:
        return name
    major, _, minor = item.mime.partition(";")[0].strip().lower().partition("/")
    kind = item.kind if isinstance(item, acp.Media) and item.kind != "resource" else (major or "file")
    return one_line(f"{kind}.{_ENDINGS.get(minor, minor) or 'bin'}", _NAME_WIDTH).replace("/", "_")


def file_of(item: acp.Media | acp.Link) -> File | None:
    """Return something in an answer as a file, None for a link. Raise ValueError if its data cannot be read."""
    if isinstance(item, acp.Link) or (item.data is None and item.text is None):
        return None
    if item.data is None:
        return File(media_name(item), (item.text or "").encode("utf-8", "replace"), item.mime)
    data = item.data.partition("base64,")[2] if item.data.startswith("data:") else item.data
    return File(media_name(item), base64.b64decode("".join(data.split()), validate=True), item.mime)


def diff_file(tool: Tool) -> File | None:
    """Return the changes of a call that has ended as a file, None if they are shown whole or there are none."""
    if tool.state not in {"done", "failed"} or not _has_diff(tool):
        return None
    diff = tool_detail(tool)
    if len(diff_head(diff)) == len(diff):
        return None
    return File(_diff_name(tool), f"{diff}\n".encode("utf-8", "replace"), "text/x-diff")


def tool_detail(tool: Tool) -> str:
    """Return what a call shows below its line: its diffs, or what it said about its failure."""
    if tool.drawn is None or tool.drawn[0] is not tool.content or tool.drawn[1] != tool.state:
        tool.drawn = tool.content, tool.state, _detail(tool)
    return tool.drawn[2]


def _detail(tool: Tool) -> str:
    diffs = [diff_text(part.path, part.old, part.new) for part in tool.content if isinstance(part, acp.Diff)]
    if any(diffs):
        return "\n".join(diff for diff in diffs if diff)
    if tool.state != "failed":
        return ""
    return "\n".join(part.text for part in tool.content if isinstance(part, acp.Output))


def _tool_lines(tools: Iterable[Tool], mode: Literal["full", "compact", "none"], redact: Redactor) -> Iterator[str]:
    for stopped, run in itertools.groupby(tools, key=lambda tool: tool.state == "stopped"):
        lines = tool_lines([_tool_line(tool, mode, redact) for tool in run], mode)
        # Neither done nor running: the call was heard of no more when its turn ended.
        yield from (f"–{line[1:]}" for line in lines.split("\n")) if stopped else (lines,)


def _tool_line(tool: Tool, mode: Literal["full", "compact", "none"], redact: Redactor) -> ToolLine:
    if tool.state == "stopped":
        return ToolLine(tool.label, tool.kind or "tool", "pending")
    detail = redact(tool_detail(tool)) if mode == "full" else ""  # before anything of it is cut
    head = diff_head(detail) if _has_diff(tool) else detail
    if len(head) == len(detail):
        return ToolLine(tool.label, tool.kind or "tool", tool.state, detail)
    name = "…" if tool.is_open else f"📎 {literal(_diff_name(tool))}"
    return ToolLine(tool.label, tool.kind or "tool", tool.state, head, f"{name} ({detail.count(chr(10)) + 1} lines)")


def _has_diff(tool: Tool) -> bool:
    return any(isinstance(part, acp.Diff) for part in tool.content)


def _diff_name(tool: Tool) -> str:
    path = next(part.path for part in tool.content if isinstance(part, acp.Diff))
    return f"{_file_name(path.rstrip('/').rpartition('/')[2]) or 'changes'}.diff"


def _file_name(text: str) -> str:
    """Return `text` as a name that is no path; "" if nothing is left."""
    return one_line(text[-_READ:], _NAME_WIDTH).replace("/", "_").replace("\\", "_").strip(". ")


def _media_line(item: acp.Media | acp.Link) -> str:
    name = literal(media_name(item))
    mime = literal(one_line(item.mime, _NAME_WIDTH))
    line = f"📎 {name}" + (f" ({mime})" if mime else "")
    uri = one_line(item.uri[:_READ], _URI_WIDTH).translate(_QUOTED)
    return f"{line} {uri}" if isinstance(item, acp.Link) and uri else line


def _quoted(mark: str, text: str) -> str:
    """Return `text` as a quote, "" for nothing."""
    lines = plain(text).strip("\n").split("\n")
    return "\n".join(f"> {line}".rstrip() for line in (mark + lines[0], *lines[1:])) if any(lines) else ""


def _may_fence(text: str) -> bool:
    return "```" in text or "~~~" in text
