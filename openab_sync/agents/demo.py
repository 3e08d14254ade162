"""A little ACP agent that needs no network: `python -m openab_sync.agents.demo`, speaking over stdin and stdout.

It exists so that a newcomer can try the bridge without an account, and it is honest about what it is: it streams, calls
tools, asks for permission, has modes and models, remembers its sessions, and obeys the words in a prompt (`help`).

Everything happens in one thread around one `select`: turns are generators (`demo_turn`) that are resumed when their
time has come, so a cancel, another session's prompt or the end of stdin is seen at once whatever a turn is doing.

Never: blocking on stdout. At most PIPE_BUF bytes are written when the pipe has room for them, and turns rest while too
much is owed, so a client that does not read cannot keep the agent from seeing that stdin was closed.

Not here: what words do (`demo_words`), what is remembered (`demo_memory`). It imports nothing of the bridge.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

from openab_sync.agents.demo_memory import Json, Memory, Session, state_folder
from openab_sync.agents.demo_turn import Crash, Failure, Turn
from openab_sync.agents.demo_words import answer, visible_text

__all__ = ["Agent", "main"]

PARSE_ERROR, INVALID_REQUEST, NO_METHOD, BAD_PARAMS = -32700, -32600, -32601, -32602
NOT_FOUND, CANCELLED = -32002, -32800

OWED_AT_MOST = 256 * 1024  # bytes waiting for stdout before turns rest
IN_ONE_READ = 256 * 1024

COMMANDS: list[Json] = [
    {"name": "help", "description": "List the words that the demo agent obeys"},
    {"name": "echo", "description": "Say it again", "input": {"hint": "text"}},
    {"name": "recall", "description": "Tell what was said earlier"},
]
CAPABILITIES: Json = {
    "loadSession": True,
    "promptCapabilities": {"image": True, "audio": False, "embeddedContext": True},
    "mcpCapabilities": {"http": True, "sse": True},
    "sessionCapabilities": {"list": {}, "resume": {}, "close": {}},
}


class Agent:
    """The agent's side of one connection."""

    def __init__(self, memory: Memory, stdin: int = 0, stdout: int = 1) -> None:
        self._memory = memory
        self._stdin = stdin
        self._stdout = stdout
        self._line: list[bytes] = []  # the pieces of a line whose end has not come yet
        self._owed = bytearray()  # bytes for stdout
        self._turns: dict[str, Turn] = {}  # by session id; one at a time each
        self._late: list[tuple[float, str, Json]] = []  # (when, session id, update) for after a turn
        self._asked: dict[object, Turn] = {}  # who waits for the answer to our request of that id
        self._next_id = 0
        self._methods: dict[str, Callable[[Json], Json]] = {
            "initialize": self._initialize,
            "session/new": self._new,
            "session/load": self._load,
            "session/resume": self._resume,
            "session/list": self._list,
            "session/close": self._close,
            "session/set_mode": self._set_mode,
            "session/set_config_option": self._set_config_option,
        }

    # ---- the loop ----

    def run(self) -> int:
        """Serve until stdin ends or the client is gone; return the exit code. Blocks in one place, the select."""
        while True:
            rests = len(self._owed) >= OWED_AT_MOST
            writing = [self._stdout] if self._owed else []
            readable, writable, _ = select.select([self._stdin], writing, [], None if rests else self._patience())
            if writable and not self._write():
                return 0
            if readable:
                data = os.read(self._stdin, IN_ONE_READ)
                if not data:
                    return self._leave()
                self._receive(data)
            self._take_steps(time.monotonic())

    def _leave(self) -> int:
        """Give out what is owed as far as the client takes it without delay; return the exit code."""
        while self._owed and select.select([], [self._stdout], [], 0)[1] and self._write():
            continue
        return 0

    def _patience(self) -> float | None:
        """Seconds until something is due; None if only the client can bring news."""
        due = [turn.due for turn in self._turns.values() if turn.due is not None]
        due += [when for when, _, _ in self._late]
        return max(0.0, min(due) - time.monotonic()) if due else None

    def _write(self) -> bool:
        """Write what surely fits; False when nobody will ever read it."""
        try:
            # A pipe that select calls writable takes this many bytes without blocking.
            del self._owed[: os.write(self._stdout, self._owed[: select.PIPE_BUF])]
        except BrokenPipeError:
            return False
        return True

    def _take_steps(self, now: float) -> None:
        for item in [item for item in self._late if item[0] <= now]:
            self._late.remove(item)
            self._notify(item[1], item[2])
        for turn in list(self._turns.values()):
            while turn.due is not None and turn.due <= now and len(self._owed) < OWED_AT_MOST:
                self._step(turn, now)

    def _step(self, turn: Turn, now: float) -> None:
        """Let a turn go on to its next yield, or end it."""
        assert turn.steps is not None
        told, turn.answer = turn.answer, {}
        try:
            wait = turn.steps.send(told) if turn.is_started else next(turn.steps)
        except StopIteration:
            self._finish(turn, turn.stop)
        except Failure as failure:
            self._finish(turn, "", failure.error)
        except Crash:
            self._crash()
        else:
            turn.is_started = True
            turn.due = None if wait is None else now + wait

    def _crash(self) -> None:
        """Die as a crashed agent does: what was said is out, the request stays unanswered."""
        print("demo agent: crashing, as the prompt asked", file=sys.stderr, flush=True)
        while self._owed and self._write():
            continue
        os._exit(70)

    # ---- the wire ----

    def _receive(self, data: bytes) -> None:
        """Take bytes from the client and handle each line that is complete. Linear in the length of a line."""
        if b"\n" not in data:
            self._line.append(data)
            return
        *lines, rest = b"".join([*self._line, data]).split(b"\n")
        self._line = [rest]
        for line in lines:
            if line.strip():
                self._handle(line)

    def _handle(self, line: bytes) -> None:
        try:
            message = json.loads(line.decode())
        except (ValueError, RecursionError):
            self._send({"id": None, "error": {"code": PARSE_ERROR, "message": "not a line of JSON"}})
            return
        if not isinstance(message, dict):
            self._send({"id": None, "error": {"code": INVALID_REQUEST, "message": "not a JSON-RPC message"}})
            return
        try:
            self._dispatch(message)
        except Failure as failure:
            if "id" in message:  # a notification has no answer, whatever is wrong with it
                self._send({"id": message["id"], "error": failure.error})

    def _dispatch(self, message: Json) -> None:
        method, params = message.get("method"), message.get("params", {})
        if method is None and ("result" in message or "error" in message):
            self._hear(message)
            return
        if not isinstance(method, str) or not isinstance(message.get("id"), (int, str, type(None))):
            raise Failure(INVALID_REQUEST, "a message needs a method, and an id that is a number or a string")
        if not isinstance(params, dict):
            raise Failure(BAD_PARAMS, "params must be an object")
        if "id" not in message:
            self._heed(method, params)
        elif method == "session/prompt":
            self._prompt(message["id"], params)
        elif method in self._methods:
            self._answer_with(message["id"], self._methods[method], params)
        else:
            raise Failure(NO_METHOD, f"no method {method!r}")

    def _answer_with(self, id: object, method: Callable[[Json], Json], params: Json) -> None:
        result = method(params)
        self._send({"id": id, "result": result})
        if "modes" in result:  # a session has just begun or come back
            commands: Json = {"sessionUpdate": "available_commands_update", "availableCommands": COMMANDS}
            self._notify(str(result.get("sessionId") or params["sessionId"]), commands)

    def _hear(self, message: Json) -> None:
        """Take the client's answer to one of our requests; one that nobody waits for any more is dropped."""
        id = message.get("id")
        turn = self._asked.pop(id, None) if isinstance(id, (int, str)) else None
        if turn is not None:
            turn.answer, turn.due = message, 0.0

    def _heed(self, method: str, params: Json) -> None:
        """Take a notification; unknown ones are ignored, as the protocol asks."""
        for turn in list(self._turns.values()):
            if method == "session/cancel" and params.get("sessionId") == turn.session.id:
                self._finish(turn, "cancelled")
            elif method == "$/cancel_request" and params.get("requestId") == turn.request_id:
                self._finish(turn, "", {"code": CANCELLED, "message": "cancelled"})

    def _send(self, message: Json) -> None:
        self._owed += json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n"

    def _notify(self, session_id: str, update: Json) -> None:
        self._send({"method": "session/update", "params": {"sessionId": session_id, "update": update}})

    def _request(self, turn: Turn, method: str, params: Json) -> None:
        self._asked[self._next_id] = turn
        self._send({"id": self._next_id, "method": method, "params": params})
        self._next_id += 1

    # ---- sessions ----

    def _initialize(self, params: Json) -> Json:
        _member(params, "protocolVersion", int)
        info = {"name": "openab-demo", "title": "Demo agent", "version": "1"}
        return {"protocolVersion": 1, "agentCapabilities": CAPABILITIES, "agentInfo": info, "authMethods": []}

    def _new(self, params: Json) -> Json:
        cwd, servers = _place(params)
        session = self._memory.create(cwd)
        session.servers = servers
        return {"sessionId": session.id, **_settings(session)}

    def _load(self, params: Json) -> Json:
        session = self._come_back(params)
        for who, text in session.history:
            kind = "user_message_chunk" if who == "user" else "agent_message_chunk"
            self._notify(session.id, {"sessionUpdate": kind, "content": {"type": "text", "text": text}})
        return _settings(session)

    def _resume(self, params: Json) -> Json:
        return _settings(self._come_back(params))

    def _come_back(self, params: Json) -> Session:
        cwd, servers = _place(params)
        session = self._session(params, self._memory.find)
        if session.id in self._turns:
            raise Failure(INVALID_REQUEST, "this session is answering a prompt")
        session.cwd, session.servers = cwd, servers
        return session

    def _list(self, params: Json) -> Json:
        cwd = params.get("cwd")
        if cwd is not None and not isinstance(cwd, str):
            raise Failure(BAD_PARAMS, "cwd must be a string")
        return {"sessions": self._memory.listing(cwd)}

    def _close(self, params: Json) -> Json:
        session = self._session(params, self._memory.live)
        if session.id in self._turns:
            self._finish(self._turns[session.id], "cancelled")
        self._memory.release(session.id)
        return {}

    def _set_mode(self, params: Json) -> Json:
        session = self._session(params, self._memory.live)
        self._choose(session, "mode", _member(params, "modeId", str))
        return {}

    def _set_config_option(self, params: Json) -> Json:
        session = self._session(params, self._memory.live)
        self._choose(session, _member(params, "configId", str), params.get("value"))
        return {"configOptions": session.config_options()}

    def _choose(self, session: Session, option: str, value: object) -> None:
        try:
            changed = session.choose(option, value)
        except ValueError as error:
            raise Failure(BAD_PARAMS, str(error)) from error
        if not changed:
            return
        self._memory.record(session, {option: value})
        if option == "mode":
            self._notify(session.id, {"sessionUpdate": "current_mode_update", "currentModeId": value})
        options = session.config_options()
        self._notify(session.id, {"sessionUpdate": "config_option_update", "configOptions": options})

    def _session(self, params: Json, find: Callable[[str], Session | None]) -> Session:
        id = _member(params, "sessionId", str)
        session = find(id)
        if session is None:
            raise Failure(NOT_FOUND, f"no session {id!r}", {"sessionId": id})
        return session

    # ---- turns ----

    def _prompt(self, request_id: object, params: Json) -> None:
        session = self._session(params, self._memory.live)
        blocks = _member(params, "prompt", list)
        if session.id in self._turns:
            raise Failure(INVALID_REQUEST, "this session is still answering the prompt before")
        turn = Turn(session, request_id, self._notify, self._request)
        for block in blocks:
            _take_block(turn, block)
        turn.steps = answer(turn)
        self._memory.say(session, "user", "\n".join(text for text in turn.texts if text))
        self._turns[session.id] = turn

    def _finish(self, turn: Turn, stop: str, error: Json | None = None) -> None:
        """End a turn: put away what is open, say how it stands, answer the prompt."""
        assert turn.steps is not None
        turn.steps.close()
        turn.due = None  # the loop takes no further step
        del self._turns[turn.session.id]
        self._asked = {id: waiting for id, waiting in self._asked.items() if waiting is not turn}
        turn.abandon_tools()
        said = "".join(turn.said)
        if said:
            self._memory.say(turn.session, "agent", said)
        if not turn.is_quiet:
            self._tell_state(turn)
        if error is not None:
            self._send({"id": turn.request_id, "error": error})
            return
        asked, told = sum(map(len, turn.texts)) // 4, len(said) // 4
        usage = {"inputTokens": asked, "outputTokens": told, "totalTokens": asked + told}
        self._send({"id": turn.request_id, "result": {"stopReason": stop, "usage": usage}})
        now = time.monotonic()
        self._late += [(now + seconds, turn.session.id, update) for seconds, update in turn.late]

    def _tell_state(self, turn: Turn) -> None:
        session = turn.session
        title = turn.title
        if title is None and session.title is None:
            title = " ".join(" ".join(turn.texts).split())[:40] or None
        if title is not None:
            self._memory.entitle(session, title)
            turn.update("session_info_update", title=title)
        turn.update("usage_update", used=session.used, size=session.window, cost={"amount": 0.0, "currency": "USD"})


