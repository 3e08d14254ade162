"""Texts that go into the prompt itself, within what one message may bring. Pure.

A prompt is paid for with every turn that follows, so there is a budget: what does not fit is for the inbox, where the
agent reads as much of it as it wants. How a text stands in the prompt is the protocol peer's business; `fenced` is how
it stands in words.
"""

from __future__ import annotations

from pathlib import PurePosixPath

from ..errors import FileRefused
from ..text.fences import fence

__all__ = ["FILES", "FILE_BYTES", "TOTAL_BYTES", "Budget", "fenced", "language"]

FILES = 5  # these three are upstream's
FILE_BYTES = 512 * 1024
TOTAL_BYTES = 1024 * 1024

# Extension → what the first line of a fence calls it, where the two differ and people upload it.
_LANGUAGES = {
    "bash": "bash", "c": "c", "cc": "cpp", "conf": "ini", "cpp": "cpp", "cs": "csharp", "css": "css", "csv": "csv",
    "diff": "diff", "go": "go", "h": "c", "hpp": "cpp", "htm": "html", "html": "html", "ini": "ini", "java": "java",
    "js": "javascript", "json": "json", "jsonl": "json", "jsx": "jsx", "kt": "kotlin", "lua": "lua", "md": "markdown",
    "patch": "diff", "php": "php", "pl": "perl", "py": "python", "r": "r", "rb": "ruby", "rs": "rust", "rst": "rst",
    "scala": "scala", "sh": "bash", "sql": "sql", "svg": "xml", "swift": "swift", "tex": "latex", "toml": "toml",
    "ts": "typescript", "tsx": "tsx", "xml": "xml", "yaml": "yaml", "yml": "yaml", "zsh": "bash",
}  # fmt: skip


class Budget:
    """What the texts of one message may take of its prompt. One thread."""

    def __init__(self) -> None:
        self._files, self._bytes = 0, 0

    def take(self, size: int) -> None:
        """Admit a text of `size` bytes, counted as they came. Raise FileRefused, and count nothing, if it is too much.

        The size must be the body's own, never one that somebody told (FIELD H3).
        """
        if size > FILE_BYTES:
            raise FileRefused(f"is a text of more than {FILE_BYTES // 1024} KB")
        if self._files >= FILES:
            raise FileRefused(f"is one text more than the {FILES} that a prompt takes")
        if self._bytes + size > TOTAL_BYTES:
            raise FileRefused(f"would bring the texts of this message above {TOTAL_BYTES // 1024} KB")
        self._files += 1
        self._bytes += size


def language(name: str) -> str:
    """Return what a fence calls the language of a file of this name; "" if that is not known."""
    return _LANGUAGES.get(PurePosixPath(name).suffix.removeprefix(".").lower(), "")


def fenced(name: str, text: str) -> str:
    """Return a file as words: its name on a line, and its text in a fence that nothing in it can close (FIELD H2)."""
    return f"{' '.join(name.split())}:\n{fence(text, language(name))}"
