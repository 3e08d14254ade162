"""Retrace: which pages of a reply stand in the chat already, and how an interrupted one looks. Pure.

A page whose message is not known may have been posted all the same: the process died between the post and the line in
the journal. The nonce of its post decides while the chat service remembers it; else our messages there are compared.
Where they cannot be read, a page is rather sent twice than lost, and says so.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from ..store import FileRow, PageRow, ReplyRow
from ..text.split import split
from .edition import WHOLE
from .files import parts
from .port import File, Limits, Seen

__all__ = ["INTERRUPTED", "SILENT", "TWICE", "drafted", "interrupted", "retraced", "unknown_turn"]

INTERRUPTED = "Interrupted by a restart: this is all that had been said. It does not go on by itself."
SILENT = "Interrupted by a restart before anything had been said. It does not go on by itself."
TWICE = "*(sent again: it may stand above already)*"

NONCE_LIFE = 120.0  # seconds for which a chat service surely knows a nonce; Discord says "a few minutes"
ALIKE = 80  # characters at the head by which a page is known again, whatever was edited behind them


def unknown_turn(seen: Sequence[Seen], known: Collection[str]) -> str:
    """Return the turn that a message could be used to stop, and that the journal knows nothing of; "" for none.

    Only a turn whose beginning the disk did not take is one: while it runs it can be stopped, and not afterwards.
    """
    return next((one.stops for one in seen if one.stops and one.stops not in known), "")


def retraced(row: ReplyRow, loose: Sequence[Seen] | None, now: float, limits: Limits) -> tuple[PageRow, ...]:
    """Return the pages of a reply, each with its message if that can be told.

    `loose` is what of ours stands there and is no page that we know of; None if that cannot be read.
    """
    pages = list(row.pages)
    if loose is not None:
        rest = list(loose)
        for index, page in enumerate(pages):
            if not page.message and (found := _found(page, row.turn, rest)) is not None:
                rest.remove(found)
                is_shown = _same(page.text, found.text) and not found.stops
                pages[index] = replace(page, message=found.ref.id, is_shown=is_shown)
        if not pages:  # posted, and nobody had written down with what
            pages = [PageRow(0, one.text, one.ref.id) for one in rest if one.stops == row.turn]
        return tuple(pages)
    if now - (row.ended or row.began) <= NONCE_LIFE or row.state == "running":
        return tuple(pages)
    marked = [page if page.message else _marked(page, limits) for page in pages]
    if any(not page.message and TWICE not in page.text for page in marked):
        marked.append(PageRow(len(marked), TWICE))
    return tuple(marked)


def drafted(text: str, limits: Limits) -> tuple[tuple[PageRow, ...], tuple[FileRow, ...]]:
    """Return what an interrupted turn had said as pages; if those are too many, its head, and the whole as a file."""
    texts = split(text, limits.page)
    if not limits.max_pages or len(texts) < limits.max_pages:
        return tuple(PageRow(number, page) for number, page in enumerate(texts)), ()
    head = [*texts[: limits.max_pages - 2], f"⋯ *All of it, {len(text):,} characters, is in `{WHOLE}`.*"]
    whole = File(WHOLE, text.encode("utf-8", "replace"), "text/markdown")
    files = enumerate(parts(whole, limits.file_size), 1)
    return (
        tuple(PageRow(number, page) for number, page in enumerate(head)),
        tuple(FileRow(number, len(head) - 1, file.name, file.mime, file.data) for number, file in files),
    )


def interrupted(pages: Sequence[PageRow], seen: Sequence[Seen], limits: Limits) -> tuple[PageRow, ...]:
    """Return the pages of a turn that was cut off: what had been said, as people have seen it, and why it ends."""
    texts = {one.ref.id: one.text for one in seen}
    said = [_newest(page, texts.get(page.message, "")) for page in pages]
    if not any(page.text.strip() for page in said):
        first = said[0] if said else PageRow(0, "")
        return (replace(first, text=_quoted(SILENT), is_shown=False), *said[1:])
    last, ending = said[-1], _quoted(INTERRUPTED)
    whole = f"{last.text}\n\n{ending}"
    if len(whole) <= limits.page and (limits.live == "edit" or not last.message):
        return (*said[:-1], replace(last, text=whole, is_shown=False))
    # Below the last page: that one loses its buttons.
    return (*said[:-1], replace(last, is_shown=False), PageRow(last.number + 1, ending))


def _found(page: PageRow, turn: str, loose: Sequence[Seen]) -> Seen | None:
    """Return the message that is this page: the one that can stop its turn, or one that says the same."""
    return next((one for one in loose if one.stops == turn or (not one.stops and _alike(page.text, one.text))), None)


def _alike(page: str, message: str) -> bool:
    """Whether a message is a page, or was when it was younger."""
    one, other = page.strip(), message.strip()
    shorter = min(len(one), len(other), ALIKE)
    return shorter > 0 and one[:shorter] == other[:shorter]


def _same(page: str, message: str) -> bool:
    return page.strip() == message.strip()


def _newest(page: PageRow, shown: str) -> PageRow:
    """A page with what people read on it, if that is more than was written down."""
    return replace(page, text=shown) if len(shown) > len(page.text) else page


def _marked(page: PageRow, limits: Limits) -> PageRow:
    """Return a page that says that it may be there twice, if there is room for that."""
    text = f"{page.text}\n\n{TWICE}"
    return replace(page, text=text) if len(text) <= limits.page else page


def _quoted(text: str) -> str:
    return f"> ⚠️ {text}"
