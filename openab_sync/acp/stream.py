"""Many small chunks of text made few: the one loop that must be fast.

An agent streams a word at a time and a read brings hundreds of them. Everything behind this room costs per message, so
chunks that will be one paragraph anyway become one before they get there. Pure.
"""

from __future__ import annotations

from msgspec import UNSET

from .schema import AgentChunk, Frame, TextContent, ThoughtChunk
from .wire import Item

__all__ = ["join"]

Chunk = AgentChunk | ThoughtChunk


def join(items: list[Item]) -> list[Item]:
    """Return the items with each run of text folded into its first chunk, which is changed in place.

    A run is what follows each other directly and has the same session, kind and `messageId`. The order stays.
    """
    joined: list[Item] = []
    head: Chunk | None = None  # the first chunk of the run
    owner: str | None = None  # its session
    message_id: str | None = None
    texts: list[str] = []
    for item in items:
        # These tests are spelled out, not called: they are half of what a chunk costs here.
        if (
            type(item) is Frame
            and item.method == "session/update"
            and (params := item.params) is not None
            and (type(news := params.update) is AgentChunk or type(news) is ThoughtChunk)
            and type(news.content) is TextContent
            and item.id is UNSET
        ):
            if type(news) is type(head) and news.message_id == message_id and params.session_id == owner:
                texts.append(news.content.text)
                continue
            _close(head, texts)
            head, owner, message_id, texts = news, params.session_id, news.message_id, [news.content.text]
        else:
            _close(head, texts)
            head = None
        joined.append(item)
    _close(head, texts)
    return joined


def _close(head: Chunk | None, texts: list[str]) -> None:
    if head is not None and len(texts) > 1:
        head.content = TextContent("".join(texts))
