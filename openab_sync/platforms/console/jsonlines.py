"""Events as JSON lines, for programs: `openab-sync chat --json`. Pure.

Every line is one object with `event` (its kind) and `conversation`; members may be added, never renamed or removed.

    turn_started   messages
    said           text, message_id
    thought        text, message_id
    tool           id, title, kind, status, locations, and `content`, a list of
                       {"type": "output", text} · {"type": "diff", path, old, new} · media and link as below
    plan           entries: [{content, status, priority}]
    usage          used, size, cost, currency
    media          kind, mime, uri, and data (base64) or text
    link           uri, name, mime, size
    title          title
    notice         text
    settled        question: {title, options: [{id, name, kind}]}, text
    turn_ended     outcome, reason, stop_reason, seconds, footer

What a tool was given (`raw_input`) is left out: it is the agent's own shape, and may hold what is secret.
"""

from __future__ import annotations

import json

from ...core import events as acp
from ...core.message import Conversation
from ...core.port import Notice, Settled, TurnEnded, TurnEvent, TurnStarted

__all__ = ["json_line"]

Json = dict[str, object]


def json_line(conversation: Conversation, event: TurnEvent) -> str:
    """Return `event` as one line of JSON with its newline; ASCII, so that no terminal can trip over it."""
    kind, members = _members(event)
    return json.dumps({"event": kind, "conversation": conversation.key, **members}) + "\n"


def _members(event: TurnEvent) -> tuple[str, Json]:
    match event:
        case acp.Said():
            return "said", {"text": event.text, "message_id": event.message_id}
        case acp.Thought():
            return "thought", {"text": event.text, "message_id": event.message_id}
        case acp.ToolChanged():
            return "tool", _tool(event)
        case acp.PlanChanged():
            entries = [{"content": e.content, "status": e.status, "priority": e.priority} for e in event.entries]
            return "plan", {"entries": entries}
        case acp.Media() | acp.Link():
            return _part(event)
        case TurnEnded():
            names = ("outcome", "reason", "stop_reason", "seconds", "footer")
            return "turn_ended", {name: getattr(event, name) for name in names}
    return _small(event)


def _small(event: acp.UsageChanged | acp.SessionInfo | Notice | Settled | TurnStarted) -> tuple[str, Json]:
    match event:
        case acp.UsageChanged():
            names = ("used", "size", "cost", "currency")
            return "usage", {name: getattr(event, name) for name in names}
        case acp.SessionInfo():
            return "title", {"title": event.title}
        case Notice():
            return "notice", {"text": event.text}
        case Settled():
            options = [{"id": o.option_id, "name": o.name, "kind": o.kind} for o in event.question.options]
            return "settled", {"question": {"title": event.question.title, "options": options}, "text": event.text}
        case TurnStarted():
            return "turn_started", {"messages": [ref.id for ref in event.refs]}


def _tool(tool: acp.ToolChanged) -> Json:
    """Only what is news: a member that is absent has not changed."""
    news: Json = {"id": tool.call_id, "title": tool.title, "kind": tool.kind, "status": tool.status}
    if tool.locations is not None:
        news["locations"] = list(tool.locations)
    if tool.content is not None:
        news["content"] = [{"type": kind, **members} for kind, members in map(_part, tool.content)]
    return {name: value for name, value in news.items() if value is not None}


def _part(part: acp.Output | acp.Diff | acp.Media | acp.Link) -> tuple[str, Json]:
    match part:
        case acp.Output():
            return "output", {"text": part.text}
        case acp.Diff():
            return "diff", {"path": part.path, "old": part.old, "new": part.new}
        case acp.Link():
            return "link", {"uri": part.uri, "name": part.name, "mime": part.mime, "size": part.size}
        case acp.Media():
            content = {"data": part.data} if part.data is not None else {"text": part.text}
            return "media", {"kind": part.kind, "mime": part.mime, "uri": part.uri, **content}
