"""Wire structs to events: the agents' many shapes become our few words. Pure functions; nothing is remembered here.

What concerns options, modes and models is in `options`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import UNSET

from ..errors import AgentRefused, AuthRequired
from . import answers, schema
from .events import (
    AuthMethod,
    Command,
    CommandsChanged,
    Diff,
    Event,
    Failed,
    Link,
    Media,
    Noise,
    Output,
    PermissionOption,
    PlanChanged,
    PlanEntry,
    Said,
    SessionInfo,
    StoredSession,
    Thought,
    ToolChanged,
    UsageChanged,
)
from .outgoing import Capabilities
from .salvage import Loss, fit

__all__ = [
    "auth_methods",
    "capabilities",
    "error_from",
    "error_of",
    "output_tokens",
    "permission_options",
    "permission_tool",
    "stop_reason",
    "stored_sessions",
    "tool",
    "total_tokens",
    "update",
    "usage_of_result",
]

AUTH_REQUIRED = -32000
_MESSAGE_LIMIT = 2000  # characters of an error's text: some agents send a whole page of HTML along
_TOKEN_NAMES = ("outputTokens", "output_tokens", "completionTokens", "completion_tokens")
_INPUT_NAMES = ("inputTokens", "input_tokens", "promptTokens", "prompt_tokens")
_TOTAL_NAMES = ("totalTokens", "total_tokens")


# Updates.


def update(news: schema.Update) -> Event | None:
    """Return the event that an update is; None for one that has nothing to show or is about options."""
    match news:
        case schema.AgentChunk():
            return said(news.content, news.message_id)
        case schema.ToolCall() | schema.ToolUpdate():
            return tool(news)
        case schema.PlanUpdate():
            return PlanChanged(tuple(_plan_entry(item) for item in news.entries))
        case schema.UsageUpdate():
            return _usage(news)
        case schema.CommandsUpdate():
            return CommandsChanged(tuple(_command(entry) for entry in news.available_commands))
        case schema.InfoUpdate():
            return None if news.title is UNSET else SessionInfo(news.title or "")
        case schema.ThoughtChunk():
            return _thought(news)
        case _:
            return None


def _thought(news: schema.ThoughtChunk) -> Event | None:
    if not isinstance(news.content, schema.TextContent):
        return Noise("a thought that is no text")
    return Thought(news.content.text, news.message_id) if news.content.text else None


def said(block: schema.Content, message_id: str | None) -> Said | Media | Link | None:
    """Return what a block in the agent's answer is; None for empty text, which opens or closes messages in some."""
    match block:
        case schema.TextContent():
            return Said(block.text, message_id) if block.text else None
        case schema.LinkContent():
            size = _integer(block.size)
            return Link(block.uri, block.name or "", block.mime_type or "", size, message_id)
        case schema.ImageContent():
            return Media("image", block.mime_type or "", block.data, None, block.uri or "", message_id)
        case schema.AudioContent():
            return Media("audio", block.mime_type or "", block.data, message_id=message_id)
        case schema.ResourceContent():
            found = block.resource
            return Media("resource", found.mime_type or "", found.blob, found.text, found.uri or "", message_id)


def tool(news: schema.ToolNews) -> ToolChanged:
    """Return the change that a tool call, its update, or the description in a permission request stands for."""
    content = None
    if news.content is not None:
        content = tuple(item for item in map(_tool_item, news.content) if item is not None)
    locations = None if news.locations is None else tuple(place.path for place in news.locations)
    return ToolChanged(
        news.tool_call_id, news.title, news.kind, news.status, content, locations, news.raw_input, news.raw_output
    )


def _tool_item(item: schema.ToolItem) -> Output | Diff | Media | Link | None:
    if isinstance(item, schema.DiffItem):
        return Diff(item.path, item.old_text, item.new_text or "")
    if isinstance(item, schema.TerminalItem):
        return None  # attached by some although we offer no terminals; there is nothing to fetch from it
    shown = said(item.content, None)
    return Output(shown.text) if isinstance(shown, Said) else shown


def _plan_entry(item: schema.PlanItem) -> PlanEntry:
    return PlanEntry(item.content, item.status or "pending", item.priority or "medium")


def _command(entry: schema.CommandEntry) -> Command:
    hint = entry.input.hint if entry.input is not None else None
    return Command(entry.name.lstrip("/"), entry.description or "", hint or "")


