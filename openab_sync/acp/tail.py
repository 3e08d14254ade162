"""The last words of an agent on stderr: bounded, cleaned, without secrets.

Agents are noisy there (a thousand lines a session have been met), so taking in costs next to nothing and all cleaning
is done when somebody asks. One thread only; no I/O.
"""

from __future__ import annotations

from collections.abc import Callable

from ..text.clean import plain

__all__ = ["StderrTail"]

SHOWN_LINES = 64
SHOWN_CHARACTERS = 16 * 1024
KEPT_BYTES = 64 * 1024  # raw: what is shown is cut from this after redaction, never before
DISTRUSTED = 8 * 1024  # characters: longer than any key whose beginning may have been cut off with the bytes before it


class StderrTail:
    """Keeps the end of a stream of log bytes; `text` is its last 64 lines or 16 KiB of characters, fit to be shown."""

    __slots__ = ("_cut", "_raw", "_redact")

    def __init__(self, redact: Callable[[str], str]) -> None:
        self._redact = redact
        self._raw = bytearray()
        self._cut = False  # bytes have been dropped: the first of those kept may be the rest of a secret

    def feed(self, data: bytes) -> None:
        """Take in what the agent wrote. Costs O(len(data)), amortised."""
        self._raw += data
        if len(self._raw) > 2 * KEPT_BYTES:
            del self._raw[:-KEPT_BYTES]
            self._cut = True

    def text(self) -> str:
        """Return the tail: invalid UTF-8 replaced, control characters and escapes stripped, secrets redacted."""
        text = self._raw.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
        text = self._redact(plain(text))
        if self._cut:
            text = text[DISTRUSTED:]
        lines = text.rstrip().rsplit("\n", SHOWN_LINES)[-SHOWN_LINES:]
        return "\n".join(line.rstrip() for line in lines)[-SHOWN_CHARACTERS:].lstrip("\n")

    def __repr__(self) -> str:
        return f"<StderrTail {len(self._raw)} bytes>"
