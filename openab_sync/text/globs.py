"""Patterns that people write into rules: `*`, `?` and, for paths, `**`. Everything else stands for itself.

Brackets are no classes here: many a file is called `[id].tsx`. Case matters. Pure.
"""

from __future__ import annotations

import functools
import re

__all__ = ["command_fits", "path_fits", "shell_parts", "text_fits"]

# What can end one command and begin another, or run one inside it. A pattern that permits commands lets its `*` stand
# for none of it: `npm test*` is not meant to permit `npm test; rm -rf ~`.
_SHELL = r";&|<>$`()\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029"
_PARTS = re.compile(r"\|\||&&|[;&|\n\r()`{}]|\$\(")


def text_fits(pattern: str, text: str) -> bool:
    """Say whether all of `text` is what `pattern` describes: `*` stands for anything, `?` for one character."""
    return _compiled(pattern, ".*", ".").fullmatch(text) is not None


def command_fits(pattern: str, command: str) -> bool:
    """The same for a command that is to be permitted: `*` and `?` stand for nothing that begins a second command."""
    return _compiled(pattern, f"[^{_SHELL}]*", f"[^{_SHELL}]").fullmatch(command) is not None


def path_fits(pattern: str, path: str) -> bool:
    """The same for a path: `*` stays within one folder, `**/` stands for any folders or none, `**` for all below."""
    return _compiled(pattern, "[^/]*", "[^/]", deep=True).fullmatch(path) is not None


def shell_parts(command: str) -> list[str]:
    """Return the simple commands that a command seems to be made of: no parser, good enough to forbid by."""
    return [part.strip() for part in _PARTS.split(command) if part.strip()]


@functools.lru_cache(maxsize=512)
def _compiled(pattern: str, star: str, one: str, *, deep: bool = False) -> re.Pattern[str]:
    words = re.split(r"(\*\*/|\*+|\?)" if deep else r"(\*+|\?)", pattern)
    return re.compile("".join(_word(word, star, one, deep=deep) for word in words), re.DOTALL)


def _word(word: str, star: str, one: str, *, deep: bool) -> str:
    if word == "**/" and deep:
        return "(?:.*/)?"
    if word == "?":
        return one
    if word.startswith("*"):
        return ".*" if deep and len(word) > 1 else star
    return re.escape(word)