def _usage(news: schema.UsageUpdate) -> UsageChanged:
    cost = news.cost or schema.Cost()
    amount = None if cost.amount is None else float(cost.amount)
    return UsageChanged(_integer(news.used), _integer(news.size), amount, cost.currency or "")


def _integer(number: object) -> int | None:
    return int(number) if isinstance(number, int | float) and not isinstance(number, bool) else None


# Permission requests.


def permission_options(raw: object, losses: list[Loss]) -> tuple[PermissionOption, ...]:
    """Return the options of a permission request, each id once."""
    entries = fit(raw, list[answers.PermissionEntry], losses) if raw is not None else None
    options: dict[str, PermissionOption] = {}
    for entry in entries or ():
        option = PermissionOption(entry.option_id, entry.name or entry.option_id, entry.kind or "")
        options.setdefault(entry.option_id, option)
    return tuple(options.values())


def permission_tool(raw: object, losses: list[Loss]) -> ToolChanged:
    """Return what a permission request says of its tool call, however little: even the id may be missing."""
    given = raw if isinstance(raw, dict) else {}
    known = {**given, "toolCallId": given.get("toolCallId") if isinstance(given.get("toolCallId"), str) else ""}
    news = fit(known, schema.ToolNews, losses)
    return ToolChanged("") if news is None else tool(news)


# The answer to `initialize`.


def capabilities(given: answers.AgentCapabilities | None) -> Capabilities:
    """Return what the agent can do. A capability is there if its member is, be it `true` or an object."""
    agent = given or answers.AgentCapabilities()
    prompt = agent.prompt_capabilities or answers.PromptCapabilities()
    mcp = agent.mcp_capabilities or answers.McpCapabilities()
    session = agent.session_capabilities or answers.SessionCapabilities()
    return Capabilities(
        load=_is_yes(agent.load_session),
        resume=_is_yes(session.resume),
        list=_is_yes(session.list),
        close=_is_yes(session.close),
        delete=_is_yes(session.delete),
        image=_is_yes(prompt.image),
        audio=_is_yes(prompt.audio),
        embedded=_is_yes(prompt.embedded_context),
        http=_is_yes(mcp.http),
        sse=_is_yes(mcp.sse),
    )


def _is_yes(member: object) -> bool:
    return member is True or isinstance(member, dict)


def auth_methods(ways: Sequence[answers.AuthWay] | None) -> tuple[AuthMethod, ...]:
    """Return the ways to log in. Vendors hide a command for the terminal in `_meta["terminal-auth"]`."""
    return tuple(_auth_method(way) for way in ways or ())


def _auth_method(way: answers.AuthWay) -> AuthMethod:
    hidden = (way.meta or {}).get("terminal-auth")
    vendor: dict[str, Any] = hidden if isinstance(hidden, dict) else {}
    own = [*way.args] if way.args is not None else None
    command = vendor.get("command") if own is None else None
    args = vendor.get("args") if own is None else own
    env = vendor.get("env") if way.env is None else way.env
    return AuthMethod(
        way.id,
        way.name or way.id,
        way.description or "",
        way.type or "agent",
        tuple(arg for arg in args if isinstance(arg, str)) if isinstance(args, list) else (),
        _pairs(env),
        command if isinstance(command, str) else "",
    )


def _pairs(env: object) -> tuple[tuple[str, str], ...]:
    """Return an environment that came as an object or as a list of names and values."""
    if isinstance(env, list):
        items = [(item.get("name"), item.get("value")) for item in env if isinstance(item, dict)]
    else:
        items = list(env.items()) if isinstance(env, dict) else []
    return tuple((name, value) for name, value in items if isinstance(name, str) and isinstance(value, str))


# The end of a turn.


def stop_reason(method: str, result: dict[str, object]) -> str:
    """Return why the turn has ended, "" if this answer does not end one.

    The one place that knows how a turn ends: in version 1 by the answer to its prompt. (The draft of version 2 moves it
    to an update.) An answer without a reason is "unknown", for "end_turn" would be a guess.
    """
    if method != "session/prompt":
        return ""
    reason = result.get("stopReason")
    return reason if isinstance(reason, str) and reason else "unknown"


def output_tokens(result: dict[str, object]) -> int | None:
    """Return the number of tokens that the agent says it produced in this turn, wherever it says so."""
    return _tokens(result, _TOKEN_NAMES)


