"""Clean: text without what a terminal would obey.

For everything that comes from a process and is shown to people: answers, error output, titles, names. What is seen
stays; what commands (escape sequences, control characters, reversals of the reading direction) goes, and so does what
nobody can see: it makes two texts look alike that are not, and hides one in another.

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
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
# What has no width and no ink: soft hyphens, spaces of no width, fillers, marks and overrides of the direction, tags.
_NOTHING = (
    r"\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u202a-\u202e\u2060-\u206f"
    r"\u3164\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
# Joiners belong between letters of many scripts and between pictures, marks of the direction beside letters that are
# read from right to left, selectors behind a character that has two looks (digits, # and * among ASCII); a picture of a
# flag is spelt with a few tags. Elsewhere they are nothing, too.
_LEFTWARD = r"\u0590-\u08ff\ufb1d-\ufefc"
_INVISIBLE = re.compile(
    r"(?P<flag>\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{2,6}\U000e007f)"
    rf"|[{_NOTHING}]+"
    rf"|(?<![{_LEFTWARD}])[\u061c\u200e\u200f]+(?![{_LEFTWARD}])"
    r"|(?<=[\x00-\x7f])[\u200c\u200d]+|[\u200c\u200d]+(?=[\x00-\x7f])|(?<=[\u200c\u200d])[\u200c\u200d]+"
    r"|(?<=[\x00-\x22\x24-\x29\x2b-\x2f\x3a-\x7f\ufe00-\ufe0f])[\ufe00-\ufe0f]+"
)
_SUSPECT = re.compile(rf"[\x00-\x08\x0b-\x1f\x7f-\x9f{_NOTHING}\u061c\u200c-\u200f\ufe00-\ufe0f\ud800-\udfff]")
_SUSPECT_BYTES = bytes((*range(0x09), *range(0x0B, 0x20), 0x7F))


def plain(text: str) -> str:
    """Return `text` without escape sequences and control characters other than newline and tab.

    CR LF and a lone CR become a newline, half a surrogate pair becomes U+FFFD. What cannot be seen is dropped, marks
    and overrides of the reading direction among it, but for what pictures and scripts are joined with. The address of a
    hyperlink (OSC 8) is kept, in parentheses behind its words.
    """
    if text.isascii():  # a table is four times as fast as a pattern
        raw = text.encode()
        if len(raw.translate(None, _SUSPECT_BYTES)) == len(raw):
            return text
    elif not _SUSPECT.search(text):
        return text
    text = _CONTROL.sub("", _LINE_END.sub("\n", _without_escapes(text)))
    return _SURROGATE.sub("\ufffd", _INVISIBLE.sub(_flag, text))


def _flag(found: re.Match[str]) -> str:
    return found["flag"] or ""


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
