"""Files for people: a name that tells what is in them, whatever the agent called them.

A chat shows a file by its extension, and a browser obeys it: only a verified picture is called one, and what a browser
would run (HTML, SVG) goes as a text. Blocks as long as decoding a picture may.
"""

from __future__ import annotations

import mimetypes
from pathlib import PurePosixPath

from ..errors import FileRefused
from .images import verify
from .inbox import safe_name
from .kinds import OTHER, TEXT, kind_of

__all__ = ["outgoing"]

_RUN = {".htm", ".html", ".mht", ".mhtml", ".shtml", ".svg", ".svgz", ".xht", ".xhtml", ".xml", ".xsl"}
_PICTURES = {".apng", ".avif", ".bmp", ".gif", ".heic", ".jfif", ".jpe", ".jpeg", ".jpg", ".png", ".tif", ".tiff",
             ".webp"}  # fmt: skip
_SAME = {".jpeg": ".jpg", ".jpe": ".jpg", ".jfif": ".jpg", ".apng": ".png", ".oga": ".ogg", ".opus": ".ogg",
         ".mov": ".mp4", ".m4a": ".mp4", ".m4v": ".mp4", ".mkv": ".webm", ".tgz": ".gz", ".svgz": ".gz"}  # fmt: skip


def outgoing(name: str, data: bytes, mime: str = "") -> tuple[str, bytes]:
    """Return the name under which to upload `data`, and the data. `mime` is the agent's word: a hint, no more.

    Any thread; blocks. Raises nothing: a broken picture goes as a file of unknown kind.
    """
    name = safe_name(name)
    kind = kind_of(data)
    if kind.what == "image":
        try:
            verify(data)
        except FileRefused:
            kind = OTHER
    if kind == TEXT:
        return _text(name, mime), data
    suffix = _suffix(name)
    if kind == OTHER or (suffix and not kind.extension):  # it may be called many things, but no picture
        return _other(name, suffix, mime), data
    if not kind.extension or kind.extension == _SAME.get(suffix, suffix):
        return name if suffix else name + kind.extension, data
    return safe_name(_bare(name, suffix) + kind.extension), data


def _text(name: str, mime: str) -> str:
    suffix = _suffix(name)
    if suffix in _RUN or suffix in _PICTURES:
        return safe_name(name + ".txt")
    if suffix:
        return name
    guessed = mimetypes.guess_extension(mime.partition(";")[0].strip()) if mime.startswith("text/") else None
    return safe_name(name + (guessed if guessed and guessed not in _RUN else ".txt"))


def _other(name: str, suffix: str, mime: str) -> str:
    if suffix in _PICTURES or suffix in _RUN:
        return safe_name(name + ".bin")
    if suffix:
        return name
    guessed = mimetypes.guess_extension(mime.partition(";")[0].strip())
    return safe_name(name + (guessed if guessed and guessed not in _RUN | _PICTURES else ".bin"))


def _bare(name: str, suffix: str) -> str:
    """The name without an extension that lies about a kind; others may be part of the name (`v1.2`)."""
    return name.removesuffix(PurePosixPath(name).suffix) if suffix in _PICTURES | _RUN else name


def _suffix(name: str) -> str:
    return PurePosixPath(name).suffix.lower()
