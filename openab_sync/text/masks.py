"""Masks: text of an agent that would pose as something that it is not.

A link can be called by another address than the one it leads to, and a line can begin like a sentence or a question of
ours. The first is written out, the second gets its sign in parentheses. Everything else of the agent's markdown is its
own. Pure; a text without a link or a sign costs next to nothing.
"""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import urlsplit

from .clean import plain

__all__ = ["Signs", "unmasked", "unsigned"]

# Code shows as it is written: no link is one there. Only what is closed is code.
_LINK = re.compile(
    r"(?P<code>```(?s:.*?)```|``[^\n]*?``|`[^`\n]+`)"
    r"|(?<!\\)\[(?P<words>(?:[^\[\]\\\n]|\\.|\[[^\[\]\n]*\]){1,500})\]"
    r"\(\s*<?(?P<target>[a-zA-Z][a-zA-Z+.-]*:[^\s<>()]*(?:\([^\s<>()]*\)[^\s<>()]*)*)>?"
    r"(?:\s+(?:\"[^\"\n]*\"|'[^'\n]*'))?\s*\)"
)
_MARKS = re.compile(r"[*_~|`\\]")
_ADDRESS = re.compile(
    r"(?:[a-z][a-z+.-]*:)?//(?P<url>[^\s/?#\\]+)"
    r"|(?:^|[\s(<@])(?P<bare>(?:[\w-]+\.)+[^\W\d_]{2,24})(?P<more>[/:?#]\S*)?(?=$|[\s)>,;!])"
)
# What names of files end in, though it may be a country: alone, `main.py` is no address.
_FILES = frozenset(
    ("ai", "bat", "bz", "c", "cc", "cfg", "cpp", "cs", "css", "csv", "go", "gz", "h", "hs", "html", "ini", "ipynb",
     "java", "jl", "js", "json", "kt", "lock", "log", "lua", "md", "mk", "ml", "mm", "php", "pl", "pm", "ps", "py",
     "rb", "rs", "rst", "sc", "sh", "so", "sql", "st", "swift", "tf", "toml", "ts", "tsx", "txt", "vb", "xml",
     "yaml", "yml")
)  # fmt: skip

# What our own sentences and questions begin with.
_SIGN = re.compile(r"^(?P<lead>[ \t>*_~|]*)(?P<sign>[🔐🔒⏳🚫]\ufe0f?|(?<=>)⚠\ufe0f?|(?<=> )⚠\ufe0f?)", re.MULTILINE)
_SIGNS = "🔐🔒⏳🚫⚠"
_LEAD = re.compile(r"[ \t>*_~|]{0,40}\Z")


def unmasked(text: str) -> str:
    """Return markdown in which no link is called by another address than its own: such a one is written out."""
    return _LINK.sub(_written_out, text) if "](" in text else text


def unsigned(text: str) -> str:
    """Return text of an agent in which no line begins with a sign of ours."""
    return _SIGN.sub(_in_parentheses, text) if any(sign in text for sign in _SIGNS) else text


class Signs:
    """The same for a text that comes in pieces. One thread."""

    __slots__ = ("_line",)

    def __init__(self) -> None:
        self._line = ""  # how the line that is being written begins; "." when a sign is none any more

    def feed(self, text: str) -> str:
        """Take in a piece; return it as it is to be shown."""
        shown = self.peek(text)
        if text:
            line = (self._line + text).rpartition("\n")[2]
            self._line = line if _LEAD.match(line) else "."
        return shown

    def peek(self, text: str) -> str:
        """Return how a piece would be shown; nothing changes."""
        return unsigned(self._line + text)[len(self._line) :] if text else ""


def _in_parentheses(found: re.Match[str]) -> str:
    return f"{found['lead']}({found['sign']})"


def _written_out(found: re.Match[str]) -> str:
    if found["code"] is not None or not _is_mask(found["words"], found["target"]):
        return found[0]
    return f"{found['words']} ({found['target']})"


def _is_mask(words: str, target: str) -> bool:
    """Whether the words of a link name another address than its target."""
    calm = _MARKS.sub("", unicodedata.normalize("NFKC", plain(words))).lower()
    host = _host(target)
    return any(_is_other(claim, host) for claim in _ADDRESS.finditer(calm))


def _is_other(claim: re.Match[str], host: str) -> bool:
    name = claim["url"] or claim["bare"]
    if claim["bare"] and not claim["more"] and name.rpartition(".")[2] in _FILES:
        return False
    name = name.rpartition("@")[2].partition(":")[0].removeprefix("www.").strip(".")
    return host != name and not host.endswith(f".{name}")


def _host(target: str) -> str:
    try:
        host = urlsplit(target).hostname or ""
    except ValueError:  # half a bracket: an address of nothing
        host = ""
    return host.lower().removeprefix("www.").strip(".")
