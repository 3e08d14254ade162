"""What a program says in a chat, as people read it: a chat service's notes, and orders that come by stdin.

**Threads**: the service notes; the main thread writes, waits and answers. **Lock**: one condition, around the notes.
"""

from __future__ import annotations

import json
import re
import sys
import threading
import time
from typing import Any, Protocol

__all__ = ["Ear", "People", "obey"]


class Ear:
    """By conversation: what was said and when, in monotonic nanoseconds, which all processes of a machine share."""

    def __init__(self) -> None:
        self._news = threading.Condition()
        self._said: dict[str, list[tuple[int, str, str]]] = {}  # when, in which message, what it was then

    def note(self, where: str, message: str, text: str) -> None:
        """A message was posted or edited."""
        with self._news:
            self._said.setdefault(where, []).append((time.monotonic_ns(), message, text))
            self._news.notify_all()

    def forget(self, where: str) -> None:
        """What was said there until now is of no interest."""
        with self._news:
            self._said.pop(where, None)

    def find(self, where: str, pattern: str, patience: float, after: int = 0) -> dict[str, Any]:
        """Wait for something that fits, said `after` then; return when, and what. `at` is 0 if it does not come."""
        wanted = re.compile(pattern, re.DOTALL)

        def fitting() -> tuple[int, str] | None:
            said = self._said.get(where, ())
            return next(((at, text) for at, _, text in said if at > after and wanted.search(text)), None)

        with self._news:
            at, text = self._news.wait_for(fitting, patience) or (0, "")
        return {"at": at, "text": text}

    def shown(self, where: str) -> dict[str, Any]:
        """How many characters, spaces not counted, stand there."""
        with self._news:
            pages = {message: text for _, message, text in self._said.get(where, ())}
        return {"shown": sum(len("".join(page.split())) for page in pages.values())}


class People(Protocol):
    """Who writes to the program. Conversations have numbers."""

    ear: Ear

    def ready(self) -> dict[str, Any]:
        """Wait until the program is there."""

    def write(self, room: int, text: str) -> dict[str, Any]:
        """Write to it; return `at`: when it was told. What was said there before is forgotten."""

    def place(self, room: int) -> str:
        """What the ear calls the conversation."""


def obey(people: People) -> None:
    """Carry out the orders of `sides.chat`, a line of JSON each, until stdin ends."""
    for line in sys.stdin:
        order = json.loads(line)
        match order.pop("do"):
            case "ready":
                answer = people.ready()
            case "write":
                answer = people.write(**order)
            case "find":
                answer = people.ear.find(people.place(order.pop("room")), **order)
            case _:
                answer = people.ear.shown(people.place(order["room"]))
        print(json.dumps(answer), flush=True)
