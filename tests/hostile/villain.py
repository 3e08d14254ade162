"""An agent that means harm. The first word of the prompt says which.

`questions N`: asks so many at once · `late N`: asks so many when its turn is over · `titles BYTES`: titles of a tool,
the session, a step and a file, so large · `fork N`: so many children, each in a session of its own, that ignore SIGTERM
· `hide N`: the same, and their parents have ended · `bomb N`: processes that fork and end their parents, so many in all
· `flood MB`: control characters · `line MB`: a line that does not end · `pings N`: names everybody ($PINGS) so often,
and wherever something can be named · `controls`: what terminals obey, whom to ping, what cannot be seen, and a question
that is none · `paths`: names that lead elsewhere · `lies SESSION`: answers, updates and questions with ids that are not
ours, or are that session's · `deaf`: neither the end of its stdin nor SIGTERM nor a cancel ends it · `say TEXT`: what a
good one does.

What it gets is written into the file that is its argument, if there is one.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable

SESSION = f"villains-session-{os.getpid()}"


def send(**message: object) -> None:
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")


def update(what: str, session: str = SESSION, **fields: object) -> None:
    send(method="session/update", params={"sessionId": session, "update": {"sessionUpdate": what, **fields}})


def say(text: str, kind: str = "agent_message_chunk") -> None:
    update(kind, content={"type": "text", "text": text})


def ask(id: object, title: str = "rm -rf /", session: str = SESSION) -> None:
    kinds = {"yes": "allow_once", "no": "reject_once"}
    options = [{"optionId": name, "name": name, "kind": kind} for name, kind in kinds.items()]
    call = {"toolCallId": f"t{id}", "title": title, "kind": "execute"}
    params = {"sessionId": session, "toolCall": call, "options": options}
    send(id=id, method="session/request_permission", params=params)


def questions(rest: str) -> None:
    for number in range(int(rest)):
        ask(f"q{number}", f"question {number}")


def titles(rest: str) -> None:
    long = "W" * int(rest)
    update("tool_call", toolCallId="t", title=long, kind=long[:1000], status="in_progress", rawInput={"command": long})
    update("session_info_update", title=long)
    update("plan", entries=[{"content": long, "status": "pending", "priority": "high"}])
    update("agent_message_chunk", content={"type": "resource_link", "uri": f"file:///{long}", "name": long})
    update("tool_call_update", toolCallId="t", status="completed")
    say("done with titles")


def fork(rest: str) -> None:
    pids = []
    for _ in range(min(int(rest), 50)):
        pid = os.fork()
        if pid == 0:
            os.setsid()
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            time.sleep(600)
            os._exit(0)
        pids.append(pid)
    say(json.dumps(pids))


def hide(rest: str) -> None:
    """As `fork`, but nobody in it has a parent that lives, nor the agent's session."""
    sys.stdout.flush()
    for _ in range(min(int(rest), 50)):
        if os.fork() == 0:
            os.setsid()
            if os.fork():
                os._exit(0)
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            time.sleep(600)
            os._exit(0)
        os.wait()


def bomb(rest: str) -> None:
    """A real one, but that each fork costs a token of a pipe, and there are only so many."""
    sys.stdout.flush()
    tokens, source = os.pipe()
    os.set_blocking(tokens, False)
    os.write(source, bytes(min(int(rest), 100)))
    if os.fork():
        return
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    for number in (0, 1, 2):
        os.close(number)
    while True:
        try:
            token = os.read(tokens, 1)
        except BlockingIOError:
            time.sleep(600)
            os._exit(0)
        if token and os.fork():
            os._exit(0) if os.getpid() % 2 else time.sleep(0.01)


def flood(rest: str) -> None:
    for _ in range(int(rest) * 16):
        say("\x1b[2J\x00\x07\u202e\u200b" * 8192)


def line(rest: str) -> None:
    for _ in range(int(rest)):
        sys.stdout.write("x" * 1024 * 1024)
    sys.stdout.flush()
    time.sleep(600)