# ---- reading parameters ----


def _member(params: Json, name: str, kind: type) -> Any:
    value = params.get(name)
    if not isinstance(value, kind) or isinstance(value, bool):
        raise Failure(BAD_PARAMS, f"{name} must be a {kind.__name__}")
    return value


def _place(params: Json) -> tuple[str, list[str]]:
    """The directory and the names of the MCP servers of new, load and resume."""
    cwd = _member(params, "cwd", str)
    if not os.path.isabs(cwd):
        raise Failure(BAD_PARAMS, f"cwd must be an absolute path, not {cwd!r}")
    servers = _member(params, "mcpServers", list)
    return cwd, [str(server.get("name")) for server in servers if isinstance(server, dict)]


def _settings(session: Session) -> Json:
    return {"modes": session.modes(), "configOptions": session.config_options()}


def _take_block(turn: Turn, block: object) -> None:
    """Sort one block of a prompt into text and material. Raise Failure for what is no block."""
    match block:
        case {"type": "text", "text": str(text)}:
            turn.texts.append(visible_text(text))
        case {"type": "resource_link", "name": name, "uri": str(uri)}:
            turn.material.append(f"link {name}: {uri}")
        case {"type": "resource", "resource": {"uri": str(uri), "text": str(text)}}:
            turn.material.append(f"resource {uri}: text of {len(text)} characters")
        case {"type": "resource", "resource": {"uri": str(uri), "blob": str(blob)}}:
            turn.material.append(f"resource {uri}: {len(blob) * 3 // 4} bytes")
        case {"type": "image", "mimeType": str(kind), "data": str(data)}:
            turn.material.append(f"image {kind}: {len(data) * 3 // 4} bytes")
        case _:
            raise Failure(BAD_PARAMS, "a block of the prompt is neither text, image, resource_link nor resource")


def main() -> int:
    """Run the agent on this process's stdin and stdout."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # whoever started us may have ignored it
    try:
        return Agent(Memory(state_folder(os.environ))).run()
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
