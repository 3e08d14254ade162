"""Files that go in and out: those a person names on the command line, and what an agent draws or says aloud.

Blocks as long as a disk may.
"""

from __future__ import annotations

import base64
import contextlib
import tempfile
from dataclasses import replace
from pathlib import Path

from ...core.drawing import file_of
from ...core.events import Media
from ...core.message import Attachment
from ...core.port import File

__all__ = ["Album", "attachment"]

IMAGE_AT_MOST = 5 * 1024 * 1024  # bytes: what the models behind most agents take
TEXT_AT_MOST = 256 * 1024  # bytes: about 64,000 tokens; the agent reads larger files for itself

SAVED_AT_MOST = 100  # pictures and sounds of one run: an agent must not fill a folder
NAMES = 1000  # tried for one of them

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


class Album:
    """Keeps pictures and sounds of agents as files in `folder`, or the temporary one if nothing can be written there.

    One thread only.
    """

    def __init__(self, folder: Path) -> None:
        self._folders = (folder, Path(tempfile.gettempdir()))
        self._left = SAVED_AT_MOST

    def keep(self, media: Media) -> Media:
        """Return it with the path of its file as its address; as it is if it is no picture or sound, or cannot be kept.

        The file's name is ours (`image-1.png`), and nothing that is there is overwritten.
        """
        if media.kind == "resource" or media.data is None or not self._left:
            return media
        try:
            file = file_of(replace(media, uri=""))
        except ValueError:  # no base64: the line that names it tells that it came
            return media
        path = next((path for folder in self._folders if file and (path := _saved(folder, file))), None)
        if path is None:
            return media
        self._left -= 1
        return replace(media, uri=str(path))


def _saved(folder: Path, file: File) -> Path | None:
    """Write a file under the first name that is free; return its path, None if that is not possible."""
    stem, dot, ending = file.name.rpartition(".")
    for number in range(1, NAMES + 1):
        path = folder / f"{stem}-{number}{dot}{ending}"
        try:
            with path.open("xb") as out:
                out.write(file.data)
        except FileExistsError:
            continue
        except OSError:  # read-only, gone, full: what was begun is no picture
            with contextlib.suppress(OSError):  # nothing was begun
                path.unlink()
            return None
        return path
    return None
