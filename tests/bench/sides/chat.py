"""A chat service in a process of its own, and what people do there: a line of JSON each way for every order."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

__all__ = ["Chat"]


class Chat:
    """The service that `module` is; `where` is what it has said of itself."""

    def __init__(self, module: str, *arguments: str) -> None:
        program = [sys.executable, "-m", module, *arguments]
        self._process = subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.where: dict[str, Any] = self._hear()

    def _hear(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the chat service has ended"
        answer: dict[str, Any] = json.loads(line)
        return answer

    def ask(self, do: str, **order: Any) -> dict[str, Any]:
        """Have something done; return the answer."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": do, **order}) + "\n")
        self._process.stdin.flush()
        return self._hear()

    def close(self) -> None:
        """End it."""
        self._process.communicate()
