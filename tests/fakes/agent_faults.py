"""Words of the fault agent that break something: deaths, silence, floods, bad lines, late text.

A word is a function of the turn and of the rest of its line, and may block. The harmless ones are in `agent_words`,
the questions in `agent_asks`.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import threading
import time

from tests.fakes.agent_turn import Answered, Json, RpcError, Turn, report
from tests.fakes.agent_words import Word

__all__ = ["FAULTS", "stderr_noise"]

ORPHAN_LIVES = "60"  # seconds, should a test forget it

HOSTILE: list[object] = [
    None,
    5,
    [],
    {"sessionId": "SELF"},
    {"sessionId": "SELF", "update": None},
    {"sessionId": "SELF", "update": "text"},
    {"sessionId": 5, "update": {"sessionUpdate": "agent_message_chunk"}},
    *(
        {"sessionId": "SELF", "update": update}
        for update in (
            {},
            {"sessionUpdate": 7},
            {"sessionUpdate": "agent_message_chunk"},
            {"sessionUpdate": "agent_message_chunk", "content": "bare"},
            {"sessionUpdate": "agent_message_chunk", "content": {"type": "text", "text": 5}},
            {"sessionUpdate": "agent_message_chunk", "content": {"type": "image", "data": None}},
            {"sessionUpdate": "tool_call", "toolCallId": 7, "title": None},
            {"sessionUpdate": "tool_call", "title": "no id"},
            {"sessionUpdate": "tool_call_update", "toolCallId": "t", "content": {"type": "diff"}, "locations": 3},
            {"sessionUpdate": "plan", "entries": {"content": "not a list"}},
            {"sessionUpdate": "plan", "entries": [None, 5, {"content": None}]},
            {"sessionUpdate": "available_commands_update", "availableCommands": None},
            {"sessionUpdate": "current_mode_update", "currentModeId": {}},
            {"sessionUpdate": "config_option_update", "configOptions": [{"id": None}, 5]},
            {"sessionUpdate": "session_info_update", "title": 5},
            {"sessionUpdate": "usage_update", "used": "many", "size": None, "cost": 3},
        )
    ),
]


# ---- deaths ----


def _crash(turn: Turn, rest: str) -> None:
    print("fatal: asked to crash", file=sys.stderr, flush=True)
    os._exit(int(rest or 70))


def _crash_after_text(turn: Turn, rest: str) -> None:
    turn.say(rest or "half an ans")
    _crash(turn, "")


def _exit0(turn: Turn, rest: str) -> None:
    os._exit(0)


def _orphan(turn: Turn, rest: str) -> None:
    child = subprocess.Popen(["sleep", ORPHAN_LIVES], stdin=subprocess.DEVNULL)
    turn.say(str(child.pid))
    _crash(turn, "")


def _double_fork(turn: Turn, rest: str) -> None:
    code = (
        "import subprocess, sys;"
        f"print(subprocess.Popen(['sleep', '{ORPHAN_LIVES}'], stderr=subprocess.DEVNULL).pid, file=sys.stderr)"
    )
    middle = [sys.executable, "-S", "-c", code]
    done = subprocess.run(middle, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, start_new_session=True, check=True)
    turn.say(done.stderr.decode().strip())


def _close_stdout(turn: Turn, rest: str) -> None:
    turn.say(rest or "last words")
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)  # the pipe is closed, and nothing else can take its number
    threading.Event().wait()


# ---- silence and floods ----


def _hang(turn: Turn, rest: str) -> None:
    turn.wait()


def _ignore(turn: Turn, rest: str) -> None:
    threading.Event().wait()


def _drip(turn: Turn, rest: str) -> None:
    interval, *more = rest.split() or ["1"]
    for number in itertools.count():
        turn.update("agent_thought_chunk", content={"type": "text", "text": f"drip {number} "})
        _wait(turn, float(interval), ignoring="ignore" in more)


def _wait(turn: Turn, seconds: float, ignoring: bool) -> None:
    if ignoring:
        time.sleep(seconds)
    else:
        turn.wait(seconds)


def _flood(turn: Turn, rest: str) -> None:
    line = turn.wire.encode(
        turn.wire.update(turn.session, {"sessionUpdate": "agent_message_chunk", "content": _text("f" * 900)})
    )
    rate = float(rest or 0)  # bytes a second; 0 is as fast as the pipe takes them
    started, sent = time.monotonic(), 0
    while True:
        turn.wire.write(line)
        sent += len(line)
        turn.wait(max(0.0, started + sent / rate - time.monotonic()) if rate else 0)


def _text(text: str) -> Json:
    return {"type": "text", "text": text}


def _gate(turn: Turn, rest: str) -> None:
    turn.gate(rest)


def _stderr(turn: Turn, rest: str) -> None:
    stderr_noise(int(rest or 100))


def stderr_noise(lines: int) -> None:
    """Write lines that a log must not show as they are: escape sequences, a bell, and what looks like a key."""
    for number in range(lines):
        print(f"\x1b[31mnoise {number}\x1b[0m\x07 api_key=sk-ant-fake0123456789abcdefghij", file=sys.stderr)
    sys.stderr.flush()


# ---- bad lines ----


def _garbage(turn: Turn, rest: str) -> None:
    turn.wire.write(b"".join(b"[WARN] not json %d {\n" % number for number in range(int(rest or 10))))
    turn.say("after the garbage")


def _blank_lines(turn: Turn, rest: str) -> None:
    turn.wire.write(b"\n\r\n   \n\n")
    turn.say("after blank lines")


def _invalid_utf8(turn: Turn, rest: str) -> None:
    turn.wire.write(b'{"jsonrpc": "2.0", "method": "x", "params": "\xff\xfe"}\n\x80\x81\n')
    turn.say("after invalid UTF-8")


def _lone_cr(turn: Turn, rest: str) -> None:
    turn.wire.write(b" 10%\r 20%\r100%\r\n\r")
    turn.say("after a progress bar")


def _batch(turn: Turn, rest: str) -> None:
    turn.wire.write(b'[{"jsonrpc": "2.0", "id": 1, "method": "x"}, {"jsonrpc": "2.0", "method": "y"}]\n')
    report(turn, "batch", turn.wire.wait_for(None))


def _toolong(turn: Turn, rest: str) -> None:
    left = int(rest or (64 << 20) + 1024)
    while left > 0:
        turn.wire.write(b"x" * min(left, 1 << 20))
        left -= 1 << 20
    turn.wait()


def _surrogate(turn: Turn, rest: str) -> None:
    turn.say("lone \ud83d surrogate")


def _u2028(turn: Turn, rest: str) -> None:
    update = {"sessionUpdate": "agent_message_chunk", "content": _text("one\u2028two\u2029three\u0085four")}
    turn.wire.write(turn.wire.encode(turn.wire.update(turn.session, update), ascii_only=False))


def _hostile(turn: Turn, rest: str) -> None:
    for params in HOSTILE:
        message = {"jsonrpc": "2.0", "method": "session/update", "params": params}
        turn.wire.write(json.dumps(message).replace("SELF", turn.session).encode() + b"\n")
    turn.say("still there?")


# ---- answers ----


def _late(turn: Turn, rest: str) -> None:
    seconds, _, text = rest.partition(" ")
    turn.after.append(lambda: time.sleep(float(seconds)))
    turn.after.append(lambda: turn.say(text or "late text"))


def _late_on(turn: Turn, rest: str) -> None:
    file, _, text = rest.partition(" ")
    turn.after.append(lambda: turn.gate(file))
    turn.after.append(lambda: turn.say(text or "late text"))


def _late_next(turn: Turn, rest: str) -> None:
    turn.say("early ", messageId="late-1")
    turn.at_next.append(lambda: turn.say(rest or "late text", messageId="late-1"))


def _late_usage(turn: Turn, rest: str) -> None:
    turn.say("usage follows")
    turn.after.append(lambda: turn.update("usage_update", used=1, size=2))


def _answer_twice(turn: Turn, rest: str) -> None:
    turn.say("twice")
    turn.after.append(turn.answer)


def _answer_unknown_id(turn: Turn, rest: str) -> None:
    for id in (999_999, "nobody", None):
        turn.wire.send({"id": id, "result": {"stopReason": "refusal"}})
    turn.say("nobody asked")


def _wrong_session(turn: Turn, rest: str) -> None:
    turn.wire.send(
        turn.wire.update("another", {"sessionUpdate": "agent_message_chunk", "content": _text("for somebody else")})
    )
    turn.say("for you")


def _late_answer_after_cancel(turn: Turn, rest: str) -> None:
    turn.result = {"stopReason": "cancelled"}
    turn.at_next.append(turn.answer)
    turn.cancelled.wait()
    raise Answered


def _cancel_error(turn: Turn, rest: str) -> None:
    turn.tool("Runs until cancelled")
    turn.cancelled.wait()
    turn.from_now_on = "Queued for the next turn. (1 queued)"
    raise RpcError({"code": -32603, "message": "'NoneType' object has no attribute 'startswith'"})


FAULTS: dict[str, Word] = {
    "crash": _crash,
    "crash_after_text": _crash_after_text,
    "exit0": _exit0,
    "orphan": _orphan,
    "double_fork": _double_fork,
    "close_stdout": _close_stdout,
    "hang": _hang,
    "ignore": _ignore,
    "drip": _drip,
    "flood": _flood,
    "gate": _gate,
    "stderr": _stderr,
    "garbage": _garbage,
    "blank_lines": _blank_lines,
    "invalid_utf8": _invalid_utf8,
    "lone_cr": _lone_cr,
    "batch": _batch,
    "toolong": _toolong,
    "surrogate": _surrogate,
    "u2028": _u2028,
    "hostile": _hostile,
    "late": _late,
    "late_on": _late_on,
    "late_next": _late_next,
    "late_usage": _late_usage,
    "answer_twice": _answer_twice,
    "answer_unknown_id": _answer_unknown_id,
    "wrong_session": _wrong_session,
    "late_answer_after_cancel": _late_answer_after_cancel,
    "cancel_error": _cancel_error,
}
