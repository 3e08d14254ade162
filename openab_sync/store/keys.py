"""Small secrets that this house makes for itself: one file each, for this user only."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from ..errors import StoreError

__all__ = ["STATUS_KEY", "make_key", "read_note", "write_note"]

STATUS_KEY = "status.token"
"""The status server's, where the configuration has none."""

_LEAST = 16  # characters of a key that somebody has put there


def make_key(folder: Path, name: str) -> str:
    """Return the secret in the file `name`, which is made if it is not there. Blocks (disk). Raise StoreError."""
    file = folder / name
    if (key := read_note(folder, name)) is None:
        key = secrets.token_urlsafe(32)
        write_note(folder, name, key)
    if len(key) < _LEAST:
        hint = "remove it, and a new one is made"
        raise StoreError(f"holds no key of {_LEAST} characters or more: {hint}", file=str(file))
    return key


def read_note(folder: Path, name: str) -> str | None:
    """Return what the file says, None if it is not there. Blocks (disk). Raise StoreError if it may not be read."""
    try:
        return (folder / name).read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise StoreError(f"cannot be read: {error}", file=str(folder / name)) from error


def write_note(folder: Path, name: str, text: str) -> None:
    """Write a file that only this user may read, as a whole or not at all. Blocks (disk). Raise StoreError."""
    file = folder / name
    passing = folder / f".{name}.{os.getpid()}"
    try:
        passing.unlink(missing_ok=True)
        with open(os.open(passing, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as sink:
            sink.write(text + "\n")
        passing.replace(file)
    except OSError as error:
        raise StoreError(f"cannot be written: {error.strerror}", file=str(file)) from error
