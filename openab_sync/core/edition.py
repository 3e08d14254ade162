"""The edition: the pages of a reply as people get them.

Takes the manuscript's pages and bounds their number: of a very long answer the head is posted as it grows, and then one
page says that it goes on. In the end that page has the tail, and the whole is a file. What has been posted is never
taken back. Where answers are posted once, those whom the answer speaks to at its head are named on every page: a page
calls nobody else (FIELD E10).

Session thread only; never blocks. Costs time in proportion to the text, however often it is looked at.
"""

from __future__ import annotations

import re

from ..acp import events as acp
from ..text.ends import last_lines
from ..text.masks import unmasked
from ..text.tables import convert
from .drawing import Drawing
from .manuscript import Manuscript
from .port import File, Limits
from .turn import Turn

__all__ = ["WHOLE", "Edition"]

WHOLE = "answer.md"
# Of a page so much may be mentions, at most.
_MENTIONS_PART = 4


class Edition:
    """The pages of one reply, and the files that follow them."""

    __slots__ = ("_begin", "_characters", "_files_read", "_first", "_last", "_limits", "_manuscript", "_mentions",
                 "_read", "drawing", "files", "is_closed", "is_long", "pages")  # fmt: skip

    def __init__(self, drawing: Drawing, limits: Limits) -> None:
        self.drawing = drawing.fitted(limits)
        self._limits = limits
        self._manuscript = Manuscript(self.drawing, limits.page)
        self.pages: list[str] = []  # finished: they never change
        self.files: list[tuple[int, acp.Media | acp.Link | File]] = []  # what to send after which page, in order
        self._mentions: list[str] = []  # what every page repeats
        # Since the last close:
        self._first = 0  # the first of `pages` …
        self._begin = 0  # … which is this one of the manuscript's
        self._read = 0  # pages of the manuscript before this one have been taken over
        self._characters = 0  # in those since then
        self._last = ""  # the last of those that is not among `pages`
        self.is_long = False  # there are more pages than may be posted
        self.is_closed = False  # what comes from now on begins a new page
        self._files_read = 0

    def __repr__(self) -> str:
        return f"<Edition pages={len(self.pages)} long={self.is_long} {self._manuscript!r}>"

    def write(self, turn: Turn, ending: str = "") -> list[str]:
        """Write what is settled, and return the pages behind `pages` as they look now with `ending` below."""
        live = self._manuscript.write(turn, ending)
        self._take_over(live)
        self._take_files()
        return [*self._within(live), self._goes_on(live)] if self.is_long else live

    def close(self, turn: Turn, ending: str = "") -> None:
        """Finish all pages as they look now: what comes later begins a new one."""
        if not self.is_closed and not self.pages:
            self._address(turn)
        self._manuscript.close(turn, ending)
        self._take_over([])
        self._take_files()
        if self.is_long:
            self.pages.append(self._end())
            whole = self.drawing.on_paper().whole(turn, ending)
            self.files.append((len(self.pages) - 1, File(WHOLE, whole.encode("utf-8", "replace"), "text/markdown")))
        self._first, self._begin = len(self.pages), self._read
        self._characters, self._last = 0, ""
        self.is_long, self.is_closed = False, True

    def so_far(self, turn: Turn) -> str:
        """Return what the turn says so far as one text; nothing is written, and nothing has to be read from there."""
        return unmasked(convert(self.drawing.on_paper().whole(turn), self.drawing.tables))

    # ---- how many ----

    def _take_over(self, live: list[str]) -> None:
        """Take over the manuscript's new pages, as many as may be posted."""
        fresh = self._manuscript.finished[self._read :]
        self._read += len(fresh)
        self._characters += sum(map(len, fresh))
        most = self._limits.max_pages
        self.is_long = self.is_long or (most > 0 and self._read - self._begin + len(live) > most)
        room = most - 1 - (len(self.pages) - self._first) if self.is_long else len(fresh)
        for page in fresh[: max(0, room)]:
            self.pages.append(self._named(page))
        self._last = fresh[-1] if fresh and len(fresh) > room else self._last

    def _within(self, live: list[str]) -> list[str]:
        """Return those of the pages behind `pages` that may be posted as they are."""
        return live[: max(0, self._limits.max_pages - 1 - (len(self.pages) - self._first))]

    def _goes_on(self, live: list[str]) -> str:
        """Return the page that stands for all that is not posted while the answer grows."""
        size = self._characters + sum(map(len, live))
        return self._with_tail(f"⋯ *{size:,} characters so far; all of it will be in `{WHOLE}`.*", live)

    def _end(self) -> str:
        return self._with_tail(f"⋯ *All of the answer, {self._characters:,} characters, is in `{WHOLE}`.*", [])

    def _with_tail(self, head: str, live: list[str]) -> str:
        """Return a page with `head` and as much of the text's end as fits."""
        head = self._named(head)
        room = self._limits.page - len(head) - 2
        pages = [page for page in (self._last, *live) if page]
        if room < 1 or not pages:
            return head[: self._limits.page]
        tail = last_lines("\n".join(pages[-2:]), room)
        return f"{head}\n\n{tail}"

    # ---- whom it speaks to ----

    def _address(self, turn: Turn) -> None:
        """Note who is mentioned at the head of the answer, and make room for them. Before the first page only."""
        self._mentions = _mentions(turn.text, self._limits)
        if self._mentions:
            self._manuscript = Manuscript(self.drawing, self._limits.page - len(" ".join(self._mentions)) - 1)

    def _named(self, page: str) -> str:
        """Return a page with the mentions that it lacks; the first has what the agent gave it."""
        if not self.pages or all(mention in page for mention in self._mentions):
            return page
        return f"{' '.join(self._mentions)}\n{page}"

    # ---- files ----

    def _take_files(self) -> None:
        fresh = self._manuscript.files[self._files_read :]
        self._files_read += len(fresh)
        last = self._first + self._limits.max_pages - 1
        for page, item in fresh:
            after = self._first + page - self._begin
            self.files.append((min(after, last) if self.is_long else after, item))


def _mentions(text: str, limits: Limits) -> list[str]:
    """Return the mentions at the head of a text, each once; those beyond a quarter of a page are left out."""
    if not limits.mention:
        return []
    head = re.match(rf"(?:\s*(?:{limits.mention})[\s,;:]*)*", text)
    found = dict.fromkeys(match[0] for match in re.finditer(limits.mention, head[0] if head else ""))
    kept, room = [], limits.page // _MENTIONS_PART
    for mention in found:
        room -= len(mention) + 1
        if room < 0:
            break
        kept.append(mention)
    return kept
