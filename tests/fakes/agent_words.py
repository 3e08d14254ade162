"""Words of the fault agent that say something: text, blocks, tools, updates, stop reasons, and what it knows.

A word is a function of the turn and of the rest of its line. The words that break something are in `agent_faults`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable

from tests.fakes.agent_turn import Json, RpcError, Turn

__all__ = ["WORDS", "Word"]

Word = Callable[[Turn, str], None]

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
ERRORS: dict[str, object] = {
    "details": {"code": -32603, "message": "Internal error", "data": {"details": "the model is on holiday"}},
    "message": {"code": -32603, "message": "Internal error", "data": {"message": "quota exceeded (429)"}},
    "nomessage": {"code": -32603, "data": {"details": "only details"}},
    "string": {"code": -32603, "message": "Internal error", "data": "plain data"},
    "bare": "just a string",
    "auth": {"code": -32000, "message": "Authentication required"},
}


# ---- text ----


def _say(turn: Turn, rest: str) -> None:
    turn.say(rest.replace("\\n", "\n"))


def _chunks(turn: Turn, rest: str) -> None:
    count, size = (int(number) for number in rest.split())
    for number in range(count):
        turn.say(f"{number:<{size}}"[:size])


def _huge(turn: Turn, rest: str) -> None:
    turn.say("x" * int(rest or 1_000_000))


def _empty_chunks(turn: Turn, rest: str) -> None:
    turn.say("")
    turn.say(rest or "between")
    turn.say("")


def _message_ids(turn: Turn, rest: str) -> None:
    for id, text in (("m1", "first "), ("m1", "message"), ("m2", "second message")):
        turn.say(text, messageId=id)


def _echo_user(turn: Turn, rest: str) -> None:
    turn.update("user_message_chunk", content=turn.blocks[0])
    turn.say("your own words came back")


def _thought(turn: Turn, rest: str) -> None:
    turn.update("agent_thought_chunk", content={"type": "text", "text": rest or "hm"})


# ---- other blocks ----


def _image_out(turn: Turn, rest: str) -> None:
    turn.block(type="image", data=PNG, mimeType="image/png")


def _audio_out(turn: Turn, rest: str) -> None:
    turn.block(type="audio", data="UklGRg==", mimeType="audio/wav")


def _resource_out(turn: Turn, rest: str) -> None:
    turn.block(type="resource", resource={"uri": "file:///made/up.txt", "text": "inside", "mimeType": "text/plain"})
    turn.block(type="resource_link", uri="file:///made/up.pdf", name="up.pdf")


def _terminal_content(turn: Turn, rest: str) -> None:
    tool = turn.tool("make", content=[{"type": "terminal", "terminalId": "term-1"}])
    turn.end_tool(tool)


# ---- tools ----


def _tools_only(turn: Turn, rest: str) -> None:
    for title in ("Read a", "Edit b"):
        turn.end_tool(turn.tool(title))


def _tool_twice(turn: Turn, rest: str) -> None:
    tool = turn.tool("Build")
    turn.update("tool_call", toolCallId=tool, title="Build", kind="execute", status="in_progress")
    turn.end_tool(tool)


def _update_first(turn: Turn, rest: str) -> None:
    tool = turn.new_tool()
    turn.update("tool_call_update", toolCallId=tool, status="in_progress", title="Late news")
    turn.update("tool_call", toolCallId=tool, title="Late news", kind="read", status="in_progress")
    turn.end_tool(tool)


def _tool_unfinished(turn: Turn, rest: str) -> None:
    turn.tool("Never ends")


def _title_refine(turn: Turn, rest: str) -> None:
    tool = turn.tool("bash")
    turn.update("tool_call_update", toolCallId=tool, title="ls -l\n`now`")
    turn.end_tool(tool)


def _repeat_tools(turn: Turn, rest: str) -> None:
    for _ in range(int(rest or 5)):
        turn.end_tool(turn.tool("Read the same"))


def _tool_failed(turn: Turn, rest: str) -> None:
    text = {"type": "text", "text": "exit status 1"}
    turn.end_tool(turn.tool("make"), "failed", content=[{"type": "content", "content": text}])


def _diff(turn: Turn, rest: str) -> None:
    diff = {"type": "diff", "path": "/tmp/file.txt", "oldText": None, "newText": "new\n"}
    turn.end_tool(turn.tool("Edit file.txt", "edit", content=[diff]))


# ---- other updates ----


def _usage(turn: Turn, rest: str) -> None:
    turn.update("usage_update", used=1200, size=200_000, cost={"amount": 0.25, "currency": "USD"})


def _float_numbers(turn: Turn, rest: str) -> None:
    turn.update("usage_update", used=1200.0, size=2e5, cost={"amount": 1, "currency": "USD"})


def _plan(turn: Turn, rest: str) -> None:
    for state in ("in_progress", "completed"):
        turn.update("plan", entries=[{"content": "Do it", "priority": "high", "status": state}])


def _commands(turn: Turn, rest: str) -> None:
    commands: list[Json] = [
        {"name": "web", "description": "Search", "input": {"hint": "what"}},
        {"name": "test", "description": "Run", "input": None},
    ]
    turn.update("available_commands_update", availableCommands=commands)


def _mode_update(turn: Turn, rest: str) -> None:
    turn.update("current_mode_update", currentModeId=rest or "auto")


def _options_update(turn: Turn, rest: str) -> None:
    choice = {"id": "speed", "name": "Speed", "type": "select", "currentValue": "fast"}
    options = [{"value": "fast", "name": "Fast"}, {"value": "slow", "name": "Slow"}]
    turn.update("config_option_update", configOptions=[{**choice, "options": options}])


def _session_info(turn: Turn, rest: str) -> None:
    turn.update("session_info_update", title=rest or "A title", updatedAt="2026-11-23T12:00:00Z")


def _prompt_title(turn: Turn, rest: str) -> None:
    """The title is the beginning of the whole prompt, as some agents have it."""
    whole = " ".join(" ".join(block.get("text", "") for block in turn.blocks).split())
    turn.update("session_info_update", title=whole[:60], updatedAt="2026-11-23T12:00:00Z")


def _unknown_update(turn: Turn, rest: str) -> None:
    turn.update("weather_report", sky="blue")
    turn.say("fine weather")


def _unknown_block(turn: Turn, rest: str) -> None:
    turn.block(type="hologram", beams=3)
    turn.say("seen it?")


# ---- how a turn ends ----


def _empty(turn: Turn, rest: str) -> None:
    """Nothing at all, then end_turn."""


def _zero_tokens(turn: Turn, rest: str) -> None:
    turn.result["usage"] = {"inputTokens": 10, "outputTokens": 0, "totalTokens": 10}


def _tokens(turn: Turn, rest: str) -> None:
    turn.result["usage"] = {"inputTokens": 10, "outputTokens": 5, "totalTokens": 15}
    turn.result["_meta"] = {"quota": {"token_count": {"input_tokens": 10, "output_tokens": 5}}}
    turn.say("counted")


def _null_result(turn: Turn, rest: str) -> None:
    turn.result = None


def _stop(turn: Turn, rest: str) -> None:
    turn.result["stopReason"] = rest or "max_tokens"


def _error(turn: Turn, rest: str) -> None:
    raise RpcError(ERRORS.get(rest or "details", {"code": -32603, "message": rest}))


# ---- what it knows ----


def _env(turn: Turn, rest: str) -> None:
    turn.say(json.dumps(dict(os.environ)))


def _cwd(turn: Turn, rest: str) -> None:
    turn.say(os.getcwd())


def _pid(turn: Turn, rest: str) -> None:
    turn.say(json.dumps({"pid": os.getpid(), "pgid": os.getpgid(0), "sid": os.getsid(0), **turn.pids}))


def _fds(turn: Turn, rest: str) -> None:
    turn.say(json.dumps(sorted(fd for fd in range(4096) if _is_open(fd))))


def _is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


def _recall(turn: Turn, rest: str) -> None:
    turn.say(json.dumps([text for who, text in turn.history if who == "user"]))


def _blocks(turn: Turn, rest: str) -> None:
    turn.say(json.dumps(turn.blocks))


WORDS: dict[str, Word] = {
    "say": _say,
    "chunks": _chunks,
    "huge": _huge,
    "empty_chunks": _empty_chunks,
    "message_ids": _message_ids,
    "echo_user": _echo_user,
    "thought_only": _thought,
    "image_out": _image_out,
    "audio_out": _audio_out,
    "resource_out": _resource_out,
    "terminal_content": _terminal_content,
    "tools_only": _tools_only,
    "tool_twice": _tool_twice,
    "update_first": _update_first,
    "tool_unfinished": _tool_unfinished,
    "title_refine": _title_refine,
    "repeat_tools": _repeat_tools,
    "tool_failed": _tool_failed,
    "diff": _diff,
    "usage": _usage,
    "empty_usage": _usage,
    "float_numbers": _float_numbers,
    "plan": _plan,
    "commands": _commands,
    "mode_update": _mode_update,
    "options_update": _options_update,
    "session_info": _session_info,
    "prompt_title": _prompt_title,
    "unknown_update": _unknown_update,
    "unknown_block": _unknown_block,
    "empty": _empty,
    "zero_tokens": _zero_tokens,
    "tokens": _tokens,
    "null_result": _null_result,
    "stop": _stop,
    "error": _error,
    "env": _env,
    "cwd": _cwd,
    "pid": _pid,
    "fds": _fds,
    "recall": _recall,
    "blocks": _blocks,
}
