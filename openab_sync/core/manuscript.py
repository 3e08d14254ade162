"""The manuscript: a turn written into pages while it grows.

What can no longer change is written once, through the streams that take out long code and rewrite tables, and through
the paginator, so that a turn costs time in proportion to its text however often it is looked at. What may still change
(running tools, the plan, thoughts) and all that follows it is the tail: drawn anew at every look, and short, because
what does not fit into the live page is sealed as it is. Finished pages never change.

Pure but for the turn: segments that have been written are sealed, so that their news become segments of their own.
"""

from __future__ import annotations

from itertools import accumulate

from ..acp import events as acp
from ..text.clean import plain, settled_length
from ..text.masks import Signs
from ..text.snippets import CodeStream
from ..text.split import Paginator
from ..text.tables import TableStream, convert
from ..text.veil import Veil
from .drawing import Drawing, Scribe, diff_file
from .port import File
from .turn import MediaItem, NoticeLine, PlanList, Segment, TextRun, ThoughtRun, ToolGroup, Turn

__all__ = ["Manuscript"]


class Manuscript:
    """The pages of one turn. Session thread only; never blocks. `limit` is what a page holds, in characters."""

    __slots__ = ("_at", "_begun", "_code", "_diffs", "_drawing", "_held", "_limit", "_media_seen", "_paginator",
                 "_part", "_scribe", "_signs", "_snippets", "_tables", "_veil", "files", "finished")  # fmt: skip

    def __init__(self, drawing: Drawing, limit: int) -> None:
        self._drawing = drawing
        self._limit = limit
        self.finished: list[str] = []  # pages that never change again
        self.files: list[tuple[int, acp.Media | acp.Link | File]] = []  # what to send after which page, in order
        self._diffs: set[str] = set()  # calls whose changes are among them
        self._snippets = 0  # blocks of code that are
        self._at = 0  # the segment being written …
        self._part = 0  # … and how many of its parts are, if it is text
        self._begun = False  # the scribe knows of it
        self._media_seen = 0  # segments looked at for media
        self._open_leaf()

    def __repr__(self) -> str:
        return f"<Manuscript pages={len(self.finished)} at={self._at}>"

    def write(self, turn: Turn, ending: str = "") -> list[str]:
        """Write what is settled, and return the pages that are not finished, as they look now with `ending` below.

        While the turn runs nothing is returned that may shrink: no second page because of a table that is being
        written, none for the ending.
        """
        self._settle(turn)
        if turn.outcome is None:
            self._make_room(turn)
        else:
            self._let_go()
            self._feed_tables(self._code.settle())
        for segment in turn.segments[max(self._at, self._media_seen) :]:
            self._note_media(segment)
        self._media_seen = len(turn.segments)
        pages = self._paginator.page(self._tail(turn, ending))
        if turn.outcome is not None:
            return pages
        if len(pages) > 1 and ending:
            pages = self._paginator.page(self._tail(turn))
        return pages[: self._surely()]

    def close(self, turn: Turn, ending: str = "") -> None:
        """Finish all pages as they look now: what comes later begins a new one."""
        self.finished += self.write(turn, ending)
        self._begun = False
        self._open_leaf()

    # How it is written.

    def _open_leaf(self) -> None:
        self._held = ""  # text that may be the head of an escape sequence …
        self._veil = Veil(self._drawing.redact)  # … of a secret …
        self._signs = Signs()  # … or begin like a sentence of ours
        self._scribe = Scribe()
        self._code = CodeStream(self._limit, self._snippets + 1)
        self._tables = TableStream(self._drawing.tables)
        self._paginator = Paginator(self._limit)

    def _settle(self, turn: Turn) -> None:
        """Write all segments up to the first that may still change."""
        while self._at < len(turn.segments):
            segment = turn.segments[self._at]
            is_last = self._at == len(turn.segments) - 1
            if isinstance(segment, TextRun):
                self._write_text(segment)
                if is_last:
                    return
            elif not self._drawing.hides(segment):
                if not _is_settled(segment, turn, is_last=is_last):
                    return
                self._write_block(segment)
            elif is_last:
                return  # hidden, but what joins it is to be hidden with it
            self._next()

    def _make_room(self, turn: Turn) -> None:
        """Seal the oldest of what may still change until all fits into one page."""
        begin = self._at
        ends = list(accumulate(len(self._block(turn, segment)) + 2 for segment in self._unwritten(turn)))
        while self._can_seal(turn):
            size = ends[-1] - (ends[self._at - begin - 1] if self._at > begin else 0)
            # Only what is near the limit is worth drawing to see whether it fits.
            if size <= self._limit and len(self._paginator.page(self._tail(turn))) < 2:
                return
            self._seal(turn)

    def _can_seal(self, turn: Turn) -> bool:
        """Say whether there is a tail: text is written as it comes, so a segment of text at its head is none."""
        return self._at < len(turn.segments) and not isinstance(turn.segments[self._at], TextRun)

    def _seal(self, turn: Turn) -> None:
        """Write the segment that is next as it is now, and what is settled behind it."""
        segment = turn.segments[self._at]
        if not self._drawing.hides(segment):
            self._write_block(segment, grows=_grows(turn, segment))
        self._next()
        self._settle(turn)

    def _block(self, turn: Turn, segment: Segment) -> str:
        """Return a segment of the tail as it is now."""
        return convert(self._drawing.block(segment, grows=_grows(turn, segment)), self._drawing.tables)

    def _tail(self, turn: Turn, ending: str = "") -> str:
        """Return what stands behind the written text: what is held back, what may change, the ending."""
        blocks = [self._block(turn, segment) for segment in self._unwritten(turn)]
        # What is held back shows when nothing can complete it any more.
        held = self._signs.peek(self._veil.rest(plain(self._held))) if any(blocks) else ""
        return self._tables.tail() + self._code.tail(held + self._scribe.behind([*blocks, ending]))

    def _surely(self) -> int | None:
        """Return how many of the pages will be there whatever is written next; None: all of them."""
        table = self._tables.tail()
        if "|" in table:
            return 1
        return max(1, len(self._paginator.page(table + self._code.least()))) if self._code.holds_code else None

    def _unwritten(self, turn: Turn) -> list[Segment]:
        """Return the segments of the tail."""
        return turn.segments[self._at if self._can_seal(turn) else self._at + 1 :]

    def _write_text(self, run: TextRun) -> None:
        """Write the parts that have come since the last time."""
        if not self._begun:
            if not run.continues:
                self._begin_anew()
            self._scribe.begin(run)
            self._begun = True
        if self._part < len(run.parts):
            text = self._held + "".join(run.parts[self._part :])
            self._part = len(run.parts)
            cut = settled_length(text)
            self._held = text[cut:]
            self._put(self._veil.feed(plain(text[:cut])))

    def _put(self, text: str) -> None:
        self._feed(self._scribe.put(self._signs.feed(text)))

    def _let_go(self) -> None:
        """Write what was held back: something else follows, so nothing can complete it any more."""
        if self._held:
            self._put(self._veil.feed(plain(self._held)))
        if rest := self._veil.flush():
            self._put(rest)
        self._held = ""

    def _begin_anew(self) -> None:
        """What comes next belongs to nothing that was written, but for a secret that is torn by what stands between."""
        self._let_go()
        self._signs = Signs()

    def _write_block(self, segment: Segment, *, grows: bool = False) -> None:
        self._begin_anew()
        if isinstance(segment, (ThoughtRun, ToolGroup, PlanList)):
            segment.seal()
        self._scribe.begin(segment)
        self._feed(self._scribe.put(self._drawing.block(segment, grows=grows)))
        if isinstance(segment, ToolGroup) and self._drawing.tool_display == "full":
            self._note_diffs(segment)
        if self._at >= self._media_seen:
            self._note_media(segment)
            self._media_seen = self._at + 1

    def _next(self) -> None:
        self._at, self._part, self._begun = self._at + 1, 0, False

    def _feed(self, text: str) -> None:
        self._feed_tables(self._code.feed(text))

    def _feed_tables(self, text: str) -> None:
        """Write text without long code, and note the files that have taken its place."""
        self.finished += self._paginator.feed(self._tables.feed(text))
        for snippet in self._code.taken:
            self._note(File(snippet.name, snippet.text.encode("utf-8", "replace"), "text/plain"))
        self._snippets += len(self._code.taken)
        self._code.taken.clear()

    # What is sent besides.

    def _note(self, item: acp.Media | acp.Link | File) -> None:
        """Note a file for sending: behind the page that is being written."""
        self.files.append((len(self.finished), item))

    def _note_media(self, segment: Segment) -> None:
        if isinstance(segment, MediaItem):
            self._note(segment.item)

    def _note_diffs(self, group: ToolGroup) -> None:
        """Note the changes of calls that have ended, where they are too long to be shown."""
        for tool in group.tools:
            file = diff_file(tool) if tool.call_id not in self._diffs else None
            if file is not None:
                self._diffs.add(tool.call_id)
                self._note(file)


def _grows(turn: Turn, segment: Segment) -> bool:
    """Say whether more of a segment may come."""
    return turn.outcome is None and segment is turn.segments[-1]


def _is_settled(segment: Segment, turn: Turn, *, is_last: bool) -> bool:
    """Say whether a segment other than text can be written: nothing is expected to change it."""
    if isinstance(segment, (NoticeLine, MediaItem)) or turn.outcome is not None:
        return True
    if is_last or isinstance(segment, PlanList):
        return False
    return not (isinstance(segment, ToolGroup) and segment.is_open)
