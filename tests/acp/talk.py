"""Both ends of a conversation for tests of the peer: bytes from an agent in, what we wrote as JSON out."""

from __future__ import annotations

import json
from typing import Any

from openab_sync.acp.events import Event, Said
from openab_sync.acp.peer import AcpPeer

SESSION = "s-1"


def line(message: object) -> bytes:
    """Return a message as an agent writes it."""
    return json.dumps(message).encode() + b"\n"


def update(kind: str, session: str = SESSION, /, **members: Any) -> dict[str, Any]:
    """Return a `session/update`."""
    params = {"sessionId": session, "update": {"sessionUpdate": kind, **members}}
    return {"jsonrpc": "2.0", "method": "session/update", "params": params}


def chunk(text: str, session: str = SESSION, /, **members: Any) -> dict[str, Any]:
    """Return a piece of an answer."""
    return update("agent_message_chunk", session, content={"type": "text", "text": text}, **members)


def ask(name: object, options: object = None, tool: object = None) -> dict[str, Any]:
    """Return a permission request."""
    given = [{"optionId": "yes", "name": "Yes", "kind": "allow_once"}] if options is None else options
    about = {"toolCallId": "t1", "title": "ls"} if tool is None else tool
    params = {"sessionId": SESSION, "toolCall": about, "options": given}
    return {"jsonrpc": "2.0", "id": name, "method": "session/request_permission", "params": params}


class Talk:
    """A peer, and what an agent says to it."""

    def __init__(self, peer: AcpPeer | None = None) -> None:
        self.peer = peer or AcpPeer(version="1.2")

    def hear(self, *messages: object) -> list[Event]:
        """Let the agent say these in one go and return the events."""
        return self.peer.receive(b"".join(one if isinstance(one, bytes) else line(one) for one in messages))

    def answer(self, name: int, result: object = None) -> list[Event]:
        """Let the agent answer a request of ours."""
        return self.hear({"jsonrpc": "2.0", "id": name, "result": {} if result is None else result})

    def refuse(self, name: int, error: object) -> list[Event]:
        """Let the agent answer a request of ours with an error."""
        return self.hear({"jsonrpc": "2.0", "id": name, "error": error})

    def written(self) -> list[dict[str, Any]]:
        """Return what we have written since the last time; every line is JSON or this raises."""
        lines = bytes(self.peer.outgoing).split(b"\n")
        self.peer.outgoing.clear()
        assert lines.pop() == b""
        return [json.loads(one) for one in lines]

    def shake_hands(self, **capabilities: object) -> Talk:
        """Initialize with these agentCapabilities."""
        self.answer(self.peer.initialize(), {"protocolVersion": 1, "agentCapabilities": capabilities})
        return self

    def open(self, **result: object) -> Talk:
        """Begin the session SESSION, whose answer has these members too."""
        self.answer(self.peer.new_session("/w"), {"sessionId": SESSION, **result})
        self.written()
        return self


def opened(**result: object) -> Talk:
    """Return a talk with a peer whose session is open."""
    return Talk().shake_hands().open(**result)


def text_of(events: list[Event]) -> str:
    """Return all that was said."""
    return "".join(event.text for event in events if isinstance(event, Said))
