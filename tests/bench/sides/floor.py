"""The raw pipe: read what is there, split it into lines, and nothing else. Nobody can be faster in Python."""

from __future__ import annotations

import math
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tests.bench.sides.side import PATIENCE

__all__ = ["Floor"]

READ = 64 * 1024
ANSWER = b'{"jsonrpc":"2.0","id":'


@dataclass(slots=True)
class _Pipe:
    process: subprocess.Popen[bytes]
    stdin: int
    stdout: int
    watch: int
    pieces: list[bytes] = field(default_factory=list)
    bytes: int = 0
    answers: int = 0  # to be had, before it is ready
    first: float = math.inf
    gone: float = math.inf


class Floor:
    """Agents behind bare pipes and one `poll`."""

    process = os.getpid()
    cold: tuple[str, ...] = (sys.executable, "-c", "pass")

    def __init__(self, command: Sequence[str], live: str, room: int) -> None:
        self._command = command
        self._poll = select.poll()
        self._pipes: dict[int, _Pipe] = {}
        self._by_descriptor: dict[int, _Pipe] = {}

    def open(self, names: Sequence[int]) -> None:
        for name in names:
            process = subprocess.Popen(self._command, bufsize=0, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            assert process.stdin is not None and process.stdout is not None
            pipe = _Pipe(process, process.stdin.fileno(), process.stdout.fileno(), os.pidfd_open(process.pid))
            os.set_blocking(pipe.stdout, False)
            for descriptor in (pipe.stdout, pipe.watch):
                self._poll.register(descriptor, select.POLLIN)
                self._by_descriptor[descriptor] = pipe
            self._pipes[name] = pipe
            pipe.answers = 1
            os.write(pipe.stdin, b'{"jsonrpc":"2.0","id":1,"method":"initialize"}\n')
        self._until(lambda: all(not self._pipes[name].answers for name in names))
        for name in names:
            self._ask(name, b'"method":"session/new"')
        self._until(lambda: all(not self._pipes[name].answers for name in names))

    def _ask(self, name: int, what: bytes) -> None:
        pipe = self._pipes[name]
        pipe.answers, pipe.bytes, pipe.first = 1, 0, math.inf
        os.write(pipe.stdin, b'{"jsonrpc":"2.0","id":2,%s}\n' % what)

    def say(self, name: int, order: str) -> None:
        self._ask(name, b'"method":"session/prompt","params":{"text":"%s"}' % order.encode())

    def first(self, name: int) -> float:
        pipe = self._pipes[name]
        self._until(lambda: pipe.first < math.inf)
        return pipe.first

    def work(self, seconds: float) -> None:
        self._until(lambda: False, seconds)

    def finish(self, names: Sequence[int]) -> int:
        pipes = [self._pipes[name] for name in names]
        self._until(lambda: not any(pipe.answers for pipe in pipes))
        return sum(pipe.bytes for pipe in pipes)

    def gone(self, name: int, patience: float) -> float:
        pipe = self._pipes[name]
        self._until(lambda: pipe.gone < math.inf, patience)
        return pipe.gone

    def pid(self, name: int) -> int:
        return self._pipes[name].process.pid

    def retire(self, name: int) -> None:
        pipe = self._pipes.pop(name)
        for descriptor in (pipe.stdout, pipe.watch):
            if self._by_descriptor.pop(descriptor, None) is not None:
                self._poll.unregister(descriptor)
        os.close(pipe.watch)
        for file in (pipe.process.stdin, pipe.process.stdout):
            if file is not None:
                file.close()
        pipe.process.kill()
        pipe.process.wait()

    def close(self) -> None:
        for name in list(self._pipes):
            self.retire(name)

    def _until(self, done: Callable[[], bool], patience: float = PATIENCE) -> None:
        end = time.monotonic() + patience
        while not done():
            left = end - time.monotonic()
            if left <= 0:
                return
            for descriptor, _ in self._poll.poll(left * 1000):
                self._hear(descriptor, self._by_descriptor[descriptor])

    def _hear(self, descriptor: int, pipe: _Pipe) -> None:
        data = os.read(descriptor, READ) if descriptor == pipe.stdout else b""
        if not data:
            pipe.gone = min(pipe.gone, time.monotonic())
            self._poll.unregister(descriptor)
            del self._by_descriptor[descriptor]
            return
        pipe.bytes += len(data)
        if b"\n" not in data:  # a long line is joined once, when its end comes
            pipe.pieces.append(data)
            return
        lines = data.split(b"\n")
        if pipe.pieces:
            lines[0] = b"".join([*pipe.pieces, lines[0]])
            pipe.pieces.clear()
        if rest := lines.pop():
            pipe.pieces.append(rest)
        if pipe.first == math.inf:
            pipe.first = time.monotonic()
        if lines[-1].startswith(ANSWER):
            pipe.answers -= 1
