"""Messages of people -> the content blocks of one prompt.

One message after the other, each with its own context block and its own files in the order they came, so that a batch
keeps its senders apart. What the agent cannot take is the peer's to replace. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import quote

from ..acp.schema import AudioBlock, Block, EmbeddedBlock, ImageBlock, LinkBlock, TextBlock
from .message import Attachment, Inbound

__all__ = ["blocks"]

_TAG = re.compile(r"\s*<(\w+)>")  # what a context begins with


def blocks(notes: Sequence[Inbound]) -> list[Block]:
    """Return the prompt for `notes`, never empty: an empty message is an empty text block."""
    found: list[Block] = []
    for note in notes:
        found.extend(_words(note))
        found.extend(_files(note.attachments))
    return found


def _words(note: Inbound) -> list[Block]:
    """Return the context and the text, a block each: agents look for their own commands at the head of a block.

    Some look at the first block only, so a command comes before what is known of its sender.
    """
    parts = [note.context, _harmless(note.text, note.context)]
    if note.text.startswith("/"):
        parts.reverse()
    words: list[Block] = [TextBlock(part) for part in parts if part]
    return words if words or note.attachments else [TextBlock("")]


def _harmless(text: str, context: str) -> str:
    """Return the text without the tag that the context is written in: nobody speaks in another's name.

    Here and not where messages arrive, because what waits can be changed on several ways.
    """
    tag = _TAG.match(context)
    return re.sub(rf"<(?=[\s/]*{tag[1]}\b)", "&lt;", text, flags=re.IGNORECASE) if tag else text


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
