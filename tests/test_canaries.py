"""Secrets are planted wherever a configuration can hold one; an agent tells all it was given, wherever it can.

Then everything that was logged and posted is searched for them.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import pytest

from openab_sync.acp.process import Launch
from openab_sync.app import App
from openab_sync.clock import SystemClock
from openab_sync.config import Loaded, load
from openab_sync.core.message import Conversation, Inbound, MessageRef, Person
from openab_sync.core.port import Limits
from tests.fakes.platform import FakePlatform
from tests.waiting import until

HERE = Conversation("test", "1")

# A canary each; the names of the variables say nothing.
PLACES = (
    "agent_argument",
    "agent_piece_of_argument",
    "agent_variable",
    "agent_inherited",
    "server_argument",
    "server_variable",
    "server_url_path",
    "server_url_query",
    "server_url_password",
    "server_header",
    "server_bearer",
)
CANARIES = {place.upper(): f"canary of {place.replace('_', ' ')}".replace(" ", "-") for place in PLACES}

CONFIG = """
[agent]
command = "{python}"
args = ["{program}", "${{AGENT_ARGUMENT}}", "--key=${{AGENT_PIECE_OF_ARGUMENT}}"]
inherit_env = ["AGENT_INHERITED"]
env = {{ MINE = "${{AGENT_VARIABLE}}" }}

[[agent.mcp_servers]]
name = "files"
command = "mcp-files"
args = ["--token", "${{SERVER_ARGUMENT}}"]
env = {{ A = "${{SERVER_VARIABLE}}" }}

[[agent.mcp_servers]]
name = "web"
type = "http"
url = "https://me:${{SERVER_URL_PASSWORD}}@example.org/${{SERVER_URL_PATH}}/mcp?x=${{SERVER_URL_QUERY}}"
headers = {{ X = "${{SERVER_HEADER}}", Authorization = "Bearer ${{SERVER_BEARER}}" }}
"""

# Shakes hands, then says all it knows: on stderr, as noise on stdout, and in an error, text and data.
TELLTALE = """
import json, os, sys

for line in sys.stdin:
    message = json.loads(line)
    if "id" not in message:
        continue
    if message["method"] == "initialize":
        answer = {"result": {"protocolVersion": 1, "agentCapabilities": {"mcpCapabilities": {"http": True}}}}
    else:
        known = [sys.argv[1:], os.environ["MINE"], os.environ["AGENT_INHERITED"], message["params"]]
        words = [str(word) for word in known]
        print(*words, sep="\\n", file=sys.stderr, flush=True)
        print(*words, sep="\\n", flush=True)
        data = {"message": words[0], "details": words[3]}
        answer = {"error": {"code": -32603, "message": " ".join(words[:3]), "data": data}}
    print(json.dumps({"jsonrpc": "2.0", "id": message["id"], **answer}), flush=True)
"""


@pytest.fixture
def loaded(tmp_path: Path) -> Loaded:
    program, file = tmp_path / "telltale.py", tmp_path / "config.toml"
    program.write_text(TELLTALE)
    file.write_text(CONFIG.format(python=sys.executable, program=program))
    return load(file, CANARIES)


def told(loaded: Loaded, port: FakePlatform) -> str:
    """Everything that people in the conversation and those who ask for the status get to see."""
    house = App(loaded.config, {"test": port}, environ=CANARIES, secrets=loaded.secrets)
    house.start()
    ann = Person("a", "Ann")
    house.broker.receive(Inbound(MessageRef(HERE, "m1"), ann, "hello"))
    port.until(lambda: bool(port.texts(HERE)))
    status = house.broker.command(HERE, "status", "", ann).result(10).text
    seen = [repr(house.broker.snapshot()), status, repr(loaded), repr(loaded.config)]
    assert house.stop()
    until(lambda: house.broker.snapshot().sessions == ())
    return "\n".join([*seen, *port.texts(HERE), *(op.text for op in port.ops)])


def test_no_canary_is_ever_seen(loaded: Loaded, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    port = FakePlatform(SystemClock(), Limits(live="once", typing_interval=None, reactions=False), threaded=True)
    try:
        seen = told(loaded, port)
    finally:
        port.close()
    logged = caplog.text + "".join(map(repr, caplog.records))
    assert seen.count("[redacted]") >= 3, "the agent's error is shown"
    assert caplog.text.count("[redacted]") >= len(CANARIES), "so are its last words"
    assert [canary for canary in CANARIES.values() if canary in seen] == []
    assert [canary for canary in CANARIES.values() if canary in logged] == []


def test_a_launch_does_not_show_what_an_agent_is_given() -> None:
    assert "canary" not in repr(Launch("agent", ("--key", "canary-1"), "/", {"KEY": "canary-2"}))
