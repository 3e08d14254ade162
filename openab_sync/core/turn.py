"""A turn: what the agent has said and done so far.

`Turn` takes the agent's events, and our own notices, and keeps them as segments in the order they came (FIELD B13). It
knows nothing of pages, markdown or platforms: `drawing` makes text of segments, `reply` delivers it. Notices are
segments of their own and never part of the answer, so whether the agent said anything is never guessed from what
people see (FIELD B6, B7). What an ending means in words is `explain`'s.

What it holds is bounded: when an agent has brought more than `most`, the turn `is_full` and takes no more of it.

Session thread only; never blocks. Taking a piece of text costs the same however much there is already.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from sys import getsizeof
from typing import assert_never

from msgspec import Struct
from msgspec.structs import replace

from ..acp import events as acp
from ..clock import Clock
from .explain import explain
from .message import Inbound
from .port import Notice, Outcome
from .tool import Tool, bulk

__all__ = [
    "MediaItem",
    "NoticeLine",
    "PlanList",
    "Segment",
    "Taken",
    "TextRun",
    "ThoughtRun",
    "ToolGroup",
    "Turn",
]


class TextRun(Struct, gc=False):
    """Text of the agent with nothing between its parts. `continues`: of the same message as the run before it."""

    parts: list[str] = []
    continues: bool = False


class ThoughtRun(Struct, gc=False):
    """The agent thinking aloud."""

    parts: list[str] = []
    sealed: bool = False

    def seal(self) -> None:
        self.sealed = True


class ToolGroup(Struct, gc=False):
    """Tool calls with nothing between them. Sealed, it keeps the calls as they were at that moment."""

    tools: list[Tool] = []
    sealed: bool = False

    @property
    def is_open(self) -> bool:
        """A call in it is still running, or may be."""
        return any(tool.is_open for tool in self.tools)

    def seal(self) -> None:
        self.tools = [replace(tool) for tool in self.tools]
        self.sealed = True


@dataclass(slots=True)
class PlanList:
    """The agent's plan; the last one is the one that counts."""

    entries: tuple[acp.PlanEntry, ...]
    sealed: bool = False

    def seal(self) -> None:
        self.sealed = True


@dataclass(frozen=True, slots=True)
class NoticeLine:
    """A sentence of ours."""

    text: str


@dataclass(frozen=True, slots=True)
class MediaItem:
    """An image, a sound, a file or a link in the answer."""

    item: acp.Media | acp.Link


Segment = TextRun | ThoughtRun | ToolGroup | PlanList | NoticeLine | MediaItem

Taken = (
    acp.Said
    | acp.Thought
    | acp.Media
    | acp.Link
    | acp.ToolChanged
    | acp.PlanChanged
    | acp.UsageChanged
    | acp.SessionInfo
    | Notice
)


