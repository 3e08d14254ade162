"""Titles: a thread's name from what somebody asked. Pure.

Short, one line, readable in the list of threads: no mentions, no markup, no code, links by what they lead to (FIELD
F18). Never empty.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from wcwidth import iter_graphemes

from ...text.clean import plain

__all__ = ["LONGEST", "UNTITLED", "fitting", "title_of"]

LONGEST = 100  # what Discord takes
SHORT = 60  # what is seen of it in the list
UNTITLED = "Conversation"

_FENCE = re.compile(r"```[\w+#.-]*\n?(?P<inside>.*?)(?:```|\Z)", re.DOTALL)
_NAMED_LINK = re.compile(r"\[([^\[\]\n]{1,200})\]\(<?https?://[^\s()<>]+>?\)")
_LINK = re.compile(r"<?(https?://[^\s<>|]+)>?")
_MENTION = re.compile(r"<(?:@[!&]?|#)\d{1,20}>|<t:-?\d{1,20}(?::\w)?>|<id:\w+>|@\(role\)|@everyone\b|@here\b")
_EMOJI = re.compile(r"<a?(:\w{1,32}:)\d{1,20}>")
_COMMAND = re.compile(r"</([\w -]{1,100}):\d{1,20}>")
_MARKUP = re.compile(r"\*{1,3}(?=\S)|(?<=\S)\*{1,3}|__+|~~|\|\||`+")
_LINE_MARK = re.compile(r"^[ \t]*(?:#{1,3}[ \t]+|>{1,3}[ \t]+|-#[ \t]+|[-*][ \t]+)", re.MULTILINE)
_THREAD = re.compile(r"^/([\w.-]+/[\w.-]+)/(?:issues|pull|discussions|merge_requests)/(\d+)")
_PUNCTUATION = " \t-–—:;,.#>*_~|/"


def title_of(prompt: str) -> str:
    """Return a title of at most about 60 characters for what somebody asked, cut at a word."""
    text = plain(prompt)
    without = _FENCE.sub(" ", text)
    title = _bare(without) or _bare(_FENCE.sub(lambda found: f" {found['inside']} ", text))
    return _shortened(title, SHORT) or UNTITLED


def fitting(title: str) -> str:
    """Return a title that somebody else made, as one line that Discord takes; "" for nothing."""
    return _shortened(" ".join(plain(title).split()), LONGEST)


def _bare(text: str) -> str:
    """Return the text as one line without markup; "" if nothing is left that could be read."""
    text = _NAMED_LINK.sub(r"\1", text)
    text = _LINK.sub(lambda found: _place(found[1]), text)
    text = _COMMAND.sub(r"/\1", _EMOJI.sub(r"\1", _MENTION.sub(" ", text)))
    text = _MARKUP.sub("", _LINE_MARK.sub("", text))
    line = " ".join(text.split())
    return line if line.strip(_PUNCTUATION) else ""


def _place(url: str) -> str:
    """Return where a link leads in a few characters: `owner/name#12`, or host and last part."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").removeprefix("www.")
    except ValueError:  # what looks like an address and is none
        return "link"
    if found := _THREAD.match(parts.path):
        return f"{found[1]}#{found[2]}"
    last = parts.path.rstrip("/").rpartition("/")[2]
    if not last:
        return host
    return f"{host}/{'' if parts.path.count('/') == 1 else '…/'}{last[:30]}"


def _shortened(line: str, most: int) -> str:
    """Cut a line at a word, or within one where that would lose half of it; graphemes stay whole."""
    if len(line) <= most:
        return line
    kept = ""
    for cluster in iter_graphemes(line[: most + 1]):
        if len(kept) + len(cluster) >= most:
            break
        kept += cluster
    head = kept.rpartition(" ")[0]
    if not line[len(kept) : len(kept) + 1].isspace() and len(head) >= most // 2:
        kept = head
    return f"{kept.rstrip(_PUNCTUATION) or kept.rstrip()}…"
