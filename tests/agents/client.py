"""A small synchronous ACP client for tests: one agent process, one line at a time, every wait bounded.

It is written apart from the product on purpose, knows nothing of its types, and lets a test say anything at all
(`send_raw`). Lines that are not JSON objects are kept in `noise`, session/updates in `updates`.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

__all__ = ["ROOT", "Client", "Json", "Told"]

Json = dict[str, Any]

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 10.0  # seconds for one message; far more than any test needs


@dataclass
class Told:
    """What came until the answer to one request: updates, questions, and the answer itself."""

    updates: list[Json] = field(default_factory=list)
    questions: list[Json] = field(default_factory=list)
    answer: Json = field(default_factory=dict)

    @property
    def text(self) -> str:
        """All agent text."""
        return text_of(self.updates)

    @property
    def stop(self) -> str | None:
        """The stop reason; None for an error."""
        result: Json = self.answer.get("result") or {}
        return result.get("stopReason")

    @property
    def code(self) -> int | None:
        """The error's code; None for a result."""
        error: Json = self.answer.get("error") or {}
        return error.get("code")

    @property
    def kinds(self) -> list[str]:
        return [update.get("sessionUpdate", "") for update in self.updates]

    def of(self, kind: str) -> list[Json]:
        """The updates of one kind, in order."""
        return [update for update in self.updates if update.get("sessionUpdate") == kind]


def text_of(updates: list[Json]) -> str:
    """The agent's text in these updates."""
    chunks = [update.get("content") for update in updates if update.get("sessionUpdate") == "agent_message_chunk"]
    return "".join(chunk.get("text", "") for chunk in chunks if isinstance(chunk, dict))


