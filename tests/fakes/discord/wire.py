"""Compression of what goes out over the gateway: one stream for the whole connection, flushed after each payload."""

from __future__ import annotations

import importlib
import zlib
from collections.abc import Callable

__all__ = ["compressor"]


def compressor(kind: str) -> Callable[[bytes], bytes] | None:
    """What turns payloads into messages, for `compress` of the query; None for plain text.

    zstd needs the package `zstandard`, without which no client of this interpreter asks for it.
    """
    if kind == "zlib-stream":
        deflate = zlib.compressobj()
        return lambda payload: deflate.compress(payload) + deflate.flush(zlib.Z_SYNC_FLUSH)
    if kind == "zstd-stream":
        zstandard = importlib.import_module("zstandard")
        stream = zstandard.ZstdCompressor().compressobj()
        return lambda payload: bytes(stream.compress(payload) + stream.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK))
    return None
