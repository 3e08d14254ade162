"""Lanes: work on the loop that keeps its order within a conversation, and is bounded over all of them (FIELD F12, F13).

One thing of a conversation is done after the other, however long a download takes; conversations do not wait for each
other. What nobody has to wait for is done beside the lanes.

**Threads**: the loop's only.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

__all__ = ["Lanes"]

log = logging.getLogger(__name__)


class Lanes:
    """At most `most` pieces of work that are not done yet."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._last: dict[str, asyncio.Task[None]] = {}  # of each lane that has work
        self._tasks: set[asyncio.Task[None]] = set()
        self._owed = 0  # of them, those that do not count
        self._is_open = True

    def __len__(self) -> int:
        return len(self._tasks)

    def __contains__(self, key: str) -> bool:
        """Whether that lane has work that is not done yet."""
        return key in self._last

    def put(self, key: str, work: Callable[[], Awaitable[None]], *, is_owed: bool = False) -> bool:
        """Do `work` when all earlier of this lane is done. False if there is too much, or no more is taken.

        What `is_owed` to people already is not too much, and leaves the room to others.
        """
        if not self._is_open or (len(self._tasks) - self._owed >= self._most and not is_owed):
            return False
        self._owed += is_owed
        task = self._begin(_after(self._last.get(key), work))
        self._last[key] = task
        task.add_done_callback(lambda done: self._leave(key, done, is_owed=is_owed))
        return True

    def beside(self, work: Coroutine[Any, Any, object]) -> None:
        """Do `work` now, whatever else is done."""
        if self._is_open:
            self._tasks.add(self._begin(work))
        else:
            work.close()

    async def room(self, most: int) -> None:
        """Wait until fewer than `most` pieces of work, those not counted that are owed, are not done yet.

        Returns as well when no more is taken.
        """
        while len(self._tasks) - self._owed >= most and self._is_open:
            await asyncio.wait(set(self._tasks), return_when=asyncio.FIRST_COMPLETED)

    async def close(self, seconds: float) -> None:
        """Take no more, wait for what is under way, and cancel what takes longer than `seconds`."""
        self._is_open = False
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=seconds)
        late = set(self._tasks)
        for task in late:
            task.cancel()
        if late:
            log.warning("%d pieces of work were not finished within %.0f s", len(late), seconds)
            await asyncio.wait(late)

    def _begin(self, work: Coroutine[Any, Any, object]) -> asyncio.Task[None]:
        task = asyncio.create_task(_watched(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _leave(self, key: str, task: asyncio.Task[None], *, is_owed: bool) -> None:
        self._owed -= is_owed
        if self._last.get(key) is task:
            del self._last[key]


async def _after(earlier: asyncio.Task[None] | None, work: Callable[[], Awaitable[None]]) -> None:
    if earlier is not None:
        await asyncio.wait({earlier})
    await work()


async def _watched(work: Coroutine[Any, Any, object]) -> None:
    try:
        await work
    except Exception:  # the top of the task: nothing above it could tell
        log.exception("what somebody wrote or did could not be handled")
