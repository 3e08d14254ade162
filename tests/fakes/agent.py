"""The fault agent: an ACP agent that fails as told, by its flags (at start) and by the words of a prompt (in a turn).

A prompt is obeyed line by line: a word and the rest of its line (`say half\\ncrash`); lines that begin with no known
word are said back. README.rst beside this file lists flags and words. Only the standard library is used, the
environment may be empty, and the working directory may be any.

Threads: the main thread reads stdin and answers everything but prompts; each prompt has a daemon thread.
Locks: one, on stdout (`agent_turn`); `Agent.turn` is only ever replaced by the main thread.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import threading
import time
from typing import Any

# Started as a program, from anywhere: the package `tests` lies two folders up. It replaces this folder, so that no
# fake can be mistaken for a module of the standard library.
sys.path[0] = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from tests.fakes.agent_asks import ASKS
from tests.fakes.agent_faults import FAULTS, stderr_noise
from tests.fakes.agent_flags import capabilities, offers, parse_flags
from tests.fakes.agent_turn import Answered, Cancelled, Json, RpcError, Turn, Wire
from tests.fakes.agent_words import WORDS

__all__ = ["Agent"]

ALL_WORDS = {**WORDS, **FAULTS, **ASKS}
AUTH_METHODS: list[Json] = [
    {"id": "key", "name": "API key", "description": "Paste a key"},
    {"id": "login", "name": "Log in", "type": "terminal", "args": ["login"], "env": {"BROWSER": "none"}},
    {"id": "vendor", "name": "Vendor", "_meta": {"terminal-auth": {"command": "fake", "args": ["login"]}}},
]
REPLAYED = [("user", "an old question"), ("agent", "an old answer")]


class Agent:
    """One connection."""

    def __init__(self, flags: argparse.Namespace) -> None:
        self.flags = flags
        self.wire = Wire(b"\r\n" if flags.crlf else b"\n", flags.string_ids, flags.null_members)
        self.turn: Turn | None = None  # the latest one
        self.is_in = not flags.auth
        self.settings: Json = {"mode": "auto" if flags.begins_auto else "ask", "model": "small", "auto_approve": False}
        self.sessions: dict[str, list[tuple[str, str]]] = self._remembered()
        self.lost: set[str] = set()  # taken up, and not known (--load-lies)
        self.from_now_on: object = None
        self.pids: Json = {}

    # ---- the main thread ----

    def run(self) -> None:
        """Serve until stdin ends. Never returns."""
        self._begin()
        for line in sys.stdin.buffer:
            self._receive(line)
        self.log({"event": "eof"})
        if self.flags.ignore_eof:
            threading.Event().wait()
        os._exit(0)

    def _begin(self) -> None:
        flags = self.flags
        if flags.ignore_term:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        stderr_noise(flags.stderr)
        if flags.linger:
            command = ["sh", "-c", 'trap "" TERM; exec sleep 60']
            null = subprocess.DEVNULL
            self.pids["linger"] = subprocess.Popen(command, stdin=null, stdout=null, stderr=null).pid
        if flags.banner:
            self.wire.write(b"Welcome to the fake agent!\n\n[###   ] 50%\r[######] 100%\nWARN: no colours\n")
        if flags.bom:
            self.wire.write(b"\xef\xbb\xbf")
        if flags.die_at_start:
            print("fatal: no licence found", file=sys.stderr)
            sys.exit(3)

    def _receive(self, line: bytes) -> None:
        message: Json = json.loads(line)
        self.log(message)
        method, params = message.get("method"), message.get("params", {})
        if method is None:
            self.wire.hear(message)
        elif "id" not in message:
            self._heed(method, params)
        elif method == "session/prompt":
            self._prompt(message["id"], params)
        else:
            self._call(message["id"], method, params)

    def log(self, entry: Json) -> None:
        """Append what came to the file of --log."""
        if self.flags.log:
            with open(self.flags.log, "a", encoding="utf-8") as file:
                file.write(json.dumps(entry) + "\n")

    def _heed(self, method: str, params: Json) -> None:
        turn = self.turn
        if method == "session/cancel" and turn is not None and params["sessionId"] == turn.session:
            turn.cancelled.set()

    def _call(self, id: object, method: str, params: Json) -> None:
        self._misbehave(method)
        serve = {
            "initialize": self._initialize,
            "authenticate": self._authenticate,
            "session/new": self._new,
            "session/load": self._come_back,
            "session/resume": self._come_back,
            "session/list": self._list,
            "session/close": lambda params: {},
            "session/set_mode": self._set,
            "session/set_model": self._set,
            "session/set_config_option": self._set,
        }.get(method)
        replay = method == "session/load" or (method == "session/resume" and self.flags.resume_replays)
        try:
            if serve is None or method in self.flags.hang_on:
                raise RpcError({"code": -32601, "message": f"no method {method}"})
            result = serve(params)
            if replay and not self.flags.replay_after:
                self._replay(params["sessionId"])
        except RpcError as failure:
            self.wire.send({"id": id, "error": failure.error})
            return
        self._answer(id, result, method)
        if replay and self.flags.replay_after:
            self._replay(params["sessionId"])
        if self.flags.deaf and method in ("session/new", "session/load", "session/resume"):
            threading.Event().wait()

    def _misbehave(self, method: str) -> None:
        """Whatever the flags say about this method, before it is served."""
        flags = self.flags
        if method in flags.die_on:
            print(f"fatal: cannot bear {method}", file=sys.stderr, flush=True)
            os._exit(4)
        if method in flags.hang_on:
            threading.Event().wait()
        time.sleep({"initialize": flags.slow_init, "session/new": flags.slow_new}.get(method, 0))
        while method == "session/new" and flags.slow_new_on and not os.path.exists(flags.slow_new_on):
            time.sleep(0.005)

    def _answer(self, id: object, result: Json, method: str) -> None:
        """Answer a request; --early-updates puts updates into the very same write, after the answer."""
        data = self.wire.encode({"id": id, "result": result})
        if self.flags.early_updates and method == "session/new":
            for update in (
                {"sessionUpdate": "available_commands_update", "availableCommands": [{"name": "early"}]},
                {"sessionUpdate": "usage_update", "used": 8675, "size": 128_000},
            ):
                data += self.wire.encode(self.wire.update(result["sessionId"], update))
        self.wire.write(data)

    # ---- requests ----

    def _initialize(self, params: Json) -> Json:
        self._fail_with(self.flags.init_error)
        version: Any = self.flags.version
        info = {"name": "fake-agent", "title": "Fake", "version": "0"}
        methods = AUTH_METHODS if self.flags.auth else []
        return {
            "protocolVersion": int(version) if version.isdigit() else version,
            "agentCapabilities": capabilities(self.flags),
            "agentInfo": info,
            "authMethods": methods,
        }

    def _fail_with(self, code: int | None) -> None:
        if code is not None:
            raise RpcError({"code": code, "message": "no", "data": {"details": "because a flag said so"}})

    def _authenticate(self, params: Json) -> Json:
        if params.get("methodId") != "key":
            raise RpcError({"code": -32602, "message": "not a method for authenticate"})
        self.is_in = True
        return {}

    def _new(self, params: Json) -> Json:
        self._admit()
        self._fail_with(self.flags.new_error)
        session = f"fake-{os.getpid()}-{len(self.sessions)}"
        self.sessions[session] = []
        return {"sessionId": session, **offers(self.flags, self.settings)}

    def _admit(self) -> None:
        if not self.is_in:
            raise RpcError({"code": -32000, "message": "Authentication required"})

    def _come_back(self, params: Json) -> Json:
        self._admit()
        self._fail_with(self.flags.load_error)
        if self.flags.memory and params["sessionId"] not in self.sessions:
            if self.flags.load_lies is not None:
                self.lost.add(params["sessionId"])
                return offers(self.flags, self.settings)
            raise RpcError({"code": -32002, "message": "Resource not found"})
        self.sessions.setdefault(params["sessionId"], list(REPLAYED))
        return offers(self.flags, self.settings)

    def _replay(self, session: str) -> None:
        for who, text in self.sessions.get(session, []):
            kind = "user_message_chunk" if who == "user" else "agent_message_chunk"
            chunk = {"sessionUpdate": kind, "content": {"type": "text", "text": text}}
            self.wire.send(self.wire.update(session, chunk))

    def _list(self, params: Json) -> Json:
        return {"sessions": [{"sessionId": session, "cwd": os.getcwd()} for session in self.sessions]}

    def _set(self, params: Json) -> Json:
        self._fail_with(self.flags.set_error)
        if "modeId" in params:
            self.settings["mode"] = params["modeId"]
        elif "modelId" in params:
            self.settings["model"] = params["modelId"]
        else:
            self.settings[params["configId"]] = params["value"]
        return {"configOptions": offers(self.flags, self.settings).get("configOptions", [])}

    # ---- turns ----

    def _prompt(self, id: object, params: Json) -> None:
        turn = Turn(self.wire, params["sessionId"], id, params["prompt"])
        if self.turn is not None:
            if not self.turn.is_over:
                self.log({"event": "a second prompt while one runs"})
                self.wire.send({"id": id, "error": {"code": -32600, "message": "a prompt is running"}})
                return
            for act in self.turn.at_next:
                act()
        if params["sessionId"] in self.lost:
            code = self.flags.load_lies
            answer = (
                {"error": {"code": code, "message": "no such session"}}
                if code
                else {"result": {"stopReason": "refusal"}}
            )
            self.wire.send({"id": id, **answer})
            return
        if isinstance(self.from_now_on, RpcError):
            self.wire.send({"id": id, "error": self.from_now_on.error})
            return
        turn.history = list(self.sessions.setdefault(turn.session, []))
        turn.pids = self.pids
        self.turn = turn
        threading.Thread(target=self._answer_prompt, args=(turn,), name=f"turn-{id}", daemon=True).start()

    def _answer_prompt(self, turn: Turn) -> None:
        """Run the words of one prompt, answer it, and do what comes after. The top of a turn's thread."""
        text = _text_of(turn)
        self._remember(turn.session, "user", text)
        try:
            self._obey(turn, text)
        except Cancelled:
            turn.result = {"stopReason": "cancelled"}
        except Answered:
            turn.is_mute = True
        except RpcError as failure:
            turn.error = failure.error
        self._remember(turn.session, "agent", "".join(turn.said))
        self.from_now_on = turn.from_now_on or self.from_now_on
        turn.is_over = True
        if not turn.is_mute:
            turn.answer()
        self._do_after(turn)

    def _do_after(self, turn: Turn) -> None:
        try:
            for act in turn.after:
                act()
        except Cancelled:
            self.log({"event": "cancelled after the answer"})

    def _obey(self, turn: Turn, text: str) -> None:
        if isinstance(self.from_now_on, str):
            turn.say(self.from_now_on)
            return
        for line in filter(None, map(str.strip, text.splitlines())):
            word, _, rest = line.partition(" ")
            if word in ALL_WORDS:
                ALL_WORDS[word](turn, rest.strip())
            else:
                turn.say(f"you said: {line}\n")

    # ---- memory ----

    def _remember(self, session: str, who: str, text: str) -> None:
        self.sessions[session].append((who, text))
        if self.flags.memory:
            with open(self.flags.memory, "a", encoding="utf-8") as file:
                file.write(json.dumps([session, who, text]) + "\n")

    def _remembered(self) -> dict[str, list[tuple[str, str]]]:
        sessions: dict[str, list[tuple[str, str]]] = {}
        if self.flags.memory and os.path.exists(self.flags.memory):
            with open(self.flags.memory, encoding="utf-8") as file:
                for session, who, text in map(json.loads, file):
                    sessions.setdefault(session, []).append((who, text))
        return sessions


def _text_of(turn: Turn) -> str:
    """The prompt's text, without what a bridge says about the sender and about files."""
    texts = [block["text"] for block in turn.blocks if block["type"] == "text"]
    texts = [text for text in texts if not text.startswith("<outbox>")]
    return "\n".join(text.rpartition("</sender_context>")[2] for text in texts).strip()


if __name__ == "__main__":
    Agent(parse_flags()).run()