class Client:
    """One agent process and the client's end of its pipes. A context manager: leaving it ends the process group."""

    def __init__(
        self, command: Sequence[str], env: Mapping[str, str] | None = None, cwd: str | Path | None = None
    ) -> None:
        self.updates: list[Json] = []
        self.noise: list[bytes] = []
        self._next_id = 0
        self._buffer = bytearray()
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - closed in __exit__
        self.process = subprocess.Popen(
            list(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            bufsize=0,
            cwd=cwd,
            env={**os.environ, "PYTHONPATH": str(ROOT), **(env or {})},
            start_new_session=True,
        )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self._stdin, self._stdout = self.process.stdin, self.process.stdout
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._stdout, selectors.EVENT_READ)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._stdin.closed:
            self._stdin.close()
        try:
            # Patience for a decent end first, so that the process can save what it measures about itself.
            self.process.wait(2 if kind is None else 0)
        except subprocess.TimeoutExpired:
            self.kill()
        self._kill_group()
        self._selector.close()
        self._stdout.close()
        self._stderr.close()

    def kill(self) -> None:
        """SIGKILL to the whole group, and reap the leader."""
        self._kill_group()
        self.process.wait(PATIENCE)

    def _kill_group(self) -> None:
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return  # nobody of the group is left

    # ---- writing ----

    def send_raw(self, data: bytes) -> None:
        """Write these very bytes."""
        view = memoryview(data)
        while view:
            view = view[self._stdin.write(view) or 0 :]

    def send(self, message: Json) -> None:
        """Write one JSON-RPC message."""
        self.send_raw(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")

    def request(self, method: str, params: Json) -> int:
        """Send a request and return its id at once."""
        self._next_id += 1
        self.send({"id": self._next_id, "method": method, "params": params})
        return self._next_id

    def notify(self, method: str, params: Json) -> None:
        self.send({"method": method, "params": params})

    def choose(self, question: Json, option: str | None) -> None:
        """Answer a permission request with this option id, or with `cancelled` for None."""
        outcome: Json = {"outcome": "cancelled"} if option is None else {"outcome": "selected", "optionId": option}
        self.send({"id": question["id"], "result": {"outcome": outcome}})

    def close_stdin(self) -> None:
        self._stdin.close()

    def close_stdout(self) -> None:
        """Stop reading for good; the agent's next write fails."""
        self._selector.unregister(self._stdout)
        self._stdout.close()

    # ---- reading ----

    def read_line(self) -> bytes:
        """The next line as it came, without its newline. Raise EOFError at the end of stdout, TimeoutError if late."""
        searched, deadline = 0, time.monotonic() + PATIENCE
        while (end := self._buffer.find(b"\n", searched)) < 0:
            searched = len(self._buffer)
            if not self._selector.select(max(0.0, deadline - time.monotonic())):
                raise TimeoutError(f"nothing for {PATIENCE} s; stderr: {self.stderr()!r}")
            data = os.read(self._stdout.fileno(), 1 << 20)
            if not data:
                raise EOFError(
                    f"the agent closed stdout; left over: {bytes(self._buffer)!r}; stderr: {self.stderr()!r}"
                )
            self._buffer += data
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return line

    def receive(self) -> Json:
        """The next JSON object; whatever else comes goes to `noise`."""
        while True:
            line = self.read_line()
            try:
                message = json.loads(line)
            except ValueError:
                self.noise.append(line)
                continue
            if isinstance(message, dict):
                return message
            self.noise.append(line)

    def peek(self) -> None:
        """Raise BlockingIOError if stdout is open and silent at this moment; EOFError if it is closed."""
        if not self._selector.select(0):
            raise BlockingIOError
        self.read_line()

    def until(self, wanted: Callable[[Json], bool]) -> Told:
        """Everything up to and including the first message that is wanted, which becomes the answer."""
        told = Told()
        while True:
            message = self.receive()
            if message.get("method") == "session/update":
                update = message["params"]["update"]
                told.updates.append(update)
                self.updates.append(update)
            elif "method" in message:
                told.questions.append(message)
            if wanted(message):
                told.answer = message
                return told

    def until_answer(self, request_id: object) -> Told:
        """Everything up to the answer to that request."""
        return self.until(lambda message: "method" not in message and message.get("id") == request_id)

    def until_update(self, kind: str) -> Json:
        """The next update of that kind."""
        told = self.until(lambda message: _kind(message) == kind)
        return told.updates[-1]

    def until_text(self, piece: str) -> Told:
        """Everything until the agent has said this within one chunk."""
        return self.until(lambda message: piece in text_of([message.get("params", {}).get("update", {})]))

    def until_question(self) -> Json:
        """The next request from the agent."""
        return self.until(lambda message: "method" in message and "id" in message).answer

    def stderr(self) -> str:
        """What the agent has written on stderr so far."""
        # pread leaves the file offset alone, which the agent's own writes share.
        size = os.fstat(self._stderr.fileno()).st_size
        return os.pread(self._stderr.fileno(), size, 0).decode(errors="replace")

    # ---- the usual conversation ----

    def call(self, method: str, params: Json) -> Told:
        """Send a request and wait for its answer."""
        return self.until_answer(self.request(method, params))

    def initialize(self) -> Json:
        """Shake hands and return the agent's answer."""
        hello = {"protocolVersion": 1, "clientCapabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
        return self.call("initialize", hello).answer

    def new(self, cwd: str | Path = ROOT, servers: Sequence[Json] = ()) -> str:
        """Begin a session and return its id."""
        answer = self.call("session/new", {"cwd": str(cwd), "mcpServers": list(servers)}).answer
        return str(answer["result"]["sessionId"])

    def start(self, session: str, prompt: str | Sequence[Json]) -> int:
        """Send a prompt and return the request's id at once."""
        blocks = [{"type": "text", "text": prompt}] if isinstance(prompt, str) else list(prompt)
        return self.request("session/prompt", {"sessionId": session, "prompt": blocks})

    def prompt(self, session: str, prompt: str | Sequence[Json]) -> Told:
        """Send a prompt and wait for its answer."""
        return self.until_answer(self.start(session, prompt))

    def cancel(self, session: str) -> None:
        self.notify("session/cancel", {"sessionId": session})


def _kind(message: Json) -> object:
    return message.get("params", {}).get("update", {}).get("sessionUpdate")
