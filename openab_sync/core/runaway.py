"""Runaway: an agent that does the same again and again, or does more in one turn than anybody wants. Pure.

A call counts when it is known what it does: when the next one has begun, or it has ended. It is new if none of the last
few was the same: an agent that edits and tests and edits goes on, one that tests and tests, or reads two files in turns
for ever, does not.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from .tool import Tool

__all__ = ["Runaway"]

CYCLE = 4  # different calls that are remembered


class Runaway:
    """Watches the tool calls of one turn."""

    __slots__ = ("_last", "_seen", "calls", "name", "repeated")

    def __init__(self) -> None:
        self.calls = 0  # begun
        self.repeated = 0  # since the last new one
        self.name = ""  # of the call that comes again and again
        self._seen = 0  # judged
        self._last: OrderedDict[int, None] = OrderedDict()

    def look(self, tools: Sequence[Tool]) -> None:
        """Look at all calls of the turn, in their order, as they are now. Those that were judged cost nothing."""
        self.calls = len(tools)
        known = self.calls - 1 if tools and tools[-1].is_open else self.calls
        for tool in tools[self._seen : known]:
            self._judge(tool)
        self._seen = max(self._seen, known)

    def _judge(self, tool: Tool) -> None:
        what = hash((tool.kind, tool.label, repr(tool.raw_input), tool.locations, repr(tool.content)[:10_000]))
        if what in self._last:
            self.repeated += 1
            self.name = tool.label
        else:
            self.repeated = 0
        self._last[what] = None
        self._last.move_to_end(what)
        if len(self._last) > CYCLE:
            self._last.popitem(last=False)
