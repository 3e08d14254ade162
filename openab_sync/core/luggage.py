"""Luggage: pictures and texts that came with messages and lie in the inbox, brought into the prompt when it is made.

What waits has its files on the disk and not in memory, and the journal names them (`Attachment.path`); when the message
is over they go (`store/luggage`). The agent works in that folder and may have changed anything there: what is no
picture any more, or no text, is not shown to it.

Blocks as a disk does: for a session's own thread.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ..media.images import BYTES
from ..media.inbox import read_back
from ..media.inline import FILE_BYTES
from ..media.kinds import kind_of, text_of
from .message import Attachment, Inbound

__all__ = ["unpacked"]


def unpacked(notes: Sequence[Inbound]) -> tuple[tuple[Inbound, ...], list[str]]:
    """Return the messages with their pictures and texts, and a sentence for each that is not there any more."""
    lost: list[str] = []
    return tuple(_unpacked(note, lost) for note in notes), lost


def _unpacked(note: Inbound, lost: list[str]) -> Inbound:
    if not any(_is_packed(file) for file in note.attachments):
        return note
    found = []
    for file in note.attachments:
        if not _is_packed(file):
            found.append(file)
        elif (whole := _whole(file)) is not None:
            found.append(whole)
        else:
            lost.append(f"`{file.name}` is not there any more: please send it again.")
    return replace(note, attachments=tuple(found))


def _is_packed(file: Attachment) -> bool:
    return file.kind in ("image", "text") and bool(file.path) and not (file.data or file.text)


def _whole(file: Attachment) -> Attachment | None:
    """Return a file with what is in it; None if that is not there any more, or is something else by now."""
    data = read_back(Path(file.path), BYTES if file.kind == "image" else FILE_BYTES)
    if data is None:
        return None
    if file.kind == "image":
        encoded = base64.b64encode(data).decode("ascii")
        return replace(file, data=encoded, path="") if kind_of(data).what == "image" else None
    text = text_of(data)
    return None if text is None else replace(file, text=text, path="")
