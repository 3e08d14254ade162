"""Split: markdown text into pages that a chat accepts.

`split` takes a whole text; `Paginator` takes a growing one and hands out pages that will never change. Both run the
same code and give the same pages, however the text arrives.

How it works: a page is cut out of a *window*, the next `limit` characters and a few more. Whatever the cut depends on
lies in the window, so nothing is decided before the window is full (or the text has ended), and the decision does not
depend on the size of the pieces. Each window is read a bounded number of times: the whole is linear.

A block of code that crosses a page is closed there and opened again on the next one. Where limit is so small that the
two fences would take more than half of a page they are left out, and the code flows like text.

This room does not know what a platform is, and does not look at markdown other than fences.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from dataclasses import dataclass

from wcwidth import iter_graphemes

from .fences import Fence, step

__all__ = ["Paginator", "split"]

# How far behind the limit a cut looks: enough to see that a fence, or a mark on the last letter, would follow.
_AHEAD = 16
# How many places are tried before a cut that looks like a fence is accepted.
_TRIES = 16

_BLANK_LINES = re.compile(r"(?:[^\S\n]*\n)*")
_LINE_REST = re.compile(r"[^\S\n]*(?:\n(?:[^\S\n]*\n)*)?")


def split(text: str, limit: int) -> list[str]:
    """Return `text` as pages of at most `limit` characters (code points), none of them blank.

    Cuts at the end of a paragraph, else of a line, else at a space, else between two user-perceived characters; one
    of those is cut only if it is longer than a page (in a block of code: half a page). White space vanishes where
    text is cut, but never inside a block of code. Raise ValueError if `limit` is below 1.
    """
    pages = Paginator(limit)
    return pages.feed(text) + pages.page()


class Paginator:
    """Pages of a text that is still being written. Not thread-safe.

    Raise ValueError if `limit` (characters in a page) is below 1.
    """

    __slots__ = ("_held", "_limit", "_rest", "_start")

    def __init__(self, limit: int) -> None:
        if limit < 1:
            raise ValueError(f"a page must hold at least 1 character, not {limit}")
        self._limit = limit
        self._rest = ""  # fed and not yet on a page
        self._start = _Start(None, inline=False)  # how the next page begins
        self._held = ""  # a full page that waits for text after it: until then it is the last one, and may be edited

    def __repr__(self) -> str:
        return f"<Paginator limit={self._limit} held={len(self._held)} rest={len(self._rest)}>"

    def feed(self, text: str) -> list[str]:
        """Append `text` and return the pages that are finished by it: they have successors and never change."""
        self._rest += text
        finished: list[str] = []
        at, window = 0, self._limit + _AHEAD
        while len(self._rest) - at >= window:
            page, used, self._start = _take(self._rest[at : at + window], self._start, self._limit)
            at += used
            if page and self._held:
                finished.append(self._held)
            self._held = page or self._held
        self._rest = self._rest[at:]
        if self._held and self._has_successor():
            finished.append(self._held)
            self._held = ""
        return finished

    def page(self, tail: str = "") -> list[str]:
        """Return how the unfinished rest looks with `tail`, which may still change, behind it. Changes nothing.

        Usually one page; none if there is nothing to show; more if `tail` is long. Open fences are closed.
        """
        rest, start = self._rest + tail, self._start
        pages = [self._held] if self._held else []
        at, window = 0, self._limit + _AHEAD
        while at < len(rest):
            page, used, start = _take(rest[at : at + window], start, self._limit)
            at += used
            if page:
                pages.append(page)
        return pages

    def _has_successor(self) -> bool:
        """Say whether the rest is sure to make a page of its own; what may become a closing fence is not."""
        fence = self._start.fence
        edge = string.whitespace + (fence.mark[0] if fence and _carried(fence, self._limit) else "")
        return bool(self._rest.strip(edge).strip())


@dataclass(frozen=True, slots=True)
class _Start:
    """How a page begins: inside which block of code, and whether inside a line."""

    fence: Fence | None
    inline: bool


@dataclass(frozen=True, slots=True)
class _Cut:
    """Where a page ends: its text is `body[:end]`, the next page starts at `resume`."""

    end: int
    resume: int
    start: _Start


@dataclass(frozen=True, slots=True)
class _Break:
    """The start of a line where a page may end (0: no such line), and the block of code open there."""

    at: int
    fence: Fence | None

    def cut(self) -> _Cut:
        return _Cut(self.at - 1, self.at, _Start(self.fence, inline=False))


_NO_BREAK = _Break(0, None)


@dataclass(frozen=True, slots=True)
class _Span:
    """The part of a line, `body[start:end]`, that fits on the page; `fence` is open behind it."""

    start: int
    end: int
    fence: Fence | None
    inline: bool


def _take(window: str, start: _Start, limit: int) -> tuple[str, int, _Start]:
    """Return a page from the head of `window` (or "" if it was only skipped), the characters used, what follows."""
    skip, then = _skip(window, start, limit)
    if skip:
        return "", skip, then
    full = len(window) == limit + _AHEAD
    if not full and not window.strip():
        return "", len(window), start  # blank code at the end of the text
    scan = _Scan(window, start, limit)
    cut = scan.whole() or scan.cut()
    return scan.draw(cut), cut.resume, cut.start


def _skip(window: str, start: _Start, limit: int) -> tuple[int, _Start]:
    """Return how much of `window` is white space at a cut, or a fence that the page before has closed already."""
    if start.fence and _carried(start.fence, limit):
        return (0, start) if start.inline else _skip_closer(window, start.fence, start)
    if not window.strip():
        return len(window), _Start(start.fence, inline=not window.endswith("\n"))
    found = (_LINE_REST if start.inline else _BLANK_LINES).match(window)
    skip = found.end() if found else 0
    inline = start.inline and "\n" not in window[:skip]
    if skip and not _apart(window[skip - 1], window[skip]):
        skip -= 1  # a mark sits on the last space: they stay together
    return skip, _Start(start.fence, inline)


def _skip_closer(window: str, fence: Fence, start: _Start) -> tuple[int, _Start]:
    found = _BLANK_LINES.match(window)
    at = found.end() if found else 0
    end = window.find("\n", at)
    line = window[at:] if end < 0 else window[at:end]
    if not fence.closes(line):
        return 0, start
    return (len(window) if end < 0 else end + 1), _Start(None, inline=end < 0)


def _carried(fence: Fence | None, limit: int) -> bool:
    """Say whether pages of `limit` have room to close and reopen this block."""
    return fence is not None and _cost(fence) + len(fence.opener) + 1 <= limit // 2


def _cost(fence: Fence) -> int:
    return len(fence.mark) + 1


class _Scan:
    """One look at a window: walks its lines and notes where the page may end."""

    def __init__(self, body: str, start: _Start, limit: int) -> None:
        self._body = body
        self._start = start
        self._limit = limit
        self._head = f"{start.fence.opener}\n" if start.fence and _carried(start.fence, limit) else ""
        self._room = limit - len(self._head)
        # The last break of each kind that fits, and what is open there; `_any` may leave an empty block of code.
        self._paragraph = self._line = self._any = _NO_BREAK
        self._span: _Span | None = None  # the last line of which something fits
        self._fence = start.fence  # what is open at the end of the window
        self._walk()

    def draw(self, cut: _Cut) -> str:
        """Return the page that ends at `cut`."""
        text = self._body[: cut.end]
        fence = cut.start.fence
        if not fence or not _carried(fence, self._limit):
            return self._head + text.rstrip()
        newline = "" if text.endswith("\n") and cut.end == cut.resume else "\n"
        return f"{self._head}{text}{newline}{fence.mark}"

    def whole(self) -> _Cut | None:
        """Return a cut at the end of the window, if all of it (but for white space at the end) fits."""
        inside = _carried(self._fence, self._limit)
        end = len(self._body if inside else self._body.rstrip())
        inline = "\n" not in self._body[end:] and not (inside and self._body.endswith("\n"))
        cut = _Cut(end, len(self._body), _Start(self._fence, inline))
        return cut if len(self.draw(cut)) <= self._limit else None

    def cut(self) -> _Cut:
        """Return the best place to end this page; there always is one."""
        if self._paragraph.at >= self._limit / 2:
            return self._paragraph.cut()
        if self._line.at >= self._limit / 4:
            return self._line.cut()
        if (at := self._clean(self._spaces())) is not None:
            return self._inside_line(at)
        if self._line.at:
            return self._line.cut()
        if (at := self._clean(self._clusters())) is not None:
            return self._inside_line(at)
        if self._any.at:
            return self._any.cut()
        return self._inside_line(next(self._clusters(), None) or self._fitting().end)

    # ---- walking ----

    def _walk(self) -> None:
        """Visit every line once, keeping the block that is open and the places where the page could end."""
        at, before, ink, gap = 0, self._start.fence, False, False
        while at < len(self._body):
            end = self._body.find("\n", at)
            end = len(self._body) if end < 0 else end
            line = self._body[at:end]
            inline = at == 0 and self._start.inline
            after = before if inline else step(line, before)
            opens = after is not before and _carried(after, self._limit)
            closes = after is not before and _carried(before, self._limit)
            if at and self._fits(at - 1, before):
                whole = ink and not (closes and self._fits(at + len(line.rstrip()), after))
                self._note_break(_Break(at, before), whole=whole, ends=gap or opens)
            if not opens and not closes:
                self._note_span(_Span(at, end, after, inline))
            ink = not opens and (ink or closes or bool(line.strip()))
            gap = closes or not line.strip()
            at, before = end + 1, after
        self._fence = before

    def _fits(self, end: int, fence: Fence | None) -> bool:
        return end + (_cost(fence) if fence and _carried(fence, self._limit) else 0) <= self._room

    def _note_break(self, found: _Break, *, whole: bool, ends: bool) -> None:
        """Note that the page may end there.

        `whole`: it leaves no empty block on either side. `ends`: a paragraph or block ends there.
        """
        self._any = found
        if whole:
            self._line = found
        if whole and ends and not _carried(found.fence, self._limit):
            self._paragraph = found

    def _note_span(self, span: _Span) -> None:
        cost = _cost(span.fence) if span.fence and _carried(span.fence, self._limit) else 0
        end = min(span.end, self._room - cost)
        if end > span.start:
            self._span = _Span(span.start, end, span.fence, span.inline)

    # ---- cutting ----

    def _inside_line(self, at: int) -> _Cut:
        fence = self._fitting().fence
        if _carried(fence, self._limit) and self._body[at : at + 1] == "\n":
            return _Cut(at, at + 1, _Start(fence, inline=False))
        return _Cut(at, at, _Start(fence, inline=True))

    def _fitting(self) -> _Span:
        # A page starts with ink, and a block with room for half a page: if no break was noted, some line fits.
        assert self._span is not None
        return self._span

    def _spaces(self) -> Iterator[int]:
        """Yield cuts at spaces of the last line that fits, the last one first; in code they follow the space."""
        span = self._span
        if span is None or self._line.at > span.start:
            return
        code = _carried(span.fence, self._limit)
        at = self._body.rfind(" ", span.start, span.end + (not code))
        while at > 0 and self._body[:at].strip():
            if _apart(self._body[at], self._body[at + 1 : at + 2]) and _apart(self._body[at - 1], self._body[at]):
                yield at + code
            at = self._body.rfind(" ", span.start, at)

    def _clusters(self) -> Iterator[int]:
        """Yield cuts between user-perceived characters of the last line that fits, the last one first."""
        span = self._span
        if span is None:
            return
        at = _boundary(self._body, span.start, span.end)
        while at > span.start:
            yield at
            at = _boundary(self._body, span.start, at - 1)

    def _clean(self, cuts: Iterator[int]) -> int | None:
        """Return the first of `cuts` that does not make one half of its line look like a fence."""
        for _, at in zip(range(_TRIES), cuts, strict=False):
            span = self._fitting()
            rest = self._body[at : at + _AHEAD].lstrip()
            front = self._body[span.start : at]
            looks = not span.inline and step(front, span.fence) != span.fence
            if not looks and not rest.startswith(("```", "~~~")):
                return at
        return None


def _apart(left: str, right: str) -> bool:
    """Say whether two neighbours belong to different user-perceived characters whatever stands before them.

    False may also mean that it depends on what stands before (flags, joined emoji, Indic conjuncts).
    """
    if not right or (left.isascii() and right.isascii()):
        return left + right != "\r\n"
    return next(iter_graphemes(left + right)) == left and next(iter_graphemes("a" + left)) == "a"


def _boundary(text: str, low: int, high: int) -> int:
    """Return the last place in `low..high` where no user-perceived character is cut; `low` counts as one.

    `high` must be below the length of `text`.
    """
    anchor = high
    while anchor > low and not _apart(text[anchor - 1], text[anchor]):
        anchor -= 1
    best = at = anchor
    for cluster in iter_graphemes(text[anchor : high + 1]):
        at += len(cluster)
        best = at if at <= high else best
    return best
