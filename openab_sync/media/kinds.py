"""What bytes really are: judged by the bytes alone, never by a name or a header (FIELD H1). Pure.

Pictures are recognised here and verified in `images`: a right first line is no promise about the rest.
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from typing import Literal

__all__ = ["OTHER", "TEXT", "Kind", "kind_of", "text_of"]


@dataclass(frozen=True, slots=True)
class Kind:
    """What a file is, its media type, and the extension it should have (with the dot; "" for any)."""

    what: Literal["image", "text", "other"]
    mime: str
    extension: str = ""


TEXT = Kind("text", "text/plain", ".txt")
OTHER = Kind("other", "application/octet-stream")

_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", Kind("image", "image/png", ".png")),
    (b"\xff\xd8\xff", Kind("image", "image/jpeg", ".jpg")),
    (b"GIF87a", Kind("image", "image/gif", ".gif")),
    (b"GIF89a", Kind("image", "image/gif", ".gif")),
    (b"%PDF-", Kind("other", "application/pdf", ".pdf")),
    (b"PK\x03\x04", Kind("other", "application/zip")),  # and what is one inside: docx, jar, …
    (b"\x1f\x8b", Kind("other", "application/gzip", ".gz")),
    (b"OggS", Kind("other", "audio/ogg", ".ogg")),
    (b"ID3", Kind("other", "audio/mpeg", ".mp3")),
    (b"\xff\xfb", Kind("other", "audio/mpeg", ".mp3")),
    (b"fLaC", Kind("other", "audio/flac", ".flac")),
    (b"\x1aE\xdf\xa3", Kind("other", "video/webm", ".webm")),
)

# Containers: these four bytes, a length or four other bytes, then a name.
_RIFF = {
    b"WEBP": Kind("image", "image/webp", ".webp"),
    b"WAVE": Kind("other", "audio/wav", ".wav"),
}
_BMP = Kind("image", "image/bmp", ".bmp")
_BMP_HEADERS = (12, 40, 52, 56, 64, 108, 124)  # "BM" alone begins many a text
_MP4 = Kind("other", "video/mp4", ".mp4")

_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def kind_of(data: bytes) -> Kind:
    """Return what `data`, the whole of a file, is. HTML, SVG and source code are text; so is nothing at all."""
    head = data[:64]
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    if head.startswith(b"RIFF"):
        return _RIFF.get(head[8:12], OTHER)
    if head.startswith(b"BM") and int.from_bytes(head[14:18], "little") in _BMP_HEADERS:
        return _BMP
    if head[4:8] == b"ftyp":
        return _MP4 if head[8:11] in {b"iso", b"mp4", b"M4V", b"M4A", b"qt "} else OTHER
    return OTHER if text_of(data) is None else TEXT


def text_of(data: bytes) -> str | None:
    """Return `data` as text without its byte order mark: UTF-8, or UTF-16 if a mark says so. None if it is no text."""
    try:
        text = data.decode("utf-16" if data.startswith(_UTF_16) else "utf-8-sig")
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text
