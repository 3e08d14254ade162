"""Clean: text without what a terminal would obey.

For everything that comes from a process and is shown to people: error output, titles, names. What is seen stays, what
commands (escape sequences, control characters, reversals of the reading direction) goes.

This room does not hide secrets; that is `redact`.
"""

from __future__ import annotations

import re

from wcwidth import iter_graphemes

__all__ = ["one_line", "plain", "settled_length"]

# ECMA-48 control sequences, 7-bit (ESC [) and 8-bit (U+009B) forms. A string command (OSC, DCS, SOS, PM, APC) that is
# never ended stops at the end of its line: text behind a stray byte must not vanish.
_ESCAPE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"
    r"|(?:\x1b\]|\x9d)(?P<command>[^\x07\x1b\x9c\n]*)(?:\x07|\x1b\\|\x9c)?"
    r"|(?:\x1b[PX^_]|[\x90\x98\x9e\x9f])[^\x1b\x9c\n]*(?:\x1b\\|\x9c)?"
    r"|\x1b[ -/]*[0-~]?"
)
# The head of such a sequence at the end of a text, without what would end it.
_UNFINISHED = re.compile(
    r"(?:(?:\x1b\[|\x9b)[0-?]*[ -/]*"
    r"|(?:\x1b\]|\x9d)[^\x07\x1b\x9c\n]*\x1b?"
    r"|(?:\x1b[PX^_]|[\x90\x98\x9e\x9f])[^\x1b\x9c\n]*\x1b?"
    r"|\x1b[ -/]*"
    r"|\r)\Z"
)
_HEAD = 200  # characters of an unfinished sequence that are waited for
_LINE_END = re.compile(r"\r\n?")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_SUSPECT = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def plain(text: str) -> str:
    """Return `text` without escape sequences and control characters other than newline and tab.

    CR LF and a lone CR become a newline, half a surrogate pair becomes U+FFFD, embeddings, overrides and isolates of
    the reading direction are dropped. The address of a hyperlink (OSC 8) is kept, in parentheses behind its words.
    """
    if not _SUSPECT.search(text):
        return text
    text = _CONTROL.sub("", _LINE_END.sub("\n", _without_escapes(text)))
    return _SURROGATE.sub("\ufffd", text)


def settled_length(text: str) -> int:
    """Return how much of `text` can be cleaned now, for text that comes in pieces.

    The rest, at most 200 characters, may be the head of what is to be cleaned away: clean it with the next piece.
    """
    found = _UNFINISHED.search(text, max(0, len(text) - _HEAD))
    return found.start() if found else len(text)


def one_line(text: str, width: int) -> str:
    """Return `text`, plain, as one line of at most `width` characters, ended by … if it was longer.

    White space is collapsed; user-perceived characters are kept whole. Raise ValueError if `width` is below 1.
    """
    if width < 1:
        raise ValueError(f"a line must hold at least 1 character, not {width}")
    line = " ".join(plain(text).split())
    if len(line) <= width:
        return line
    kept = 0
    for cluster in iter_graphemes(line[: width + 1]):
        if kept + len(cluster) >= width:
            break
        kept += len(cluster)
    return line[:kept].rstrip() + "…"


def _without_escapes(text: str) -> str:
    """Return `text` without escape sequences, with the addresses of its hyperlinks."""
    parts: list[str] = []
    at, url, since = 0, "", 0
    for found in _ESCAPE.finditer(text):
        parts.append(text[at : found.start()])
        at = found.end()
        command = found["command"]
        if command is None or not command.startswith("8;"):
            continue
        if url and url not in "".join(parts[since:]):
            parts.append(f" ({url})")
        url, since = command.split(";", 2)[-1], len(parts)
    return "".join([*parts, text[at:]])
