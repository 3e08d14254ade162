"""Whatever can be saved of a line that is not what the protocol says.

The fast path (`wire.decode`) takes what fits. What it refuses comes here: invalid UTF-8, lone surrogates, NaN and
endless numbers are cleaned, members that do not fit are dropped one by one, and each loss costs one Noise. Nothing in
this room raises for anything that an agent may send. It is slow (tens of microseconds a line), and it may be.
"""

from __future__ import annotations

import json
import math
import re
from types import NoneType, UnionType
from typing import Any, NoReturn, TypeVar, Union, get_args, get_origin

import msgspec
from msgspec import NODEFAULT, Raw, Struct

from .events import Noise
from .schema import Frame, Invalid, Unknown

__all__ = ["KNOWN_METHODS", "SAMPLE", "Loss", "clean", "fit", "parse", "parse_raw", "rescue", "sample_of"]

KNOWN_METHODS = frozenset({"session/update", "session/request_permission", "$/cancel_request"})
"""What an agent may send us. Parameters of anything else are not looked at."""

Loss = Noise | Unknown
T = TypeVar("T")

SAMPLE = 1024  # characters of the evidence for a log line: more than it shows, so that secrets in it are whole
_DEPTH = 100  # levels that are kept of a line nested too deeply; real messages have seven or eight
_DEEP_LINE = 1 << 20  # cutting costs Python time for every bracket: not for a line longer than this
# A string that never ends counts as one to the end of the line: else each of its quotes would be tried again.
_TOKENS = re.compile(rb'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|[\[\]{}]', re.DOTALL)
_SURROGATES = re.compile("[\ud800-\udfff]")


class _Unfit(Exception):
    """A value that cannot become what is wanted; `unknown` is set when its kind is one that we have never heard of."""

    def __init__(self, why: str, unknown: Unknown | None = None) -> None:
        super().__init__(why)
        self.why, self.unknown = why, unknown


# Bytes to values.


def parse(line: bytes) -> object:
    """Return the JSON value of a line, cleaned of all that cannot be encoded again; ValueError if there is none."""
    text = line.decode("utf-8", "replace").strip("\ufeff \t\r\n")
    try:
        return clean(_DECODER.decode(text))
    except RecursionError:
        return clean(_DECODER.decode(_shallow(text.encode()).decode("utf-8", "replace")))


def parse_raw(raw: Raw) -> object:
    """Return the value that a struct kept raw, None for an absent one or one beyond repair."""
    data = bytes(raw)
    try:
        return parse(data) if data else None
    except (ValueError, RecursionError):
        return None


