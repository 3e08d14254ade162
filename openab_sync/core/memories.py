"""What conversations remember: how each is taken up again, whether it has a session just now or not.

Plain data, changed under the pool's lock; `save` is called without it: what is kept beyond this process is the shelf's
business. A session of the agent's is remembered by one conversation only: two agents must not go on with
one. The longest unused is forgotten first.

**Threads**: `save` from any, never under a lock; the shelf calls `look` on a thread of its own. **Locks**: none of its
own. **Never**: a wait for a disk after `Memories` has been built.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import Future
from typing import Protocol

from ..store import Memory

__all__ = ["Memories", "Shelf"]

MOST = 10_000  # conversations: years of a busy server, some megabytes


class Shelf(Protocol):
    """Where memories outlive this process."""

    def read(self) -> Iterable[tuple[str, Memory]]:
        """Return what is kept, by the key of the conversation, the longest unused first. Blocks; once, at the start."""

    def save(self, keys: Collection[str], look: Callable[[str], Memory | None]) -> Future[None]:
        """Keep what `look` says of these conversations when it is called: None is to be forgotten. Never blocks.

        Any thread; the Future is done when it is kept, or has failed.
        """


class Memories:
    """The memories by the key of their conversation."""

    def __init__(self, shelf: Shelf | None = None, most: int = MOST) -> None:
        """Read what the `shelf` keeps; without one nothing outlives this process. Blocks."""
        self._shelf = shelf
        self._most = most
        self._held: dict[str, Memory] = {}  # the longest unused first
        self._owners: dict[str, str] = {}  # of the agent's sessions: their conversations
        self._had: OrderedDict[str, str] = OrderedDict()  # who has had a session of the agent's, forgotten or not
        self._unsaved: set[str] = set()  # its `add` and `pop` are atomic
        for key, memory in shelf.read() if shelf is not None else ():
            self.put(key, memory)
        self._unsaved.clear()

    def __len__(self) -> int:
        return len(self._held)

    def __repr__(self) -> str:
        return f"<Memories {len(self._held)}>"

    def of(self, key: str) -> Memory:
        """Return what a conversation remembers; one that knows nothing if it remembers nothing. Any thread."""
        return self._held.get(key) or Memory()

    def items(self) -> list[tuple[str, Memory]]:
        """Return all, the longest unused first. Any thread, without the pool's lock: one step of a dict."""
        return list(self._held.items())

    def put(self, key: str, memory: Memory | None) -> None:
        """A conversation remembers this from now on, None for nothing, and nobody else remembers that session."""
        self._drop(key)
        if memory is None or not (memory.acp_session_id or memory.options or memory.archive):
            return
        taken = memory.acp_session_id
        if taken is not None:
            self._dispossess(taken)
            self._owners[taken] = key
            self._had[taken] = key
            self._had.move_to_end(taken)
            while len(self._had) > self._most:
                self._had.popitem(last=False)
        self._held[key] = memory
        self._unsaved.add(key)
        while len(self._held) > self._most:
            self._drop(next(iter(self._held)))

    def has_had(self, key: str, session_id: str) -> bool:
        """Whether that session of the agent's was this conversation's last; after a restart only what it still has."""
        return self._had.get(session_id) == key

    def forget_before(self, moment: float, keep: Callable[[str], bool]) -> None:
        """Forget what was not used since `moment` (seconds since the epoch), but for those to `keep`."""
        for key in [key for key, memory in self._held.items() if memory.used < moment and not keep(key)]:
            self._drop(key)

    def save(self) -> None:
        """Have what has changed kept: soon. Never under a lock; never blocks."""
        keys = set[str]()
        while self._unsaved:
            keys.add(self._unsaved.pop())
        if not keys or self._shelf is None:
            return

        def look(done: Future[None]) -> None:  # on the shelf's thread; why it failed is logged there
            if done.cancelled() or done.exception() is not None:
                self._unsaved.update(keys)  # with the next change it is tried again

        self._shelf.save(keys, self._held.get).add_done_callback(look)

    def _dispossess(self, taken: str) -> None:
        """Whose session goes on elsewhere knows that it had one."""
        owner = self._owners.get(taken, "")
        memory = self._held.get(owner)
        if memory is not None:
            self._drop(owner)
            self._held[owner] = memory.archived()

    def _drop(self, key: str) -> None:
        memory = self._held.pop(key, None)
        if memory is None:
            return
        self._unsaved.add(key)
        if memory.acp_session_id is not None:
            self._owners.pop(memory.acp_session_id, None)
