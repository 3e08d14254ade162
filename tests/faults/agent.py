"""An agent that fails once, in one way, at one moment: `agent.py FAULT MOMENT FILE`; who makes FILE fails, no other.

A moment is what the house is at (`busy`), or `before-` or `after-` what is sent: `after-session/new`, `before-answer`.
The first word of each prompt is said back, in brackets. From the moment on `slow` and `deaf` read slowly and not at
all, `silence` reads and does nothing; `flood`, `garbage` and `huge` write something and go on; `late` says what belongs
to no turn; `wrong` and `twice` answer what nobody asked, and everything twice.
"""

from __future__ import annotations

import json
import os
import select
import sys
import threading
from collections.abc import Iterator
from typing import Any

FAULT, MOMENT, FILE = sys.argv[1:]
WORDS = ("first", "second", "third", "other")
BULK = 1_500_000
never = threading.Event()


class Reader:
    """Lines of stdin; as slowly as it is told to."""

    slow = False

    def lines(self) -> Iterator[dict[str, Any]]:
        rest = b""
        while data := os.read(0, 8192):
            if self.slow:
                never.wait(0.004)
            *lines, rest = (rest + data).split(b"\n")
            yield from map(json.loads, lines)


class Agent:
    def __init__(self) -> None:
        self.reader = Reader()
        self.prompt: object = None
        self.session = f"session-{os.getpid()}"
        self.word = ""
        self.twice = False

    def send(self, what: str, **message: object) -> None:
        self.come(f"before-{what}")
        write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")
        self.come(f"after-{what}")

    def answer(self, what: str, id: object, **result: object) -> None:
        for _ in range(2 if self.twice else 1):
            self.send(what, id=id, result=result)
        self.twice = False

    def update(self, kind: str, session: str = "", **more: object) -> None:
        params = {"sessionId": session or self.session, "update": {"sessionUpdate": kind, **more}}
        self.send(kind, method="session/update", params=params)

    def say(self, text: str, session: str = "") -> None:
        self.update("agent_message_chunk", session, content={"type": "text", "text": text})

    def think(self, text: str) -> None:
        self.update("agent_thought_chunk", content={"type": "text", "text": text})

    def ask(self) -> None:
        options = [{"optionId": "yes", "name": "Yes", "kind": "allow_once"}]
        params = {"sessionId": self.session, "toolCall": {"toolCallId": "t", "title": "look"}, "options": options}
        for _ in range(2 if FAULT == "twice" else 1):
            self.send("question", id="question", method="session/request_permission", params=params)

    def end(self, reason: str = "end_turn") -> None:
        if reason == "end_turn":
            self.say(f"[{self.word}]")
        prompt, self.prompt = self.prompt, None
        self.answer("answer", prompt, stopReason=reason)
        self.come("idle")

    def come(self, moment: str) -> bool:
        """The moment has come; True if it was the one to fail at."""
        if moment != MOMENT or not first():
            return False
        getattr(self, f"do_{FAULT}")()
        return True

    # Faults.

    def do_crash(self) -> None:
        os._exit(3)

    def do_garbage(self) -> None:
        write(b"\x00\xff{]\n" * 500 + b'"a string"\n[1, 2]\nnull\n{}\n')

    def do_silence(self) -> None:
        for _ in self.reader.lines():
            pass
        os._exit(0)

    def do_flood(self) -> None:
        for _ in range(1000):
            self.think("thinking of it")

    def do_deaf(self) -> None:
        pass

    def do_slow(self) -> None:
        self.reader.slow = True

    def do_huge(self) -> None:
        self.think("x" * BULK)

    def do_late(self) -> None:
        self.say("(late)")

    def do_wrong(self) -> None:
        self.send("lie", id=4711, result={"stopReason": "end_turn"})
        self.send("lie", id="4712", error={"code": 1, "message": "x"})
        self.say("(somebody else's)", session="somebody-elses")

    def do_twice(self) -> None:
        self.twice = True

    # What it is asked.

    def run(self) -> None:
        for message in self.reader.lines():
            self.hear(message)
            if FAULT == "deaf" and made:
                until_hung_up()
        if self.come("closing") and FAULT == "deaf":
            never.wait()  # the end of its stdin is nothing to it

    def hear(self, message: dict[str, Any]) -> None:
        id, method = message.get("id"), message.get("method")
        if method == "initialize":
            self.answer(method, id, protocolVersion=1, agentCapabilities={"loadSession": True})
        elif method == "session/new":
            self.come("starting")
            self.answer(method, id, sessionId=self.session)
        elif method == "session/load":
            self.session = message["params"]["sessionId"]
            self.come("loading")
            self.answer(method, id)
        elif method == "session/prompt":
            self.prompt = id
            self.begin(json.dumps(message["params"]))
        elif method == "session/cancel":
            self.come("cancelling")
            self.end("cancelled")
        elif method is None and id == "question" and self.prompt is not None:
            self.end()

    def begin(self, prompt: str) -> None:
        self.word = next(word for word in WORDS if f'"{word} ' in prompt)
        if self.word == "first" and MOMENT == "cancelling":
            self.say("half")
        elif self.word == "first" and "-" in MOMENT:
            self.update("tool_call", toolCallId="t", title="look", status="in_progress")
            self.ask()
        elif self.word == "first" and MOMENT == "question":
            self.ask()
            self.come("question")
        else:
            self.come("busy")
            self.end()


made: list[str] = []


def first() -> bool:
    """Whether this process is the one that fails."""
    try:
        os.close(os.open(FILE, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return False
    made.append(FILE)
    return True


def until_hung_up() -> None:
    """Read nothing until there is nobody who could write; leave then."""
    poll = select.poll()
    poll.register(0, 0)
    poll.poll()
    os._exit(0)


def write(data: bytes) -> None:
    while data:
        data = data[os.write(1, data) :]


Agent().run()
