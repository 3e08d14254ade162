"""The fault agent's pipe and turns: what its words use to speak, to ask, and to wait.

Threads: the main thread reads stdin; each prompt runs in a thread of its own, which may block wherever its word wants.
Locks: `Wire._lock` keeps a line whole on stdout; it is held while writing, which may block when nobody reads: a fault
that real agents have as well.
"""

from __future__ import annotations

import json
import os
import queue
import threading
import uuid
from collections.abc import Callable
from typing import Any

__all__ = ["Answered", "Cancelled", "Json", "RpcError", "Turn", "Wire", "report"]

Json = dict[str, Any]

LOST = 20.0  # seconds after which the agent reports that an answer never came


class Cancelled(Exception):
    """The turn was cancelled while it waited."""


class Answered(Exception):
    """The word has answered the prompt by itself, or never will."""


class RpcError(Exception):
    """Answer the request with this error object, whatever its shape."""

    def __init__(self, error: object) -> None:
        super().__init__(repr(error))
        self.error = error


class Wire:
    """Stdout, and the requests that wait for the client's answers."""

    def __init__(self, newline: bytes, string_ids: bool, null_members: bool) -> None:
        self._lock = threading.Lock()
        self._newline = newline
        self._string_ids = string_ids
        self._null_members = null_members
        self._next_id = 0
        self._waiting: dict[object, queue.SimpleQueue[Json]] = {None: queue.SimpleQueue()}

    def write(self, data: bytes) -> None:
        """Write these very bytes, in one piece."""
        with self._lock:
            view = memoryview(data)
            while view:
                view = view[os.write(1, view) :]

    def encode(self, message: Json, ascii_only: bool = True) -> bytes:
        """One line for a message."""
        if self._null_members and "params" in message:
            message = {**message, "_meta": None, "params": {**message["params"], "_meta": None}}
        return json.dumps({"jsonrpc": "2.0", **message}, ensure_ascii=ascii_only).encode() + self._newline

    def send(self, message: Json) -> None:
        self.write(self.encode(message))

    def update(self, session: str, update: Json) -> Json:
        """The message of a session/update."""
        if self._null_members:
            update = {"messageId": None, "_meta": None, **update}
        return {"method": "session/update", "params": {"sessionId": session, "update": update}}

    def ask(self, method: str, params: Json, id: object = None) -> object:
        """Send a request and return its id; the answers are read with `wait_for`."""
        if id is None:
            id = str(uuid.uuid4()) if self._string_ids else self._next_id
            self._next_id += 1
        self._waiting.setdefault(id, queue.SimpleQueue())
        self.send({"id": id, "method": method, "params": params})
        return id

    def wait_for(self, id: object) -> Json:
        """The next answer to that id, or an error object of our own when none comes."""
        try:
            return self._waiting[id].get(timeout=LOST)
        except queue.Empty:
            return {"error": {"code": "lost"}}

    def hear(self, message: Json) -> None:
        """Hand an answer of the client to whoever waits for it."""
        id = message.get("id")
        if isinstance(id, (str, int, type(None))) and id in self._waiting:
            self._waiting[id].put(message)


class Turn:
    """One prompt."""

    def __init__(self, wire: Wire, session: str, request_id: object, blocks: list[Json]) -> None:
        self.wire = wire
        self.session = session
        self.request_id = request_id
        self.blocks = blocks
        self.cancelled = threading.Event()
        self.history: list[tuple[str, str]] = []  # of the session, without this prompt
        self.result: Any = {"stopReason": "end_turn"}
        self.error: object = None  # answered instead of the result
        self.is_mute = False  # the prompt is not answered when the words are done
        self.is_over = False  # another prompt may come
        self.after: list[Callable[[], None]] = []  # what this thread does once the answer is out
        self.at_next: list[Callable[[], None]] = []  # what happens when the next prompt arrives, before it starts
        self.from_now_on: object = None  # an error or a text with which every later prompt is answered
        self.said: list[str] = []
        self.pids: Json = {}
        self._tools = 0

    # ---- speaking ----

    def update(self, update_kind: str, /, **members: object) -> None:
        self.wire.send(self.wire.update(self.session, {"sessionUpdate": update_kind, **members}))

    def say(self, text: str, **members: object) -> None:
        self.said.append(text)
        self.update("agent_message_chunk", content={"type": "text", "text": text}, **members)

    def block(self, **content: object) -> None:
        """Say a block that is not text."""
        self.update("agent_message_chunk", content=content)

    def tool(self, title: str, kind: str = "execute", status: str = "in_progress", **members: object) -> str:
        """Announce a tool call and return its id."""
        tool = self.new_tool()
        self.update("tool_call", toolCallId=tool, title=title, kind=kind, status=status, **members)
        return tool

    def new_tool(self) -> str:
        """An id for a tool call of which nothing has been said yet."""
        self._tools += 1
        return f"tool-{self.request_id}-{self._tools}"

    def end_tool(self, tool: str, status: str = "completed", **members: object) -> None:
        self.update("tool_call_update", toolCallId=tool, status=status, **members)

    # ---- waiting ----

    def wait(self, seconds: float | None = None) -> None:
        """Wait that long, or for ever; raise Cancelled as soon as the turn is."""
        if self.cancelled.wait(seconds):
            raise Cancelled

    def gate(self, file: str) -> None:
        """Wait until a file exists."""
        while not os.path.exists(file):
            self.wait(0.005)

    def request(self, method: str, params: Json, id: object = None) -> Json:
        """Ask the client and wait for its answer. Like many agents, not before the answer does this see a cancel."""
        answer = self.wire.wait_for(self.wire.ask(method, {"sessionId": self.session, **params}, id))
        self.wait(0)
        return answer

    # ---- answering ----

    def answer(self) -> None:
        """Answer the prompt with `error` if there is one, else with `result`."""
        outcome = {"result": self.result} if self.error is None else {"error": self.error}
        self.wire.send({"id": self.request_id, **outcome})


def report(turn: Turn, what: str, answer: Json) -> None:
    """Say what the client answered: an option id, an outcome, or an error's code."""
    if "error" in answer:
        turn.say(f"{what}: {answer['error']['code']}\n")
        return
    result = answer.get("result")
    outcome: Json = result.get("outcome", {}) if isinstance(result, dict) else {}
    turn.say(f"{what}: {outcome.get('optionId', outcome.get('outcome', result))}\n")
