"""One turn of the demo agent: what came with the prompt, and what a word can do about it.

A word is a generator: it says things through its Turn and yields whenever others may have a go: the seconds to wait,
or None to wait for the client's answer, which the yield then returns. So a word never blocks, can be
cancelled wherever it waits, and needs no thread. The loop that drives it is in `demo`; the words are in `demo_words`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator

from openab_sync.agents.demo_memory import Json, Session

__all__ = ["Crash", "Failure", "Steps", "Turn"]

Steps = Generator[float | None, Json, None]

OPTIONS = (
    ("allow-once", "Allow once", "allow_once"),
    ("allow-always", "Always allow in this session", "allow_always"),
    ("reject-once", "Reject", "reject_once"),
    ("reject-always", "Always reject in this session", "reject_always"),
)


class Failure(Exception):
    """A request that is answered with an error."""

    def __init__(self, code: int, message: str, data: Json | None = None) -> None:
        super().__init__(message)
        self.error: Json = {"code": code, "message": message}
        if data is not None:
            self.error["data"] = data


class Crash(Exception):
    """A word asks the whole agent to die in mid-turn."""


class Turn:
    """One prompt and everything that is said until its answer."""

    def __init__(
        self,
        session: Session,
        request_id: object,
        notify: Callable[[str, Json], None],
        request: Callable[[Turn, str, Json], None],
    ) -> None:
        self.session = session
        self.request_id = request_id
        self.message_id = os.urandom(8).hex()
        self.texts: list[str] = []  # the prompt's text blocks, without what the client wrote about the sender
        self.material: list[str] = []  # one line about each block that is not text
        self.stop = "end_turn"
        self.is_quiet = False  # end with nothing but the answer
        self.title: str | None = None  # set by the word `title`
        self.late: list[tuple[float, Json]] = []  # (seconds after the answer, update)
        self.said: list[str] = []
        self.steps: Steps | None = None
        self.due: float | None = 0.0  # when to take the next step; None while the client's answer is awaited
        self.is_started = False  # a generator is told nothing at its first step
        self.answer: Json = {}  # what the next step is told
        self._notify = notify
        self._request = request
        self._open_tools: list[str] = []
        self._tools = 0

    # ---- saying things ----

    def update(self, update_kind: str, /, **members: object) -> None:
        """Send any session/update."""
        self._notify(self.session.id, {"sessionUpdate": update_kind, **members})

    def say(self, text: str) -> None:
        """Say a piece of the answer."""
        self.said.append(text)
        self.update("agent_message_chunk", content={"type": "text", "text": text}, messageId=self.message_id)

    def say_later(self, seconds: float, text: str) -> None:
        """Say something that many seconds after the turn's answer."""
        chunk: Json = {"content": {"type": "text", "text": text}, "messageId": self.message_id}
        self.late.append((seconds, {"sessionUpdate": "agent_message_chunk", **chunk}))

    def think(self, text: str) -> None:
        """Think aloud."""
        self.update("agent_thought_chunk", content={"type": "text", "text": text})

    # ---- tools ----

    def begin_tool(self, title: str, kind: str, status: str = "in_progress", **members: object) -> str:
        """Announce a tool call and return its id."""
        self._tools += 1
        tool = f"{self.message_id[:6]}-{self._tools}"
        self._open_tools.append(tool)
        self.update("tool_call", toolCallId=tool, title=title, kind=kind, status=status, **members)
        return tool

    def end_tool(self, tool: str, text: str = "", status: str = "completed") -> None:
        """Give a tool call its final status, with a text that says what came of it."""
        self._open_tools.remove(tool)
        content = [{"type": "content", "content": {"type": "text", "text": text}}]
        self.update("tool_call_update", toolCallId=tool, status=status, **({"content": content} if text else {}))

    def abandon_tools(self) -> None:
        """End whatever is still running, because the turn ends."""
        for tool in list(self._open_tools):
            self.end_tool(tool, "given up", "failed")

    # ---- asking ----

    def ask(self, tool: str, title: str) -> Generator[float | None, Json, str]:
        """Ask the person for permission; return the kind that was chosen, `cancelled`, or what was wrong.

        An answer that was meant for always is remembered for the session.
        """
        options = [{"optionId": id, "name": name, "kind": kind} for id, name, kind in OPTIONS]
        call = {"toolCallId": tool, "title": title, "status": "pending"}
        question: Json = {"sessionId": self.session.id, "toolCall": call, "options": options}
        self._request(self, "session/request_permission", question)
        kind = _chosen((yield None))
        if kind.endswith("_always"):
            self.session.standing = kind.removesuffix("_always")
        return kind


def _chosen(answer: Json) -> str:
    """What the client chose, as `Turn.ask` tells it."""
    if "error" in answer:
        return f"an error instead of an answer: {answer['error']!r}"
    result = answer.get("result")
    outcome = result.get("outcome") if isinstance(result, dict) else None
    if not isinstance(outcome, dict):
        return f"an answer without an outcome: {result!r}"
    if outcome.get("outcome") == "cancelled":
        return "cancelled"
    for id, _, kind in OPTIONS:
        if id == outcome.get("optionId"):
            return kind
    return f"an option that was not offered: {outcome.get('optionId')!r}"
