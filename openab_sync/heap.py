"""How this program uses memory: one heap for all threads, and what it begins with is let be.

**Threads**: the main thread's. **Locks**: none. **Never**: under a lock; `settle` takes a tenth of a second.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc

__all__ = ["settle", "share"]

M_ARENA_MAX = -8  # of glibc's malloc.h


def share() -> None:
    """Have all threads take memory from one heap; nothing happens where the C library is not glibc.

    glibc makes a heap for each of the first threads (eight a core), so that they need not wait for each other. Ours
    hold the interpreter's lock while they allocate; each heap only keeps what another could use: 6 KiB a session,
    among a hundred. To be called before threads are started; never blocks.
    """
    with contextlib.suppress(AttributeError, OSError):  # another C library, or none that can be asked
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 1)


def settle() -> None:
    """Say that everything is there: what is now in memory stays, and is not looked through for garbage any more.

    These are 77,000 containers, most of them of libraries; a full collection among them holds every thread up for
    50 ms, and heartbeats, answers and slash commands with them. What import and start have left goes back to the
    system (1 MiB). To be called once, when all is started.
    """
    gc.collect()
    gc.freeze()
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)
