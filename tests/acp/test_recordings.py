"""What real agents sent, replayed: nothing raises, everything is answered once, the text is what they said."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from openab_sync.acp.events import Answered, Asked, Event, Failed, Said, ToolChanged
from openab_sync.acp.peer import AcpPeer
from openab_sync.acp.schema import TextBlock
from openab_sync.errors import AgentRefused
from tests.acp.talk import line

RECORDINGS = sorted((Path(__file__).parent / "recordings").glob("*.jsonl"))
OPENING = ("session/new", "session/load", "session/resume")
Message = dict[str, Any]


def runs(path: Path) -> list[list[tuple[str, Message]]]:
    """Return the traffic of each process of a recording: each begins with `initialize`."""
    found: list[list[tuple[str, Message]]] = []
    for text in path.read_text(encoding="utf-8").split("\n"):
        if text:
            entry = json.loads(text)
            if entry["msg"].get("method") == "initialize":
                found.append([])
            found[-1].append((entry["dir"], entry["msg"]))
    return found


class Replay:
    """One process: its agent's lines go through a peer that is made to ask what the recording's client asked."""

    def __init__(self) -> None:
        self.peer = AcpPeer()
        self.ours: dict[str, int] = {}  # the recording's ids of requests that this peer has made too
        self.events: list[Event] = []
        self.asked: Counter[str] = Counter()
        self.said: list[str] = []  # text the peer must tell
        self.early: list[str] = []  # text from before the answer that opens the session
        self.loading: str | None = None

    def client(self, message: Message) -> None:
        """Do what the recording's client did, as far as this one would do it."""
        method, params = message.get("method"), message.get("params", {})
        if method is None:
            outcome = (message.get("result") or {}).get("outcome", {})
            if message["id"] in self.peer.open_questions:
                self.peer.answer(message["id"], outcome.get("optionId"))
        elif method == "session/cancel":
            if params["sessionId"] == self.peer.session_id:
                self.peer.cancel()
        elif "id" in message and (name := self.request(method, params)) is not None:
            self.ours[json.dumps(message["id"])] = name
            if method in OPENING:
                self.loading = params.get("sessionId", "")

    def request(self, method: str, params: Message) -> int | None:
        peer, session = self.peer, params.get("sessionId", "")
        if method == "initialize":
            return peer.initialize()
        if method == "session/new" and peer.session_id is None:
            return peer.new_session(params["cwd"])
        if method == "session/load":
            return peer.load_session(session, params["cwd"])
        if method == "session/resume" and peer.capabilities.resume:
            return peer.resume_session(session, params["cwd"])
        if session != peer.session_id:
            return None
        if method == "session/prompt" and peer.prompt_id is None:
            return peer.prompt([TextBlock("again")])
        try:
            return peer.set_option(params["configId"], params["value"]) if "configId" in params else None
        except AgentRefused:
            return None

    def agent(self, message: Message) -> None:
        """Let the peer hear a line of the recording, with the ids of this conversation."""
        if "method" in message:
            if "id" in message:
                self.asked[json.dumps(message["id"])] += 1
            self.expect(message.get("params") or {})
        elif (name := self.ours.pop(json.dumps(message["id"]), None)) is not None:
            message = {**message, "id": name}
        else:
            message = {**message, "id": 10_000}
        heard = self.peer.receive(line(message))
        self.events += heard
        if any(isinstance(event, Answered | Failed) and event.method in OPENING for event in heard):
            self.said += self.early if self.loading == "" else []
            self.loading = None

    def expect(self, params: Message) -> None:
        news = params.get("update") or {}
        block: Message = news.get("content") or {}
        if news.get("sessionUpdate") == "agent_message_chunk" and block["type"] == "text":
            if self.loading is not None:
                self.early.append(block["text"])
            elif params["sessionId"] == self.peer.session_id:
                self.said.append(block["text"])


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.stem)
def test_a_recording_goes_through(path: Path) -> None:
    told: list[Event] = []
    for run in runs(path):
        replay = Replay()
        for direction, message in run:
            replay.client(message) if direction == "c2a" else replay.agent(message)
        replay.peer.close()
        lines = [json.loads(one) for one in bytes(replay.peer.outgoing).splitlines()]
        answers = Counter(json.dumps(one["id"]) for one in lines if "method" not in one)
        assert answers == +replay.asked
        assert "".join(event.text for event in replay.events if isinstance(event, Said)) == "".join(replay.said)
        told += replay.events
    if path.stem != "auggie":  # which wants a login before anything else
        assert any(isinstance(event, Said) for event in told)
        assert any(isinstance(event, Answered) and event.stop_reason == "end_turn" for event in told)
    if path.stem not in ("auggie", "pi"):  # pi asks no permissions
        assert any(isinstance(event, Asked) and event.options and event.tool.call_id for event in told)
        assert any(isinstance(event, ToolChanged) and event.status == "completed" for event in told)


def test_there_are_recordings() -> None:
    assert len(RECORDINGS) == 13
