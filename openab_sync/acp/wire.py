"""Bytes to messages and back: one JSON value a line.

`LineBuffer` cuts what comes from a pipe into complete lines, `decode` types a block of them, `encode` makes a line.
Nothing here knows what a message means, reads from anywhere, or raises for what an agent sent: but for a line longer
than the limit.
"""

from __future__ import annotations

import io
import json

import msgspec

from ..errors import AgentProtocolError
from . import salvage
from .events import Noise
from .schema import Frame, Invalid, Unknown

__all__ = ["LINE_LIMIT", "Item", "LineBuffer", "decode", "encode"]

LINE_LIMIT = 64 * 1024 * 1024
"""Bytes of the longest line taken. Images and diffs of several MB are normal; readers limited to 64 KiB die of them."""

Item = Frame | Noise | Unknown | Invalid
"""What a line can turn out to be."""

_FRAMES = msgspec.json.Decoder(Frame)
_ENCODER = msgspec.json.Encoder()
_REFUSALS = (msgspec.MsgspecError, ValueError, OverflowError, RecursionError)


class LineBuffer:
    """Pieces of bytes in, blocks of complete lines out. Never looks at a byte twice."""

    __slots__ = ("_limit", "_pieces", "_size", "_too_long")

    def __init__(self, limit: int = LINE_LIMIT) -> None:
        self._limit = limit
        self._pieces: list[bytes] = []  # the line that has no end yet; joined once, when the end comes
        self._size = 0  # of all pieces
        self._too_long = False  # a line was: what follows has no beginning, so nothing is taken any more

    def __repr__(self) -> str:
        return f"<LineBuffer {self._size} of {self._limit} bytes{', too long' if self._too_long else ''}>"

    def feed(self, data: bytes) -> bytes:
        """Return the complete lines that are there now, each with its newline at the end; b"" if there is none.

        Raise AgentProtocolError if a line is longer than the limit, and at each later call.
        """
        if self._too_long or (self._size + len(data) > self._limit and self._has_long_line(data)):
            self._too_long = True
            self._pieces.clear()
            raise AgentProtocolError(f"the agent sent a line of more than {self._limit:,} bytes")
        end = data.rfind(b"\n") + 1
        if not end:
            self._keep(data)
            return b""
        self._pieces.append(data if end == len(data) else data[:end])
        block = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        self._pieces, self._size = [], 0
        self._keep(data[end:])
        return block

    def _keep(self, rest: bytes) -> None:
        if rest:
            self._pieces.append(rest)
            self._size += len(rest)

    def _has_long_line(self, data: bytes) -> bool:
        start, before = 0, self._size
        while (end := data.find(b"\n", start)) >= 0:
            if before + end - start > self._limit:
                return True
            start, before = end + 1, 0
        return before + len(data) - start > self._limit


def decode(block: bytes) -> list[Item]:
    """Return what the lines of a block are, in their order; never raises.

    One line, one value: a blank line, two values in one line or one over two are never taken for something else.
    """
    try:
        # A BytesIO finds newlines faster than `split` and `count`, and the whole loop runs in C: that is what makes a
        # stream of small chunks cheap.
        return list(map(_FRAMES.decode, io.BytesIO(block)))
    except _REFUSALS:
        return _decode_singly(block)


def _decode_singly(block: bytes) -> list[Item]:
    items: list[Item] = []
    for line in block.split(b"\n")[:-1]:  # split on this byte only: U+2028 and the like stand raw inside strings
        try:
            items.append(_FRAMES.decode(line))
        except _REFUSALS:
            items.extend(salvage.rescue(line))
    return items


def encode(message: object) -> bytes:
    """Return the message as one line; what JSON cannot say is replaced: lone surrogates by U+FFFD, NaN by null."""
    try:
        return _ENCODER.encode(message) + b"\n"
    except (UnicodeEncodeError, OverflowError):
        return json.dumps(salvage.clean(message), ensure_ascii=False).encode() + b"\n"