def clean(value: object, depth: int = 0) -> object:
    """Return the value with lone surrogates replaced by U+FFFD.

    Numbers that JSON does not have become null, and so does what is nested too deeply.
    """
    if isinstance(value, str):
        return value if value.isascii() else _SURROGATES.sub("\ufffd", value)
    if isinstance(value, dict):
        return None if depth >= _DEPTH else {_key(key): clean(member, depth + 1) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return None if depth >= _DEPTH else [clean(item, depth + 1) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _key(key: str) -> str:
    return key if key.isascii() else _SURROGATES.sub("\ufffd", key)


def sample_of(line: bytes) -> str:
    """Return the beginning of a line, for a log."""
    return line[:SAMPLE].decode("utf-8", "replace").strip()


def _integer(digits: str) -> int | float | None:
    # Python refuses to convert thousands of digits, and no honest number has more than twenty.
    return int(digits) if len(digits) <= 300 else None


def _number(text: str) -> float | None:
    number = float(text)
    return number if math.isfinite(number) else None


_DECODER = json.JSONDecoder(strict=False, parse_constant=lambda _: None, parse_float=_number, parse_int=_integer)


def _shallow(line: bytes) -> bytes:
    """Return the line with everything below `_DEPTH` levels replaced by null; ValueError if it is too long for that."""
    if len(line) > _DEEP_LINE:
        raise ValueError("nested too deeply")
    kept: list[bytes] = []
    depth = start = 0
    for token in _TOKENS.finditer(line):
        mark = token.group()
        if mark in (b"[", b"{"):
            depth += 1
            if depth == _DEPTH:
                kept.append(line[start : token.start()] + b"null")
        elif mark in (b"]", b"}"):
            if depth == _DEPTH:
                start = token.end()
            depth -= 1
    if depth >= _DEPTH:
        raise ValueError("nested too deeply, and never closed")
    return b"".join(kept) + line[start:]


# Values to structs.


def fit(value: object, kind: type[T], losses: list[Loss]) -> T | None:
    """Return the value as a `kind`, without the members that do not fit; None if nothing useful is left."""
    try:
        made: T = _fit(value, kind, losses)
    except _Unfit as unfit:
        losses.append(_loss(unfit, value))
        return None
    return made


def _fit(value: object, kind: Any, losses: list[Loss]) -> Any:
    if kind is Raw:
        return Raw(msgspec.json.encode(value))
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        why = str(error)
    if get_origin(kind) in (Union, UnionType):
        return _fit_one_of(value, get_args(kind), losses)
    if isinstance(kind, type) and issubclass(kind, Struct):
        return _fit_struct(value, kind, losses)
    if get_origin(kind) is list and isinstance(value, list):
        return _fit_items(value, get_args(kind)[0], losses)
    if kind is int and isinstance(value, float) and value.is_integer():
        return int(value)
    raise _Unfit(why)


def _fit_struct(value: object, kind: type[Struct], losses: list[Loss]) -> Struct:
    if not isinstance(value, dict):
        raise _Unfit(f"expected an object, got {type(value).__name__}")
    members: dict[str, object] = {}
    for field in msgspec.structs.fields(kind):
        given = value.get(field.encode_name, NODEFAULT)
        needed = field.default is NODEFAULT and field.default_factory is NODEFAULT
        if given is NODEFAULT or (given is None and not _takes_null(field.type)):
            if needed:
                raise _Unfit(f"`{field.encode_name}` is missing")
            continue
        try:
            members[field.name] = _fit(given, field.type, losses)
        except _Unfit as unfit:
            unfit.why = f"`{field.encode_name}`: {unfit.why}"
            if needed:
                raise
            losses.append(_loss(unfit, given))
    return kind(**members)


def _fit_items(values: list[object], kind: Any, losses: list[Loss]) -> list[Any]:
    items: list[Any] = []
    for value in values:
        try:
            items.append(_fit(value, kind, losses))
        except _Unfit as unfit:
            losses.append(_loss(unfit, value))
    return items


def _fit_one_of(value: object, kinds: tuple[Any, ...], losses: list[Loss]) -> Any:
    """Salvage the member of a union that the value means to be: by its tag, or the only one of its shape."""
    structs = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, Struct)]
    if isinstance(value, dict) and structs:
        field = structs[0].__struct_config__.tag_field
        if field is None:
            return _fit_struct(value, structs[0], losses)
        for kind in structs:
            if kind.__struct_config__.tag == value.get(field):
                return _fit_struct(value, kind, losses)
        _refuse_tag(field, value.get(field))
    for kind in kinds:
        if kind is int or get_origin(kind) is list:
            return _fit(value, kind, losses)
    raise _Unfit(f"unexpected {type(value).__name__}")


def _refuse_tag(field: str, tag: object) -> NoReturn:
    if not isinstance(tag, str):
        raise _Unfit(f"`{field}` is missing")
    kind = "update" if field == "sessionUpdate" else "block"
    raise _Unfit(f"unknown {kind}", Unknown(kind, tag[:80]))


def _takes_null(kind: Any) -> bool:
    return kind in (Raw, object) or NoneType in get_args(kind)


def _loss(unfit: _Unfit, value: object) -> Loss:
    sample = value[:SAMPLE] if isinstance(value, str) else json.dumps(value)[:SAMPLE]
    if unfit.unknown is not None:
        return Unknown(unfit.unknown.kind, unfit.unknown.name, sample)
    return Noise(f"dropped: {unfit.why}", sample)


# One line that was refused.


def rescue(line: bytes) -> list[Frame | Loss | Invalid]:
    """Return what a refused line holds: its losses first, then the message if one is left."""
    sample = sample_of(line)
    if not sample.strip("\ufeff"):
        return [Noise("blank line")]
    try:
        value = parse(line)
    except RecursionError:
        return [Noise("nested too deeply", sample)]
    except ValueError as error:
        deep = str(error).startswith("nested")
        return [Noise(str(error) if deep else "not JSON", sample)]
    if isinstance(value, list):
        return [Invalid("a batch of messages", sample=sample)]
    if not isinstance(value, dict):
        return [Noise("not a JSON object", sample)]
    return _rescue_message(value, sample)


def _rescue_message(value: dict[str, object], sample: str) -> list[Frame | Loss | Invalid]:
    method, name = value.get("method"), value.get("id")
    odd_id = isinstance(name, bool | list | dict)
    if method is not None and not isinstance(method, str):
        # Without its method it would pass for a response to a request of ours with the same id.
        return [Invalid("a method that is no string", None if odd_id else _echo(name), sample)]
    if odd_id:
        what = "an id that is no number or string"
        return [Noise(what, sample) if method is None else Invalid(what, sample=sample)]
    if method is not None and method not in KNOWN_METHODS:
        value = {key: member for key, member in value.items() if key != "params"}
    losses: list[Loss] = []
    frame = fit(value, Frame, losses)
    return [*losses, frame] if frame is not None else [*losses]


def _echo(name: object) -> int | str | float | None:
    return name if isinstance(name, int | str | float) else None
