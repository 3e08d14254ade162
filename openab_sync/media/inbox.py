"""The inbox: folders with the files that came with messages, one folder a conversation.

Names are the sender's, so nothing of them is believed: they become one harmless part of a path, never an existing
file's, and no link is followed on the way. The agent works in these folders under our own user and may have put
anything there. Blocks as a disk does; any thread, one thread a draft at a time.

**Never**: a file is never overwritten, nor anything outside the folder touched.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import secrets
import shutil
import stat
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from ..errors import FileRefused

__all__ = ["Caps", "Draft", "discard", "folder_of", "read_back", "remove", "safe_name", "size_text", "sweep"]

log = logging.getLogger(__name__)

NAME_BYTES = 120  # of 255 that file systems take: there must be room for a number
_FORBIDDEN = re.compile(r'[<>:"|?*`$\\/]')
_TRIES = 100

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Caps:
    """What an inbox takes. `folder` and `files` are looked at when a file begins: files that come at the same moment
    may pass them together, each by one `file` at most."""

    file: int = 100 * 1024 * 1024  # bytes
    folder: int = 500 * 1024 * 1024  # bytes in one conversation's folder
    files: int = 200  # in one conversation's folder


# Names.


def safe_name(name: str) -> str:
    """Return `name` as one visible, harmless part of a path: never empty, hidden, an option, or longer than 120 bytes.

    What cannot be seen (control and direction characters among it) goes, what shells and file systems obey becomes
    `_`; an extension is kept. A name that went through is not changed by going through again.
    """
    last = name.replace("\\", "/").rpartition("/")[2]
    seen = "".join(" " if char.isspace() else char for char in last if char.isspace() or char.isprintable())
    # Composed before the forbidden are looked for: U+1FEF becomes a backtick.
    bare = " ".join(_FORBIDDEN.sub("_", unicodedata.normalize("NFC", seen)).split()).lstrip(".-~ ").rstrip(". ")
    stem, dot, extension = bare.rpartition(".")
    if not dot or len(extension.encode()) > 20:
        stem, dot, extension = bare, "", ""
    room = NAME_BYTES - len((dot + extension).encode())
    stem = stem.encode()[:room].decode(errors="ignore").rstrip(". ")  # cut at a whole character
    return (stem or "file") + dot + extension


def folder_of(root: Path, key: str) -> Path:
    """Return the folder of the conversation `key` (`platform:id`); whether it exists is another question."""
    return root / safe_name(key)


def size_text(size: int) -> str:
    """Return a size for people: `3 bytes`, `12 KB`, `3.4 MB`."""
    if size < 1024:
        return f"{size} byte{'' if size == 1 else 's'}"
    if size < 1024 * 1024:
        return f"{size // 1024} KB"
    return f"{size / 1024 / 1024:.1f}".removesuffix(".0") + " MB"


# A file that is there.


def read_back(path: Path, most: int) -> bytes | None:
    """Return what is in a file of an inbox; None if it is not there, is no file, or has more than `most` bytes."""
    with contextlib.suppress(OSError), _within(path) as folder:
        descriptor = os.open(path.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
        try:
            return _content(descriptor, most)
        finally:
            os.close(descriptor)
    return None


def _content(descriptor: int, most: int) -> bytes | None:
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode) or found.st_size > most:
        return None
    with os.fdopen(descriptor, "rb", closefd=False) as file:
        data = file.read(most + 1)  # it may have grown since
    return data if len(data) <= most else None


def discard(path: Path) -> None:
    """Remove a file of an inbox, if it is still there; the folder too, if nothing else is in it."""
    try:
        with _within(path) as folder:
            os.unlink(path.name, dir_fd=folder)
    except FileNotFoundError:
        return
    except OSError as error:
        log.warning("a file could not be taken out of the inbox: %s", error)
        return
    with contextlib.suppress(OSError):  # other files are in it
        path.parent.rmdir()


@contextlib.contextmanager
def _within(path: Path) -> Iterator[int]:
    folder = os.open(path.parent, _FOLDER)
    try:
        yield folder
    finally:
        os.close(folder)


# A file on its way in.


class Draft:
    """A file that is being received, under its final name. Kept only if `keep` is called before the context ends."""

    def __init__(self, folder: Path, name: str, caps: Caps) -> None:
        """Begin a file named after `name`. Raise FileRefused if the folder is full or the disk does not want it."""
        self.size = 0
        self._caps = caps
        with _complaints():
            self._folder = _open_folder(folder)
        try:
            with _complaints():
                self._check_room()
                self.name, self._file = self._create(safe_name(name))
        except FileRefused:
            os.close(self._folder)
            raise
        self.path = folder.absolute() / self.name
        self._is_kept = False

    def write(self, block: bytes) -> None:
        """Add to the file. Raise FileRefused if it becomes too large (whatever size was announced), or on a bad disk.

        Raise ValueError if the draft has ended already.
        """
        self.size += len(block)
        if self.size > self._caps.file:
            raise FileRefused(f"is larger than {size_text(self._caps.file)}")
        with _complaints():
            self._file.write(block)

    def restart(self) -> None:
        """Forget what was written: the download begins anew."""
        self.size = 0
        with _complaints():
            self._file.seek(0)
            self._file.truncate()

    def read(self) -> bytes:
        """Return what was written, all of it. The caller has looked at `size`."""
        with _complaints():
            self._file.seek(0)
            return self._file.read()

    def head(self) -> bytes:
        """Return the beginning: enough to tell a picture by."""
        with _complaints():
            self._file.seek(0)
            return self._file.read(64)

    def keep(self) -> Path:
        """Let the file stay when the draft ends; return where it is."""
        with _complaints():
            self._file.flush()
        self._is_kept = True
        return self.path

    def close(self) -> None:
        """End the draft: the file goes unless it is kept. Once only."""
        with contextlib.suppress(OSError):  # what could not be flushed is not kept, or was told by keep()
            self._file.close()
        if not self._is_kept:
            with contextlib.suppress(FileNotFoundError):  # somebody else was tidy
                os.unlink(self.name, dir_fd=self._folder)
        os.close(self._folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Draft {self.name} {size_text(self.size)}>"

    def _check_room(self) -> None:
        sizes = [found.st_size for _, found in _entries(self._folder)]
        if len(sizes) >= self._caps.files:
            raise FileRefused(f"has no room: {len(sizes)} files are in this conversation's inbox already")
        if sum(sizes) >= self._caps.folder:
            raise FileRefused(f"has no room: {size_text(sum(sizes))} are in this conversation's inbox already")

    def _create(self, name: str) -> tuple[str, BinaryIO]:
        stem, dot, extension = name.rpartition(".") if "." in name else (name, "", "")
        for number in range(1, _TRIES + 1):
            mark = "" if number == 1 else f"-{number}" if number < _TRIES else f"-{secrets.token_hex(8)}"
            taken = f"{stem}{mark}{dot}{extension}"
            try:
                descriptor = os.open(taken, _FILE, 0o600, dir_fd=self._folder)
            except FileExistsError:
                continue
            return taken, os.fdopen(descriptor, "w+b")
        raise FileRefused("has a name that is taken many times")


def _open_folder(folder: Path) -> int:
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    return os.open(folder, _FOLDER)  # a link in its place is refused


def _entries(folder: int) -> list[tuple[str, os.stat_result]]:
    """Return what is in an open folder, links as links. What goes while we look is not there."""
    found = []
    for name in os.listdir(folder):
        with contextlib.suppress(FileNotFoundError):
            found.append((name, os.stat(name, dir_fd=folder, follow_symlinks=False)))
    return found


@contextlib.contextmanager
def _complaints() -> Iterator[None]:
    """Map what the disk says."""
    try:
        yield
    except OSError as error:
        log.warning("a file could not be put into the inbox: %s", error)
        raise FileRefused(f"could not be saved ({error.strerror or error})") from error


# Cleaning up.


def remove(folder: Path) -> bool:
    """Remove a conversation's folder and all that is in it; one that is not there is no error.

    No link is followed, not even in the folder's own place. False, and logged, if it could not be removed.
    """
    try:
        if stat.S_ISDIR(folder.lstat().st_mode):
            shutil.rmtree(folder)
    except FileNotFoundError:
        return True
    except OSError as error:
        log.warning("inbox %s could not be removed: %s", folder, error)
        return False
    return True


def sweep(root: Path, age: float, now: float) -> int:
    """Remove the files below `root` that are older than `age` seconds at `now` (of the epoch), and folders left empty.

    Return how many files went. Folders that the agent made inside are its own business.
    """
    if not root.is_dir():
        return 0
    return sum(_swept(folder, now - age) for folder in root.iterdir() if not folder.is_symlink() and folder.is_dir())


def _swept(folder: Path, before: float) -> int:
    gone = 0
    try:
        descriptor = os.open(folder, _FOLDER)
    except OSError as error:
        log.warning("inbox %s could not be looked at: %s", folder, error)
        return 0
    try:
        for name, found in _entries(descriptor):
            if not stat.S_ISDIR(found.st_mode) and found.st_mtime < before:
                os.unlink(name, dir_fd=descriptor)
                gone += 1
    except OSError as error:
        log.warning("inbox %s could not be swept: %s", folder, error)
    finally:
        os.close(descriptor)
    with contextlib.suppress(OSError):  # not empty: what is in it is young
        folder.rmdir()
    return gone
