"""The ids of our buttons, menus and forms: made here, and read here when somebody has used one.

An id is `oab:<kind>:<part>:…`. What comes back is never trusted: whoever can send an interaction can write any id into
it. Only the kinds below with the parts below are read, everything else is not ours (FIELD I6). Pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["Id", "made", "read"]

_NUMBER = r"[0-9]{1,20}"  # an id of Discord's, or an index
_PAGE = r"[0-9]{1,2}"
_TOKEN = r"[A-Za-z0-9_-]{1,48}"  # of something in the books

KINDS: dict[str, tuple[str, ...]] = {
    "stop": (_TOKEN,),  # a turn
    "retry": (_TOKEN,),  # the same
    "discard": (_TOKEN,),  # the same
    "lift": (_TOKEN,),  # a limit that was reached
    "ask": (_TOKEN, _NUMBER),  # a question, the option's index
    "choose": (_TOKEN, _NUMBER),  # a question with more options than buttons: the select's number
    "fill": (_TOKEN, _PAGE),  # a question that is a form: opens that page of it
    "form": (_TOKEN, _PAGE),  # a form: that page of it
    "agree": (_TOKEN,),  # a question about an address: somebody wants to open it
    "pick": (_TOKEN,),  # a menu
    "page": (_TOKEN, _NUMBER),  # a menu, the page
    "resume": (_TOKEN, "here|thread"),  # a session of the agent's, where it goes on
    "about": (_NUMBER, _NUMBER),  # a form: channel and message that is asked about
}
_LONGEST = 100


@dataclass(frozen=True, slots=True)
class Id:
    """An id that is ours."""

    kind: str
    parts: tuple[str, ...]


def made(kind: str, *parts: str) -> str:
    """Return the id. Raise ValueError for one that `read` would not read: a bug of ours."""
    text = ":".join(("oab", kind, *parts))
    if read(text) is None:
        raise ValueError(f"no id of ours: {text!r}")
    return text


def read(text: str) -> Id | None:
    """Return what an id means, None for one that is not ours."""
    prefix, _, rest = text[:_LONGEST].partition(":")
    kind, *parts = rest.split(":")
    shape = KINDS.get(kind)
    if prefix != "oab" or shape is None or len(text) > _LONGEST or len(parts) != len(shape):
        return None
    if not all(re.fullmatch(pattern, part) for pattern, part in zip(shape, parts, strict=True)):
        return None
    return Id(kind, tuple(parts))
