"""Messages of people -> the content blocks of one prompt.

One message after the other, each with its own context block and its own files in the order they came, so that a batch
keeps its senders apart. What the agent cannot take is the peer's to replace. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import quote

from ..acp.schema import AudioBlock, Block, EmbeddedBlock, ImageBlock, LinkBlock, TextBlock
from .message import Attachment, Inbound

__all__ = ["blocks"]


def blocks(notes: Sequence[Inbound]) -> list[Block]:
    """Return the prompt for `notes`, never empty: an empty message is an empty text block."""
    found: list[Block] = []
    for note in notes:
        text = "\n\n".join(part for part in (note.context, note.text) if part)
        if text or not note.attachments:
            found.append(TextBlock(text))
        found.extend(_files(note.attachments))
    return found


def _files(attachments: Sequence[Attachment]) -> Iterator[Block]:
    for file in attachments:
        uri = Path(file.path).as_uri() if file.path else f"attachment:///{quote(file.name)}"
        match file.kind:
            case "image":
                yield ImageBlock(file.data, file.mime)
            case "audio":
                yield AudioBlock(file.data, file.mime)
            case "text":
                yield EmbeddedBlock(uri, file.text, file.mime or "text/plain")
            case "file":
                yield LinkBlock(uri, file.name, file.mime, file.size)
