"""Files that a person names on the command line, made ready for the agent. Blocks as long as a disk may."""

from __future__ import annotations

import base64
from pathlib import Path

from ...core.message import Attachment

__all__ = ["attachment"]

IMAGE_AT_MOST = 5 * 1024 * 1024  # bytes: what the models behind most agents take
TEXT_AT_MOST = 256 * 1024  # bytes: about 64,000 tokens; the agent reads larger files for itself

MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)


def attachment(path: Path) -> Attachment:
    """Return the file as a picture (judged by its bytes, not its name), as text, or by its path if it is neither.

    Raise OSError if it cannot be read.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(16)
        mime = _picture(head)
        if mime and size <= IMAGE_AT_MOST:
            data = base64.b64encode(head + file.read(IMAGE_AT_MOST)).decode("ascii")
            return Attachment("image", path.name, mime=mime, data=data, size=size)
        text = None if mime or size > TEXT_AT_MOST else _text(head + file.read(TEXT_AT_MOST))
    if text is not None:
        return Attachment("text", path.name, mime="text/plain", text=text, size=size)
    return Attachment("file", path.name, mime=mime, path=str(path.absolute()), size=size)


def _picture(head: bytes) -> str:
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    return next((mime for magic, mime in MAGIC if head.startswith(magic)), "")


def _text(data: bytes) -> str | None:
    if b"\0" in data:
        return None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
