"""An agent that means harm. The first word of the prompt says which.

`questions N`: asks so many at once · `titles BYTES`: titles of a tool, the session, a step and a file, so large ·
`fork N`: so many children, each in a session of its own, that ignore SIGTERM · `controls`: what terminals obey, whom to
ping, what cannot be seen, and a question that is none · `paths`: names that lead elsewhere · `lies`: answers, updates
and questions with ids that are not ours · `deaf`: neither the end of its stdin nor SIGTERM nor a cancel ends it ·
`say TEXT`: what a good one does.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable

SESSION = "villains-session"


def send(**message: object) -> None:
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")


def update(what: str, session: str = SESSION, **fields: object) -> None:
    send(method="session/update", params={"sessionId": session, "update": {"sessionUpdate": what, **fields}})


def say(text: str, session: str = SESSION) -> None:
    update("agent_message_chunk", session, content={"type": "text", "text": text})


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


def lies(_: str) -> None:
    send(id=4711, result={"stopReason": "end_turn"})
    send(id="never-asked", result={"sessionId": "theirs"})
    send(id=None, error={"code": 0, "message": "x"})
    say("into another session", session="somebody-elses")
    update("agent_message_chunk", "somebody-elses", content={"type": "text", "text": "theirs"})
    ask("other", session="somebody-elses")
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
    "controls": controls,
    "paths": paths,
    "lies": lies,
    "deaf": deaf,
    "say": say,
}


def main() -> None:
    prompt, waiting = None, 0
    for line in sys.stdin:
        message = json.loads(line)
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
            waiting = int(rest) if word == "questions" else 0
        elif method is None and str(message.get("id")).startswith("q"):
            waiting -= 1
        elif "id" in message and method is not None:
            send(id=message["id"], result={})
        if prompt is not None and waiting <= 0:
            send(id=prompt, result={"stopReason": "end_turn"})
            prompt = None
        sys.stdout.flush()


if __name__ == "__main__":
    main()
