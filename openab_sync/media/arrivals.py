"""What becomes of a file that has come: a picture or a text in the prompt, or a file in the inbox.

Whatever an agent cannot be shown it can still read from the inbox, so nothing is lost here; where people might expect
something else, a note says so to both sides (FIELD H7). Blocks as a disk and a decoder do.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Literal

from ..errors import FileRefused
from .images import BYTES, Picture, picture
from .inbox import Draft, safe_name, size_text
from .inline import Budget
from .kinds import OTHER, TEXT, Kind, kind_of, text_of

__all__ = ["Arrival", "settle"]

_PICTURE_NAMES = {".avif", ".bmp", ".gif", ".heic", ".jpeg", ".jpg", ".png", ".svg", ".tif", ".tiff", ".webp"}


@dataclass(frozen=True, slots=True)
class Arrival:
    """A file as the prompt takes it: it lies at `path`; `text` is what a text says.

    `name` is harmless; `size` is the file's own in bytes; `note` is one sentence for people and the agent, or "".
    """

    kind: Literal["image", "text", "file"]
    name: str
    mime: str
    size: int
    text: str = field(default="", repr=False)
    path: str = ""
    note: str = ""


def settle(draft: Draft, name: str, budget: Budget) -> Arrival:
    """Decide what the received file is for, and keep it in the inbox.

    What goes into the prompt is kept until its message has been answered, a picture as it will be shown: it is not in
    memory while it waits.
    `name` is what its sender called it. Raise FileRefused for one that is empty or cannot be kept.
    """
    if not draft.size:
        raise FileRefused("is empty")
    name = safe_name(name)
    kind = _kind(draft)
    reason, made = "", None
    try:
        if kind.what == "image":
            made = _made(draft)
        if kind.what == "text":
            return _text(draft, name, budget)
    except FileRefused as error:
        reason = str(error)
    return _kept(draft, name, kind, reason) if made is None else _picture(draft, name, made)


def _kind(draft: Draft) -> Kind:
    """Judge a file as a whole; one that is too large for everything but the inbox by how it begins."""
    if draft.size <= BYTES:
        return kind_of(draft.read())
    kind = kind_of(draft.head())
    return OTHER if kind == TEXT else kind


def _made(draft: Draft) -> Picture:
    if draft.size > BYTES:
        raise FileRefused(f"is a picture of more than {size_text(BYTES)}")
    return picture(draft.read())


def _picture(draft: Draft, name: str, made: Picture) -> Arrival:
    size = draft.size
    draft.restart()
    draft.write(made.data)
    note = f"`{name}` moves: the agent sees its first picture only." if made.still else ""
    return Arrival("image", name, made.mime, size, path=str(draft.keep()), note=note)


def _text(draft: Draft, name: str, budget: Budget) -> Arrival:
    text = text_of(draft.read())
    assert text is not None  # what kind_of found
    budget.take(draft.size)
    note = f"`{name}` is no picture but a text, and was given to the agent as one." if _poses(name) else ""
    return Arrival("text", name, TEXT.mime, draft.size, text=text, path=str(draft.keep()), note=note)


def _kept(draft: Draft, name: str, kind: Kind, reason: str) -> Arrival:
    path = draft.keep()
    if not reason and _poses(name):
        reason = "is no picture that I can show"
    note = f"`{name}` ({size_text(draft.size)}) was saved for the agent as a file"
    note += f": it {reason}." if reason else "."
    return Arrival("file", name, kind.mime, draft.size, path=str(path), note=note)


def _poses(name: str) -> bool:
    """Whether somebody who reads the name expects a picture."""
    return PurePosixPath(name).suffix.lower() in _PICTURE_NAMES
