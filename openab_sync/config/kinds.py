"""The kinds of value that a configuration holds, and checks that several sections need.

Only words for `schema.py` and its like: no section, no key. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal
from urllib.parse import urlsplit

import msgspec

__all__ = [
    "Count",
    "CountOrNone",
    "Grace",
    "Hours",
    "HoursOrNone",
    "Id",
    "Millis",
    "Processing",
    "Seconds",
    "Word",
    "check_address",
    "check_names",
]

# Upper bounds keep `inf` and slips of the keyboard out: a selector cannot wait for more than it can count.
_YEAR = 365 * 24 * 3600
Seconds = Annotated[float, msgspec.Meta(gt=0, le=_YEAR)]
Grace = Annotated[float, msgspec.Meta(ge=0, le=_YEAR)]
HoursOrNone = Annotated[float, msgspec.Meta(ge=0, le=_YEAR / 3600)]
Hours = Annotated[float, msgspec.Meta(gt=0, le=_YEAR / 3600)]
Millis = Annotated[int, msgspec.Meta(ge=0, le=24 * 3600 * 1000)]
Count = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
CountOrNone = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]
Word = Annotated[str, msgspec.Meta(min_length=1)]
# How chat services number people and places: too long for a number of many a language, so never one (FIELD I4).
Id = Annotated[str, msgspec.Meta(pattern=r"^[1-9][0-9]{0,19}\Z")]
Processing = Literal["per-message", "per-thread", "per-lane"]


def check_names(env: Iterable[str]) -> None:
    """Refuse what the system cannot take as the name of a variable: starting the program would fail much later."""
    for name in env:
        if not name or "=" in name or "\0" in name:
            raise ValueError(f"env: {name!r} cannot be the name of a variable")


def check_address(key: str, address: str) -> None:
    """Refuse what is no http(s) address: connecting would fail much later, and over and over."""
    if not address:
        return
    if not _can_be_reached(address):
        raise ValueError(f"{key} must begin with http:// or https://, a host and perhaps a port")
    if "?" in address or "#" in address:
        raise ValueError(f"{key} ends with its path: no ? and no #")


def _can_be_reached(address: str) -> bool:
    try:
        parts = urlsplit(address)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is none, half a bracket
        return False
    return good and not any(character.isspace() for character in address)
