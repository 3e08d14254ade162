"""An agent that tells all it was given, wherever an agent can say something, and cuts it where it can be cut.

The prompt says how: `once` tells everything as a whole, `cut N` in pieces of N characters, `pages` with so much text
before that page boundaries come into the middle of it, `tear N` with a call of a tool behind the first N characters of
each. Its own session id is among what it tells, and what the files hold that $TELL_FILES names: it looks around.
"""

from __future__ import annotations

import base64
import json
import os
import sys
from pathlib import Path
from typing import TextIO

SESSION = "session-of-the-telltale-agent-1"


def write(line: str, stream: TextIO = sys.stdout) -> None:
    stream.write(line + "\n")
    stream.flush()


def send(message: dict[str, object]) -> None:
    write(json.dumps({"jsonrpc": "2.0", **message}))


def update(what: str, **fields: object) -> None:
    send({"method": "session/update", "params": {"sessionId": SESSION, "update": {"sessionUpdate": what, **fields}}})


def say(text: str, kind: str = "agent_message_chunk") -> None:
    update(kind, content={"type": "text", "text": text})


def known() -> list[str]:
    names = [name for name in os.environ if name.startswith(("CANARY_", "MINE_"))]
    files = [
        Path(name).read_text(encoding="utf-8").strip() for name in os.environ.get("TELL_FILES", "").split(":") if name
    ]
    return [*sys.argv[1:], *(os.environ[name] for name in sorted(names)), *files, SESSION]


def tell(order: str) -> None:
    word, _, size = order.partition(" ")
    text = " and ".join(known())
    if word == "cut":
        step = int(size)
        for kind in ("agent_message_chunk", "agent_thought_chunk"):
            for at in range(0, len(text), step):
                say(text[at : at + step], kind)
    elif word == "pages":
        for secret in known():
            say("x" * int(size) + " " + secret + " ")
    elif word == "tear":
        for number, secret in enumerate(known()):
            say(f" so: {secret[: int(size)]}")
            update("tool_call", toolCallId=f"tear{number}", title="look", kind="read", status="completed")
            say(f"{secret[int(size) :]} and so on")
    else:
        say(text)
        say(text, "agent_thought_chunk")
    write(text, sys.stderr)
    write(text)  # noise
    blocks = [
        {"type": "content", "content": {"type": "text", "text": text}},
        {"type": "diff", "path": f"/{known()[0]}", "oldText": text, "newText": f"new {text}"},
    ]
    tool = {"toolCallId": "t", "title": text, "kind": "execute", "rawInput": {"command": text, known()[0]: [text]}}
    update("tool_call", **tool, status="in_progress", content=blocks, locations=[{"path": f"/{known()[0]}"}])
    update("tool_call_update", toolCallId="t", status="failed", rawOutput={"deep": [{"x": text}]})
    update("plan", entries=[{"content": text, "status": "pending", "priority": "high"}])
    update("session_info_update", title=text)
    resource = {"uri": f"file:///{known()[0]}.txt", "text": text, "mimeType": "text/plain"}
    update("agent_message_chunk", content={"type": "resource", "resource": resource})
    link = {"type": "resource_link", "uri": f"https://example.org/{known()[0]}", "name": known()[0]}
    update("agent_message_chunk", content=link)
    blob = {"uri": "file:///notes.txt", "blob": base64.b64encode(text.encode()).decode(), "mimeType": "text/plain"}
    update("agent_message_chunk", content={"type": "resource", "resource": blob})
    options = [{"optionId": "no", "name": f"No, {text}"[:900], "kind": "reject_once"}]
    send({"id": "q", "method": "session/request_permission",
          "params": {"sessionId": SESSION, "toolCall": tool, "options": options}})  # fmt: skip
    choices = [{"const": "x", "title": text, "description": text}]
    fields = {
        "a": {"type": "string", "title": known()[0], "description": text, "default": text},
        "b": {"type": "string", "title": text, "oneOf": choices},
    }
    form = {"mode": "form", "message": text, "requestedSchema": {"type": "object", "properties": fields}}
    send({"id": "e", "method": "elicitation/create", "params": {"sessionId": SESSION, **form}})


def main() -> None:
    prompt_id: object = None
    unanswered: set[str] = set()
    for line in sys.stdin:
        message = json.loads(line)
        method = message.get("method")
        if method == "initialize":
            send({"id": message["id"], "result": {"protocolVersion": 1, "agentCapabilities": {}}})
        elif method == "session/new":
            send({"id": message["id"], "result": {"sessionId": SESSION}})
        elif method == "session/prompt":
            prompt_id, unanswered = message["id"], {"q", "e"}
            words = [block.get("text", "") for block in message["params"]["prompt"]]
            tell(next(word for word in words if word.startswith(("once", "cut ", "pages ", "tear "))))
        elif message.get("id") in unanswered:  # all asked and answered: the turn fails with all it knows
            unanswered.discard(message["id"])
            if unanswered:
                continue
            error = {"code": -32603, "message": " ".join(known()), "data": {"details": known()}}
            send({"id": prompt_id, "error": error})
        elif "id" in message:
            send({"id": message["id"], "result": {}})


if __name__ == "__main__":
    main()
