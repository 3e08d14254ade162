"""Files against what a platform takes: texts of ours in parts, and sizes as people read them. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from .port import File

__all__ = ["parts", "size_text"]


def parts(file: File, most: int) -> Iterator[File]:
    """Yield a text as files of at most `most` bytes each (0: no limit), cut at the end of a line where there is one."""
    if not most or len(file.data) <= most:
        yield file
        return
    stem, _, ending = file.name.rpartition(".")
    begin = number = 0
    while begin < len(file.data):
        end = begin + most
        if end < len(file.data):
            end = file.data.rfind(b"\n", begin, end) + 1 or end
        number += 1
        yield File(f"{stem}-{number}.{ending}", file.data[begin:end], file.mime)
        begin = end


def size_text(size: int) -> str:
    """Return a number of bytes as people read it: "9.5 MiB"."""
    if size < 1024:
        return f"{size} bytes"
    return f"{size / 1024:.1f} KiB" if size < 1024 * 1024 else f"{size / 1024 / 1024:.1f} MiB"
