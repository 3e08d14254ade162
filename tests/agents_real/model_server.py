"""A model server on loopback: OpenAI chat completions and Gemini, streamed or not; what it says is in `script`.

**Threads**: `model-server` accepts, one thread for each connection serves. All of them have ended when `close` returns:
agents are gone by then or their connections are cut, and a pause of the script is a wait that `close` ends.
**Never**: anything but loopback.
"""

from __future__ import annotations

import gzip
import json
import socket
import sys
import threading
import uuid
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from .script import Ask, Call, Json, Say, default, fit, play

__all__ = ["MODEL", "ModelServer"]

MODEL = "scripted-model"
_USAGE = 100  # tokens, wherever a number is wanted


class ModelServer(ThreadingHTTPServer):
    """Serves from `with` to its end; `asked` are the requests as they came, oldest first."""

    daemon_threads = False  # they are joined

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.folder = str(folder)
        self.asked: list[Ask] = []
        self.closing = threading.Event()
        self._connections: set[socket.socket] = set()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,), name="model-server", daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def said_to_model(self) -> str:
        """All that people have said, as the newest request with tools repeats it."""
        newest = next((ask for ask in reversed(self.asked) if ask.tools), Ask(()))
        return "\n".join(text for who, text in newest.entries if who == "user")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self.shutdown()
        self._thread.join()
        for connection in list(self._connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:  # it has ended by itself
                continue
        self.server_close()

    def process_request(self, request: Any, client_address: Any) -> None:
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """An agent that is killed leaves its connection as it is: no news. Anything else is."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server: ModelServer

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the requests are in `asked`."""

    def do_GET(self) -> None:
        one = {"id": MODEL, "object": "model", "created": 1, "owned_by": "us", "name": f"models/{MODEL}"}
        is_list = self.path.split("?")[0].rstrip("/").endswith("/models")
        self._json({"object": "list", "data": [one], "models": [one]} if is_list else one)

    def do_POST(self) -> None:
        body = self._body()
        path = self.path.split("?")[0].rstrip("/")
        if path.endswith(":countTokens"):
            self._json({"totalTokens": _USAGE})
        elif path.endswith("/chat/completions"):
            answer = self._answer(_read_chat(body))
            self._send(_chat(answer) if body.get("stream") else _chat_whole(answer), is_stream=bool(body.get("stream")))
        elif path.endswith((":generateContent", ":streamGenerateContent")):
            is_stream = path.endswith(":streamGenerateContent")
            self._send(_gemini(self._answer(_read_gemini(body)), is_stream=is_stream), is_stream=is_stream)
        else:
            self._json({"error": {"message": f"not served: {path}"}}, 404)

    def _answer(self, ask: Ask) -> list[Say | Call]:
        self.server.asked.append(ask)
        if ask.schema is not None:
            return [Say(json.dumps(default(ask.schema)))]
        folder = self.server.folder
        return [fit(part, ask, folder) if isinstance(part, Call) else part for part in play(ask)]

    # Bytes.

    def _body(self) -> Json:
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            raw = b"".join(self._chunks())
        else:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Content-Encoding") == "gzip":
            raw = gzip.decompress(raw)
        body: Json = json.loads(raw or b"{}")
        return body

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline().split(b";")[0], 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def _json(self, value: Json, code: int = 200) -> None:
        data = json.dumps(value).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _send(self, parts: Iterator[Json | str | float], *, is_stream: bool) -> None:
        """Send what a format makes of an answer: objects or text, and seconds to wait between them."""
        if not is_stream:
            self._json(next(part for part in parts if isinstance(part, dict)))
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for part in parts:
            if isinstance(part, float):
                if self.server.closing.wait(part):
                    self.close_connection = True
                    return
                continue
            data = f"data: {part if isinstance(part, str) else json.dumps(part)}\n\n".encode()
            self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))
        self.wfile.write(b"0\r\n\r\n")


# OpenAI chat completions.


