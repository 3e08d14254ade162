"""Updates that came before the answer which says whose they are.

Agents send commands, usage and even text in the same breath as the answer to `session/new`, or before it. They are kept
here, within bounds, until the session's id is known. Pure; belongs to the peer of one session.
"""

from __future__ import annotations

from collections import deque

from . import schema

__all__ = ["EarlyUpdates"]

_COUNT_LIMIT = 10_000
_SIZE_LIMIT = 16 * 1024 * 1024  # characters, roughly: an agent that floods before it has a session is not worth more
_SMALL = 200  # what an update without long text is taken to weigh


class EarlyUpdates:
    """A bounded row of updates; when it is full the oldest make room."""

    def __init__(self, count_limit: int = _COUNT_LIMIT, size_limit: int = _SIZE_LIMIT) -> None:
        self._count_limit, self._size_limit = count_limit, size_limit
        self._kept: deque[tuple[str, schema.Update, int]] = deque()
        self._size = 0

    def __len__(self) -> int:
        return len(self._kept)

    def keep(self, session_id: str, update: schema.Update) -> bool:
        """Keep an update; return False if older ones had to go for it."""
        weight = _weight(update)
        self._kept.append((session_id, update, weight))
        self._size += weight
        whole = True
        while len(self._kept) > self._count_limit or self._size > self._size_limit:
            self._size -= self._kept.popleft()[2]
            whole = False
        return whole

    def release(self, session_id: str | None) -> list[schema.Update]:
        """Return the updates of this session in the order they came, and forget them and all others."""
        mine = [update for owner, update, _ in self._kept if owner == session_id]
        self._kept.clear()
        self._size = 0
        return mine


def _weight(update: schema.Update) -> int:
    if isinstance(update, schema.AgentChunk | schema.ThoughtChunk):
        block = update.content
        if isinstance(block, schema.TextContent):
            return _SMALL + len(block.text)
        if isinstance(block, schema.ImageContent | schema.AudioContent):
            return _SMALL + len(block.data or "")
        contents = block.resource if isinstance(block, schema.ResourceContent) else schema.Contents()
        return _SMALL + len(contents.text or "") + len(contents.blob or "")
    return _SMALL if not isinstance(update, schema.ToolNews) else _SMALL + _tool_weight(update)


def _tool_weight(tool: schema.ToolNews) -> int:
    return len(str(tool.raw_input)) + len(str(tool.raw_output)) + len(str(tool.content))
