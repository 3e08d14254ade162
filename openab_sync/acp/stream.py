"""From what was decoded to what the agent said: the one loop that must be fast.

An agent streams a word at a time and a read brings hundreds of updates. Everything behind this room costs per event, so
chunks that will be one paragraph anyway become one event here, and so do the steps of one tool call that came in one
breath. What is not text or a tool call of the open session is left to the peer as it is. Pure.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import UNSET

from . import convert
from .events import Event, Said, Thought
from .schema import AgentChunk, Frame, TextContent, ThoughtChunk, ToolCall, ToolNews, ToolUpdate
from .wire import Item

__all__ = ["gather"]

_STEPS = frozenset({"pending", "in_progress", "completed", "failed"})
_ENDS = frozenset({"completed", "failed"})


def gather(
    items: list[Item], session_id: str | None, events: list[Event], take: Callable[[Item, list[Event]], None]
) -> None:
    """Add what the items mean to the events: text and tool calls of that session, a run of them as one, and no others.

    Those are handed to `take`, which adds what they mean; the order stays. A run is what follows each other directly:
    text of the same kind and `messageId`, or news of the same tool call. Of a call each member is as the last update
    that names it says; a state after its end, or one of the agent's own making, begins a new run.
    """
    head: AgentChunk | ThoughtChunk | ToolNews | None = None  # the first update of the run; a tool's has the rest in it
    message_id: str | None = None  # if it is text, its id and all its pieces
    texts: list[str] = []
    for item in items:
        # These tests are spelled out, not called: they are half of what an update costs here.
        news = (
            params.update
            if type(item) is Frame
            and item.method == "session/update"
            and (params := item.params) is not None
            and params.session_id == session_id is not None
            and item.id is UNSET
            else None
        )
        if (type(news) is AgentChunk or type(news) is ThoughtChunk) and type(news.content) is TextContent:
            if type(news) is type(head) and news.message_id == message_id:
                texts.append(news.content.text)
                continue
            _tell(head, texts, events)
            head, message_id, texts = news, news.message_id, [news.content.text]
        elif type(news) is ToolUpdate or type(news) is ToolCall:
            if (type(head) is ToolCall or type(head) is ToolUpdate) and _fold(head, news):
                continue
            _tell(head, texts, events)
            head = news
        else:
            _tell(head, texts, events)
            head = None
            take(item, events)
    _tell(head, texts, events)


def _tell(head: AgentChunk | ThoughtChunk | ToolNews | None, texts: list[str], events: list[Event]) -> None:
    """Add what a run amounts to; text that is empty opens or closes messages in some agents, and is nothing."""
    if type(head) is AgentChunk or type(head) is ThoughtChunk:
        if text := texts[0] if len(texts) == 1 else "".join(texts):
            events.append((Said if type(head) is AgentChunk else Thought)(text, head.message_id))
    elif type(head) is ToolUpdate or type(head) is ToolCall:  # `isinstance` is slow for structs, but for a plain yes
        events.append(convert.tool(head))


def _fold(tool: ToolNews, news: ToolNews) -> bool:
    """Let `tool` say what the two say one after the other; False if one cannot."""
    if tool.tool_call_id != news.tool_call_id:
        return False
    if (status := news.status) is not None:
        if status != tool.status and (status not in _STEPS or tool.status in _ENDS):
            return False
        tool.status = status
    if news.title:
        tool.title = news.title
    if news.kind:
        tool.kind = news.kind
    if news.content is not None:
        tool.content = news.content
    if news.locations is not None:
        tool.locations = news.locations
    if news.raw_input is not None:
        tool.raw_input = news.raw_input
    if news.raw_output is not None:
        tool.raw_output = news.raw_output
    return True
