"""Lines out of bytes: first byte: size of the reads, second: the limit of a line, the rest: what an agent writes."""

from __future__ import annotations

import json
from typing import NoReturn

from msgspec import UNSET

from openab_sync.acp.events import Noise
from openab_sync.acp.schema import Frame, Invalid, Unknown
from openab_sync.acp.wire import Item, LineBuffer, decode, encode
from openab_sync.errors import AgentProtocolError

__all__ = ["one_input"]

GOOD = b'{"id":"the last","method":"good"}\n'


def one_input(data: bytes) -> None:
    """The cuts do not matter, the limit holds for lines, decoding never raises, garbage hides nothing behind it."""
    size, limit, stream = 1 + sum(data[:1]), sum(data[1:2]), data[2:]
    pieces = [stream[at : at + size] for at in range(0, len(stream), size)]
    buffer = LineBuffer()
    blocks = [buffer.feed(piece) for piece in pieces]
    assert b"".join(blocks) == stream[: stream.rfind(b"\n") + 1]
    for block in blocks:
        assert all(isinstance(item, Frame | Noise | Unknown | Invalid) for item in decode(block))
    _check_limit(pieces, limit)
    items = decode(stream + b"\n" + GOOD)
    last = items[-1]
    assert isinstance(last, Frame) and (last.id, last.method) == ("the last", "good")
    _check_echo(items)


def _check_limit(pieces: list[bytes], limit: int) -> None:
    longest = max(map(len, b"".join(pieces).split(b"\n")))
    buffer = LineBuffer(limit)
    try:
        for piece in pieces:
            buffer.feed(piece)
    except AgentProtocolError:
        assert longest > limit
    else:
        assert longest <= limit


def _check_echo(items: list[Item]) -> None:
    """What came in can be sent back: one line of JSON, whatever it was."""
    for item in items:
        known = (None if item.id is UNSET else item.id, item.method) if isinstance(item, Frame) else (repr(item),)
        line = encode(known)
        assert line.endswith(b"\n") and line.count(b"\n") == 1
        json.loads(line, parse_constant=_refuse)


def _refuse(constant: str) -> NoReturn:
    raise AssertionError(f"{constant} is no JSON")