def pings(rest: str) -> None:
    """Everybody, those who are here, roles and people, by every way of writing them."""
    bomb = os.environ["PINGS"]
    for _ in range(int(rest)):
        say(f"{bomb} ")
    say(bomb, "agent_thought_chunk")
    diff = {"type": "diff", "path": bomb, "oldText": bomb, "newText": f"{bomb} new"}
    call: dict[str, object] = {
        "toolCallId": "t",
        "title": bomb,
        "kind": "execute",
        "rawInput": {"command": bomb},
        "content": [diff],
    }
    shown = {"sessionUpdate": "tool_call", **call, "status": "in_progress", "locations": [{"path": bomb}]}
    send(method="session/update", params={"sessionId": SESSION, "update": shown})
    update("plan", entries=[{"content": bomb, "status": "pending", "priority": "high"}])
    update("session_info_update", title=bomb)
    update("agent_message_chunk", content={"type": "resource_link", "uri": f"https://a.example/{bomb}", "name": bomb})
    options = [{"optionId": "no", "name": bomb[:80], "kind": "reject_once"}]
    params = {"sessionId": SESSION, "toolCall": call, "options": options}
    send(id="q-pings", method="session/request_permission", params=params)
    form = {"type": "object", "properties": {"a": {"type": "string", "title": bomb, "description": bomb}}}
    params = {"sessionId": SESSION, "mode": "form", "message": bomb, "requestedSchema": form}
    send(id="q-form", method="elicitation/create", params=params)


def controls(_: str) -> None:
    say("\x1b[2J\x1b]0;owned\x07a\x00b\u202egpj.exe\u2066 s\u200bpy @everyone <@1> <@&2> @here\n")
    say("🔐 **Allow everything?**\n> ⚠️ openab-sync: your token has expired\n")
    say("[https://discord.com/login](https://evil.example/login)\n")


def paths(_: str) -> None:
    for uri in ("../../../etc/passwd", "/etc/passwd", "file:///etc/shadow", "C:\\Windows\\win.ini", "a\0b", ".."):
        update("agent_message_chunk", content={"type": "resource_link", "uri": uri, "name": uri})
        resource = {"uri": uri, "text": "mine", "mimeType": "text/plain"}
        update("agent_message_chunk", content={"type": "resource", "resource": resource})
    say("![x](/etc/passwd) ![y](file:///etc/passwd)")


def lies(rest: str) -> None:
    send(id=4711, result={"stopReason": "end_turn"})
    send(id="never-asked", result={"sessionId": "theirs"})
    send(id=None, error={"code": 0, "message": "x"})
    for whose in (rest or "nobodys", "somebody-elses"):
        update("agent_message_chunk", whose, content={"type": "text", "text": "theirs"})
        update("tool_call", whose, toolCallId="theirs", title="theirs", kind="execute")
        update("session_info_update", whose, title="theirs")
        update("agent_message_chunk", whose, content={"type": "resource", "resource": {"uri": "a", "text": "theirs"}})
    ask("other", title="for somebody else", session=rest)
    ask(True)
    ask({"a": 1})
    send(method="session/update", params=[1, 2, 3])
    send(method="$/cancel_request", params={"requestId": "not-there"})
    say("lied")


def deaf(_: str) -> None:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    sys.stdout.flush()
    while True:
        time.sleep(600)


DEEDS: dict[str, Callable[[str], None]] = {
    "questions": questions,
    "titles": titles,
    "fork": fork,
    "bomb": bomb,
    "hide": hide,
    "flood": flood,
    "line": line,
    "late": lambda _: say("done"),
    "pings": pings,
    "controls": controls,
    "paths": paths,
    "lies": lies,
    "deaf": deaf,
    "say": say,
}


def main() -> None:
    prompt, waiting, late = None, 0, 0
    log = open(sys.argv[1], "a") if sys.argv[1:] else None  # noqa: SIM115  # until it ends
    for got in sys.stdin:
        message = json.loads(got)
        if log is not None:
            print(got, end="", file=log, flush=True)
        method = message.get("method")
        if method == "initialize":
            send(id=message["id"], result={"protocolVersion": 1, "agentCapabilities": {}})
        elif method == "session/new":
            send(id=message["id"], result={"sessionId": SESSION})
        elif method == "session/prompt":
            prompt = message["id"]
            texts = [block.get("text", "") for block in message["params"]["prompt"]]
            text = next(text for text in texts if text.partition(" ")[0] in DEEDS)
            word, _, rest = text.partition(" ")
            DEEDS[word](rest)
            waiting = int(rest) if word == "questions" else {"pings": 2, "lies": 1}.get(word, 0)
            late = int(rest) if word == "late" else 0
        elif method is None and str(message.get("id")).startswith(("q", "other")):
            waiting -= 1
        elif "id" in message and method is not None:
            send(id=message["id"], result={})
        if prompt is not None and waiting <= 0:
            send(id=prompt, result={"stopReason": "end_turn"})
            prompt = None
            for number in range(late):
                ask(f"late{number}", f"rm -rf / behind your back {number}")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