def total_tokens(result: dict[str, object]) -> int | None:
    """Return the number of tokens, read and written, that the agent says this turn took, None if it does not say."""
    total = _tokens(result, _TOTAL_NAMES)
    parts = [_tokens(result, _INPUT_NAMES), _tokens(result, _TOKEN_NAMES)] if total is None else [total]
    known = [count for count in parts if count is not None]
    return sum(known) if known else None


def _tokens(result: dict[str, object], names: Sequence[str]) -> int | None:
    found = (_find_tokens(place, names, 3) for place in (result.get("usage"), result.get("_meta")))
    return next((count for count in found if count is not None), None)


def _find_tokens(place: object, names: Sequence[str], depth: int) -> int | None:
    if not isinstance(place, dict) or not depth:
        return None
    for name in names:
        if (count := _integer(place.get(name))) is not None:
            return count
    found = (_find_tokens(member, names, depth - 1) for member in place.values())
    return next((count for count in found if count is not None), None)


def usage_of_result(result: dict[str, object]) -> UsageChanged | None:
    """Return the cost in a prompt's answer, None if it names none.

    Its tokens are those of the turn, not what the context holds: they are `output_tokens`'s, and nobody's `used`.
    """
    usage = result.get("usage")
    if not isinstance(usage, dict):
        return None
    cost = usage.get("cost")
    amount = cost.get("amount") if isinstance(cost, dict) else cost
    currency = cost.get("currency") if isinstance(cost, dict) else None
    price = float(amount) if isinstance(amount, int | float) and not isinstance(amount, bool) else None
    if price is None:
        return None
    return UsageChanged(None, None, price, currency if isinstance(currency, str) else "")


# Sessions.


def stored_sessions(result: dict[str, object]) -> tuple[tuple[StoredSession, ...], str]:
    """Return the sessions that an answer to `session/list` names, each once, and the cursor for more ("": no more)."""
    found: dict[str, StoredSession] = {}
    listed = result.get("sessions")
    for value in listed if isinstance(listed, list) else ():
        entry = fit(value, answers.SessionEntry, [])  # an entry that is none can neither be shown nor resumed
        if entry is not None and entry.session_id:
            known = StoredSession(entry.session_id, entry.cwd or "", entry.title or "", entry.updated_at or "")
            found.setdefault(entry.session_id, known)
    cursor = result.get("nextCursor")
    return tuple(found.values()), cursor if isinstance(cursor, str) else ""


# Errors.


def error_of(error: object) -> tuple[int, str, object]:
    """Return the code, the best text for people, and the data of an error, whatever was sent for one."""
    if not isinstance(error, dict):
        return -32603, _shortened(error) if isinstance(error, str) and error else "error −32603", error
    code = _integer(error.get("code"))
    code = -32603 if code is None else code
    texts: list[str] = []
    for text in (error.get("message"), *_texts(error.get("data"))):
        if isinstance(text, str) and text.strip():
            _add(texts, text.strip())
    message = ": ".join(text.rstrip(":") for text in texts) or f"error −{-code}".replace("−-", "")
    return code, _shortened(message), error.get("data")


def _shortened(text: str) -> str:
    """The mark tells whoever hides secrets that something was cut off there."""
    return text if len(text) <= _MESSAGE_LIMIT else text[:_MESSAGE_LIMIT] + "…"


def _texts(data: object) -> tuple[object, ...]:
    if isinstance(data, dict):
        inner = data.get("error")
        return (data.get("details"), data.get("message"), *(_texts(inner) if inner is not data else ()))
    return (data,)


def _add(texts: list[str], text: str) -> None:
    """Add a text that says something new; one that says all of another and more takes its place."""
    if any(text.lower() in known.lower() for known in texts):
        return
    texts[:] = [known for known in texts if known.lower() not in text.lower()]
    texts.append(text)


def error_from(failed: Failed, methods: Sequence[AuthMethod] = ()) -> AgentRefused | AuthRequired:
    """Return the error that a failed request is to our caller: who must log in first is told how."""
    if failed.code != AUTH_REQUIRED:
        return AgentRefused(failed.message, code=failed.code, data=failed.data)
    return AuthRequired(failed.message, methods=[method.name or method.id for method in methods], data=failed.data)
