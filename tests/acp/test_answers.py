"""The answer to `initialize`: what it says of the agent, in whichever shape."""

from __future__ import annotations

import pytest

from openab_sync.acp.events import (
    AuthMethod,
    Event,
    Noise,
)
from openab_sync.acp.peer import AcpPeer
from openab_sync.errors import AgentRefused
from tests.acp.talk import Talk


def whats(events: list[Event]) -> list[str]:
    return [event.what for event in events if isinstance(event, Noise)]


def test_an_object_or_true_is_a_capability_and_all_else_is_none() -> None:
    talk = Talk().shake_hands(
        loadSession=True,
        promptCapabilities={"image": True, "audio": False},
        mcpCapabilities={"http": None, "sse": {}},
        sessionCapabilities={"list": {}, "resume": None, "close": False},
    )
    can = talk.peer.capabilities
    assert (can.load, can.image, can.sse, can.list) == (True, True, True, True)
    assert not (can.audio or can.embedded or can.http or can.resume or can.close or can.delete)


def test_capabilities_of_odd_shapes_are_none() -> None:
    talk = Talk().shake_hands(loadSession="yes", promptCapabilities=[1], sessionCapabilities="all")
    assert talk.peer.capabilities == AcpPeer().capabilities
    assert talk.answer(talk.peer.new_session("/w"), {"sessionId": "x"})


def test_who_the_agent_is_and_how_to_log_in() -> None:
    talk = Talk()
    methods = [
        {
            "id": "own",
            "name": "Browser",
            "description": "opens one",
            "_meta": {"terminal-auth": {"command": "a", "args": ["login"], "env": {"X": "1"}}},
        },
        {"id": "tty", "type": "terminal", "args": ["--login"], "env": [{"name": "Y", "value": "2"}, {"name": 3}]},
        {"id": "odd", "name": None, "args": None, "_meta": {"terminal-auth": ["x"]}},
        {"name": "no id"},
    ]
    info = {"name": "robot", "title": "Robot", "version": "9"}
    events = talk.answer(talk.peer.initialize(), {"protocolVersion": 1, "agentInfo": info, "authMethods": methods})
    assert (talk.peer.agent_name, talk.peer.agent_title, talk.peer.agent_version) == ("robot", "Robot", "9")
    assert talk.peer.auth_methods == (
        AuthMethod("own", "Browser", "opens one", "agent", ("login",), (("X", "1"),), "a"),
        AuthMethod("tty", "tty", "", "terminal", ("--login",), (("Y", "2"),)),
        AuthMethod("odd", "odd"),
    )
    assert len(whats(events)) == 1
    assert "robot" in repr(talk.peer)
    with pytest.raises(AgentRefused, match="logging in by tty needs a terminal"):
        talk.peer.authenticate("tty")
    talk.written()
    talk.peer.authenticate("own")
    talk.peer.logout()
    one, two = talk.written()
    assert (one["method"], one["params"]) == ("authenticate", {"methodId": "own"})
    assert (two["method"], two["params"]) == ("logout", {})