def _read_chat(body: Json) -> Ask:
    entries: list[tuple[str, str]] = []
    for message in body.get("messages", ()):
        who = {"tool": "result", "user": "user", "assistant": "assistant"}.get(message["role"])
        if who is not None:
            entries.append(("call" if message.get("tool_calls") else who, _text(message.get("content"))))
    functions = [tool["function"] for tool in body.get("tools") or () if "function" in tool]
    tools = {function["name"]: function.get("parameters") or {} for function in functions}
    wanted = (body.get("response_format") or {}).get("json_schema") or {}
    return Ask(entries, tools, wanted.get("schema"))


def _chat(answer: Sequence[Say | Call]) -> Iterator[Json | str | float]:
    head = {"id": f"chatcmpl-{uuid.uuid4().hex}", "object": "chat.completion.chunk", "created": 1, "model": MODEL}

    def chunk(delta: Json, finish: str | None = None) -> Json:
        return {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}

    yield chunk({"role": "assistant", "content": ""})
    for part in answer:
        if isinstance(part, Say):
            yield part.pause
            yield chunk({"content": part.text})
        else:
            yield chunk({"tool_calls": [{"index": 0, **_function(part)}]})
    yield chunk({}, _finish(answer))
    yield {**head, "choices": [], "usage": _chat_usage()}
    yield "[DONE]"


def _chat_whole(answer: Sequence[Say | Call]) -> Iterator[Json | str | float]:
    message: Json = {"role": "assistant", "content": "".join(part.text for part in answer if isinstance(part, Say))}
    if calls := [_function(part) for part in answer if isinstance(part, Call)]:
        message["tool_calls"] = calls
    choice = {"index": 0, "message": message, "finish_reason": _finish(answer)}
    yield {"id": "chatcmpl-1", "object": "chat.completion", "model": MODEL, "choices": [choice], "usage": _chat_usage()}


def _function(call: Call) -> Json:
    function = {"name": call.tool, "arguments": json.dumps(call.args)}
    return {"id": f"call_{uuid.uuid4().hex[:16]}", "type": "function", "function": function}


def _finish(answer: Sequence[Say | Call]) -> str:
    return "tool_calls" if any(isinstance(part, Call) for part in answer) else "stop"


def _chat_usage() -> Json:
    return {"prompt_tokens": _USAGE, "completion_tokens": _USAGE, "total_tokens": 2 * _USAGE}


# Gemini.


def _read_gemini(body: Json) -> Ask:
    entries: list[tuple[str, str]] = []
    for message in body.get("contents", ()):
        is_model = message.get("role") == "model"
        for part in message.get("parts", ()):
            if "functionResponse" in part:
                entries.append(("result", json.dumps(part["functionResponse"].get("response"), ensure_ascii=False)))
            elif "functionCall" in part:
                entries.append(("call", ""))
            else:
                entries.append(("assistant" if is_model else "user", part.get("text", "")))
    declared = [one for tool in body.get("tools") or () for one in tool.get("functionDeclarations") or ()]
    tools = {one["name"]: one.get("parametersJsonSchema") or one.get("parameters") or {} for one in declared}
    wanted = body.get("generationConfig") or {}
    return Ask(entries, tools, wanted.get("responseJsonSchema") or wanted.get("responseSchema"))


def _gemini(answer: Sequence[Say | Call], *, is_stream: bool) -> Iterator[Json | str | float]:
    parts: list[Json] = []
    for part in answer:
        if isinstance(part, Say):
            parts.append({"text": part.text})
            yield part.pause
        else:
            parts.append({"functionCall": {"name": part.tool, "args": part.args, "id": uuid.uuid4().hex}})
        if is_stream:
            yield {
                "candidates": [{"content": {"role": "model", "parts": parts[-1:]}, "index": 0}],
                "modelVersion": MODEL,
            }
    content = {"role": "model", "parts": [{"text": ""}] if is_stream else parts}
    yield {
        "candidates": [{"content": content, "index": 0, "finishReason": "STOP"}],
        "modelVersion": MODEL,
        "usageMetadata": {"promptTokenCount": _USAGE, "candidatesTokenCount": _USAGE, "totalTokenCount": 2 * _USAGE},
    }


def _text(content: object) -> str:
    """Return the text of a message, be it a string or a list of blocks."""
    if isinstance(content, str):
        return content
    return "".join(block.get("text", "") for block in content) if isinstance(content, list) else ""
