"""Counts how often a journal is brought to the disk: each call of SQLite's own `xSync` on its write-ahead log.

That is the call that ends in fsync (or fdatasync), seen from inside: no tracer, and no right to use one, is needed.
"""

from __future__ import annotations

import _sqlite3
import ctypes
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from openab_sync.store import Store

__all__ = ["Syncs", "counted"]

JOURNAL_POINTER = 28  # SQLITE_FCNTL_JOURNAL_POINTER: the file of the log
METHODS, SYNC = 19, 5  # pointers in a `sqlite3_io_methods`, and which of them is xSync
HEAD = object.__basicsize__  # bytes of a Python object before its own: a connection's first is its `sqlite3 *`

XSync = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int)


class Syncs:
    """How many there were so far."""

    def __init__(self) -> None:
        self.count = 0


@contextmanager
def counted(store: Store) -> Iterator[Syncs]:
    """Count from now on, until the block ends. Nothing may be written when it begins and when it ends."""
    syncs, place = Syncs(), _methods_of(store._db)
    before = place.value
    assert before is not None
    ours = (ctypes.c_void_p * METHODS).from_buffer_copy(ctypes.string_at(before, METHODS * ctypes.sizeof(place)))
    real = XSync(ours[SYNC] or 0)

    def sync(file: int, flags: int) -> int:
        syncs.count += 1
        return int(real(file, flags))

    called = XSync(sync)  # held here for as long as SQLite may call it
    ours[SYNC] = ctypes.cast(called, ctypes.c_void_p).value
    place.value = ctypes.addressof(ours)
    try:
        yield syncs
    finally:
        place.value = before


def _methods_of(db: sqlite3.Connection) -> ctypes.c_void_p:
    """Where the log's file has the address of what it can do."""
    library = ctypes.CDLL(_sqlite3.__file__)
    handle, file = ctypes.c_void_p.from_address(id(db) + HEAD), ctypes.c_void_p()
    assert library.sqlite3_file_control(handle, b"main", JOURNAL_POINTER, ctypes.byref(file)) == 0
    assert file.value is not None
    return ctypes.c_void_p.from_address(file.value)