class Turn:
    """One prompt and everything that came of it. `agent` is what the agent is called in sentences for people.

    Moments are monotonic seconds of the clock. `most` is what an agent may bring, in bytes, more or less.
    """

    def __init__(
        self, notes: tuple[Inbound, ...], clock: Clock, agent: str = "The agent", most: float = math.inf
    ) -> None:
        self.notes = notes
        self.agent = agent
        self.bulk = 0  # of all that is kept, in bytes
        self.most = most
        self._clock = clock
        self.segments: list[Segment] = []
        self.changes = 0  # grows with everything that people could see: whoever draws compares it
        self.message_ids: set[str] = set()  # late text that names one of them belongs here
        self.started = clock.monotonic()
        self.first_text_at: float | None = None
        self.last_event = self.started  # a sign of the agent; our notices are none
        self.ended_at: float | None = None
        self.has_thoughts = self.has_media = False
        self.used: int | None = None  # tokens in the agent's context …
        self.size: int | None = None  # … of so many
        self.cost: float | None = None  # of the session so far
        self.currency = ""
        self.title: str | None = None  # what the agent calls the conversation; "" clears it
        self.stop_reason = ""
        self.reason = ""
        self.output_tokens: int | None = None
        self._outcome: Outcome | None = None
        self._message_id: str | None = None  # of the text that came last
        self._tools: dict[str, Tool] = {}
        self._homes: dict[str, ToolGroup] = {}  # the group that shows a call, the newest where there are several
        self._open: dict[str, Tool] = {}
        self._plan: PlanList | None = None

    def __repr__(self) -> str:
        return f"<Turn {self.outcome or 'running'} segments={len(self.segments)} open_tools={len(self._open)}>"

    # What has been said and done.

    @property
    def text(self) -> str:
        """The agent's answer: its text alone, without tools, thoughts and notices."""
        pieces: list[str] = []
        for segment in self.segments:
            if isinstance(segment, TextRun):
                pieces += ([] if segment.continues or not pieces else ["\n\n"]) + segment.parts
        return "".join(pieces).strip("\n")

    @property
    def tools(self) -> tuple[Tool, ...]:
        """All calls, in the order in which they were first heard of."""
        return tuple(self._tools.values())

    @property
    def open_tools(self) -> tuple[Tool, ...]:
        """The calls that have not ended, the newest last."""
        return tuple(self._open.values())

    @property
    def current_tool(self) -> Tool | None:
        """The newest call that has not ended."""
        return next(reversed(self._open.values()), None)

    @property
    def open_tool(self) -> str:
        """What that call is called, "" if there is none."""
        tool = self.current_tool
        return tool.label if tool else ""

    @property
    def has_text(self) -> bool:
        """The agent has said something that is not white space."""
        return self.first_text_at is not None

    @property
    def is_empty(self) -> bool:
        """The agent has neither said nor done nor sent anything."""
        return not (self.has_text or self._tools or self.has_media)

    @property
    def is_full(self) -> bool:
        """The agent has brought more than it may: but for sentences of ours nothing is taken any more."""
        return self.bulk > self.most

    @property
    def outcome(self) -> Outcome | None:
        """How the turn ended, None while it runs. An empty answer is no success; late text can still make it one."""
        return "failed" if self._outcome == "done" and self.is_empty else self._outcome

    @property
    def seconds(self) -> float:
        """How long it took, or has taken so far."""
        return (self._clock.monotonic() if self.ended_at is None else self.ended_at) - self.started

    def tool(self, call_id: str) -> Tool | None:
        """Return what is known of a call, None if nothing."""
        return self._tools.get(call_id)

    def explain(self) -> str:
        """Return what people must be told about how the turn ended; "" if it runs or ended well."""
        return explain(self)

    # What happens.

    def take(self, *events: Taken) -> None:
        """Take in what the agent said or did, or notices of ours. After the end they are late, and welcome."""
        for event in events if not self.is_full else [one for one in events if isinstance(one, Notice)]:
            # What comes by the thousand first, and not by `match`, which needs half a microsecond to find the third.
            if type(event) is acp.Said:
                self._said(event)
            elif type(event) is acp.ToolChanged:
                self._tool_changed(event)
            elif type(event) is acp.Thought:
                self._thought(event)
            else:
                self._other(event)  # type: ignore[arg-type]  # mypy takes no class out of a union by `type`
        if any(type(event) is not Notice for event in events):  # ours are no sign of the agent
            self.last_event = self._clock.monotonic()

    def _other(
        self, event: acp.Media | acp.Link | acp.PlanChanged | acp.UsageChanged | acp.SessionInfo | Notice
    ) -> None:
        match event:
            case Notice():
                self._append(NoticeLine(event.text))
            case acp.PlanChanged():
                self._plan_changed(event.entries)
            case acp.Media() | acp.Link():
                self.has_media = True
                self.bulk += bulk(event)
                self._append(MediaItem(event))
            case acp.UsageChanged():
                self._used(event)
            case acp.SessionInfo():
                self.title = event.title
            case _:
                assert_never(event)

    def end(
        self, outcome: Outcome, reason: str = "", *, stop_reason: str = "", output_tokens: int | None = None
    ) -> None:
        """The turn is over. Calls that never ended are neither done nor running from now on."""
        self._outcome, self.reason = outcome, reason
        self.stop_reason, self.output_tokens = stop_reason, output_tokens
        self.ended_at = self._clock.monotonic()
        self._close_tools()
        self.changes += 1

    # How it is kept.

    def _append(self, segment: Segment) -> None:
        self.segments.append(segment)
        self.changes += 1

    def _said(self, event: acp.Said) -> None:
        self.bulk += getsizeof(event.text)
        if event.message_id is not None and event.message_id not in self.message_ids:
            self.message_ids.add(event.message_id)
            self.bulk += 2 * getsizeof(event.message_id)  # and its place in the set
        if not event.text:
            return  # opens or closes a message in some agents
        same = event.message_id is None or event.message_id == self._message_id
        self._message_id = event.message_id or self._message_id
        if self.first_text_at is None and not event.text.isspace():
            self.first_text_at = self._clock.monotonic()
        last = self.segments[-1] if self.segments else None
        if same and isinstance(last, TextRun):
            last.parts.append(event.text)
            self.changes += 1
        else:
            # Without an id nobody knows whether this is the same message: a paragraph is the smaller mistake.
            self._append(TextRun([event.text], continues=same and event.message_id is not None))

    def _thought(self, event: acp.Thought) -> None:
        self.bulk += getsizeof(event.text)
        if not event.text:
            return
        self.has_thoughts = self.has_thoughts or not event.text.isspace()
        last = self.segments[-1] if self.segments else None
        if isinstance(last, ThoughtRun) and not last.sealed:
            last.parts.append(event.text)
            self.changes += 1
        else:
            self._append(ThoughtRun([event.text]))

    def _tool_changed(self, change: acp.ToolChanged) -> None:
        tool, home = self._tools.get(change.call_id), self._homes.get(change.call_id)
        before = 0 if tool is None or (home is not None and home.sealed) else tool.bulk  # else the seal keeps it
        if tool is None:
            tool = self._tools[change.call_id] = Tool(change.call_id)
            tool.merge(change)
            is_news = True
        else:
            is_news = tool.take(change)
        self.bulk += tool.bulk - before
        if self._outcome is not None and tool.is_open:
            tool.state = "stopped"
        self._open.pop(tool.call_id, None)
        if tool.is_open:
            self._open[tool.call_id] = tool
        if is_news:
            self._show(tool)
            self.changes += 1

    def _show(self, tool: Tool) -> None:
        """See to it that a group which can still change holds `tool`."""
        home = self._homes.get(tool.call_id)
        if home is not None and not home.sealed:
            return
        last = self.segments[-1] if self.segments else None
        if not isinstance(last, ToolGroup) or last.sealed:
            last = ToolGroup()
            self.segments.append(last)
        last.tools.append(tool)
        self._homes[tool.call_id] = last

    def _close_tools(self) -> None:
        for tool in self._open.values():
            tool.state = "stopped"
            self._show(tool)
        self._open.clear()

    def _plan_changed(self, entries: tuple[acp.PlanEntry, ...]) -> None:
        plan = self._plan
        if plan is not None and plan.entries == entries:
            return
        self.bulk += bulk(entries)
        if plan is None or plan.sealed:
            self._plan = PlanList(entries)
            self._append(self._plan)
        else:
            plan.entries = entries
            self.changes += 1

    def _used(self, event: acp.UsageChanged) -> None:
        self.used = self.used if event.used is None else event.used
        self.size = self.size if event.size is None else event.size
        if event.cost is not None:
            self.cost, self.currency = event.cost, event.currency
