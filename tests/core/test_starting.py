"""How a session begins: the real peer, and an agent on paper that answers each request as the test says."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from openab_sync.acp.events import Answered, Failed
from openab_sync.acp.peer import AcpPeer, error_from
from openab_sync.acp.schema import McpServer
from openab_sync.config.agents import presets
from openab_sync.config.schema import Config
from openab_sync.core.house import House, Memory
from openab_sync.core.starting import Starting, own
from openab_sync.errors import AgentError, AgentGone, AgentProtocolError, AgentRefused, AgentStalled, AuthRequired
from tests.core.makers import house
from tests.fakes.clock import FakeClock

OLD = Memory("old-id", cwd="/work")
MODEL = {"id": "model", "name": "Model", "currentValue": "big", "options": [{"value": "big"}, {"value": "small"}]}
EFFORT = {"id": "effort", "name": "Effort", "currentValue": "low", "options": [{"value": "low"}, {"value": "high"}]}
OPTIONS = {"configOptions": [MODEL, EFFORT]}
REFUSED = {"code": -32603, "message": "Internal error", "data": {"details": "unknown session"}}
LOGIN = {"code": -32000, "message": "Authentication required"}


class PaperAgent:
    """Answers by method: a dict is a result, a dict with a code an error, an exception what `call` raises instead."""

    def __init__(self, **capabilities: Any) -> None:
        self.peer = AcpPeer()
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.waits: list[tuple[str, float]] = []
        self.kept: list[Memory] = []
        self.says: dict[str, dict[str, Any] | AgentError] = {
            "initialize": {
                "protocolVersion": 1,
                "agentCapabilities": capabilities,
                "agentInfo": {"name": "paper", "title": "Paper"},
            },
            "session/new": {"sessionId": "new-id", **OPTIONS},
            "session/load": OPTIONS,
            "session/resume": OPTIONS,
            "session/set_config_option": {},
        }

    def call(self, request_id: int, seconds: float, what: str) -> Answered:
        request = json.loads(bytes(self.peer.outgoing).splitlines()[-1])
        assert request["id"] == request_id
        self.asked.append((request["method"], request["params"]))
        self.waits.append((what, seconds))
        says = self.says[request["method"]]
        if isinstance(says, AgentError):
            self.peer.abandon(request_id)
            raise says
        answer = {"jsonrpc": "2.0", "id": request_id, "error" if "code" in says else "result": says}
        events = self.peer.receive(json.dumps(answer).encode() + b"\n")
        found = next(event for event in events if isinstance(event, Answered | Failed))
        if isinstance(found, Failed):
            raise error_from(found, self.peer.auth_methods)
        return found

    def begin(self, memory: Memory, inn: House | None = None) -> tuple[Memory, list[str]]:
        """What is remembered in the end, and what people are told; all that was remembered is in `kept`."""
        self.starting = Starting(self.peer, inn or house(FakeClock()), self.call, self.kept.append)
        notices = self.starting.begin(memory)
        return self.kept[-1], notices

    @property
    def methods(self) -> list[str]:
        return [method for method, _ in self.asked]

    @property
    def set(self) -> list[tuple[str, object]]:
        """The options that were set, in order."""
        return [(params["configId"], params["value"]) for _, params in self.asked if "configId" in params]


def both() -> PaperAgent:
    return PaperAgent(loadSession=True, sessionCapabilities={"resume": {}})


def test_a_conversation_without_a_past_begins_a_new_session() -> None:
    agent = both()
    memory, notices = agent.begin(Memory(cwd="/work"))
    assert agent.methods == ["initialize", "session/new"]
    assert agent.asked[1][1] == {"cwd": "/work", "mcpServers": []}
    assert memory == Memory("new-id", (), "/work")
    assert notices == []


def test_each_request_has_its_own_patience() -> None:
    agent = both()
    agent.begin(Memory("old-id", (("model", "small"),), "/work"))
    assert agent.waits == [("initialize", 30.0), ("session/resume", 120.0), ("set model", 30.0)]


def test_resuming_is_preferred_to_loading() -> None:
    agent = both()
    memory, notices = agent.begin(OLD)
    assert agent.methods == ["initialize", "session/resume"]
    assert agent.asked[1][1]["sessionId"] == "old-id"
    assert (memory.acp_session_id, notices) == ("old-id", [])


def test_an_agent_that_can_only_load_loads() -> None:
    agent = PaperAgent(loadSession=True)
    memory, notices = agent.begin(OLD)
    assert agent.methods == ["initialize", "session/load"]
    assert agent.waits[1][0] == "session/load"
    assert (memory.acp_session_id, notices) == ("old-id", [])


def test_an_agent_that_can_do_neither_starts_fresh_and_people_are_told() -> None:
    """FIELD D8."""
    agent = PaperAgent()
    memory, notices = agent.begin(OLD)
    assert agent.methods == ["initialize", "session/new"]
    assert memory.acp_session_id == "new-id"
    [notice] = notices
    assert notice.startswith("Paper cannot resume sessions")


@pytest.mark.parametrize("how", ["session/load", "session/resume"])
def test_an_agent_that_has_forgotten_starts_fresh_and_people_are_told(
    how: str, caplog: pytest.LogCaptureFixture
) -> None:
    agent = both() if how == "session/resume" else PaperAgent(loadSession=True)
    agent.says["session/resume"] = agent.says["session/load"] = REFUSED
    memory, notices = agent.begin(OLD)
    tried = ["session/resume", "session/load"] if how == "session/resume" else ["session/load"]
    assert agent.methods == ["initialize", *tried, "session/new"]
    assert memory.acp_session_id == "new-id"
    [notice] = notices
    assert notice.startswith("Paper could not take up the earlier session (")
    assert "unknown session" in notice
    assert {record.levelname for record in caplog.records} == {"WARNING"}
    assert "old-id" not in caplog.text


@pytest.mark.parametrize(
    "trouble", [LOGIN, AgentStalled("too long"), AgentGone("dead"), AgentProtocolError("what?")], ids=repr
)
def test_what_is_no_refusal_ends_the_start_and_costs_nobody_the_session(trouble: dict[str, Any] | AgentError) -> None:
    """FIELD D3: the caller's memory still names the old session, and it is tried again next time."""
    agent = both()
    agent.says["session/resume"] = trouble
    with pytest.raises(AgentError) as caught:
        agent.begin(OLD)
    assert caught.value is trouble or isinstance(caught.value, AuthRequired)
    assert agent.methods == ["initialize", "session/resume"]
    assert agent.kept == []
    assert OLD.acp_session_id == "old-id"


@pytest.mark.parametrize("method", ["initialize", "session/new"])
@pytest.mark.parametrize(
    ("trouble", "kind"), [(REFUSED, AgentRefused), (LOGIN, AuthRequired)], ids=["refused", "login"]
)
def test_without_a_handshake_or_a_session_there_is_no_start(
    method: str, trouble: dict[str, Any], kind: type[AgentError]
) -> None:
    agent = both()
    agent.says[method] = trouble
    with pytest.raises(kind):
        agent.begin(Memory(cwd="/work"))
    assert agent.methods[-1] == method


def inn_with(**options: str | bool) -> House:
    return house(FakeClock(), msgspec.convert({"pool": {"default_config_options": options}}, Config))


def test_a_new_session_gets_the_default_options_and_then_those_people_chose() -> None:
    """FIELD J12."""
    agent = PaperAgent()
    memory = Memory(options=(("model", "small"),), cwd="/work")
    remembered, notices = agent.begin(memory, inn_with(model="big", effort="high"))
    assert agent.methods[:2] == ["initialize", "session/new"]
    assert agent.set == [("model", "big"), ("effort", "high"), ("model", "small")]
    assert remembered.options == memory.options  # the defaults are the configuration's, not the conversation's
    assert notices == []


def test_a_resumed_session_gets_only_what_people_chose() -> None:
    agent = both()
    agent.begin(Memory("old-id", (("effort", "high"),), "/work"), inn_with(model="big"))
    assert agent.set == [("effort", "high")]


def test_a_session_that_was_forgotten_gets_the_default_options_again() -> None:
    agent = both()
    agent.says["session/resume"] = agent.says["session/load"] = REFUSED
    agent.begin(OLD, inn_with(model="big"))
    assert agent.set == [("model", "big")]


def test_an_option_that_the_agent_refuses_is_a_notice_and_no_obstacle() -> None:
    """FIELD B18: the agent's own words are shown, nothing is tried behind its back."""
    agent = PaperAgent()
    agent.says["session/set_config_option"] = REFUSED
    memory, notices = agent.begin(Memory(cwd="/work"), inn_with(model="small", effort="high"))
    assert memory.acp_session_id == "new-id"
    assert [notice.partition(":")[0] for notice in notices] == [
        "model could not be set to small",
        "effort could not be set to high",
    ]
    assert all("unknown session" in notice for notice in notices)


def test_an_option_that_is_not_offered_is_not_even_asked_for() -> None:
    agent = PaperAgent()
    _, notices = agent.begin(Memory(cwd="/work"), inn_with(modle="small", model="tiny"))
    assert agent.set == []
    assert [notice.partition(":")[0] for notice in notices] == [
        "modle could not be set to small",
        "model could not be set to tiny",
    ]
    assert "'model'" in notices[0]


@pytest.mark.parametrize("trouble", [AgentStalled("too long"), AgentGone("dead")], ids=repr)
def test_an_agent_that_dies_or_hangs_over_an_option_has_not_started(trouble: AgentError) -> None:
    agent = PaperAgent()
    agent.says["session/set_config_option"] = trouble
    with pytest.raises(type(trouble)):
        agent.begin(Memory(cwd="/work"), inn_with(model="small"))


# What is remembered, and of whom.


def test_a_session_is_remembered_before_anything_else_is_asked_of_it() -> None:
    """FIELD D2: what comes after it may take long, and end badly."""
    agent = PaperAgent()
    agent.says["session/set_config_option"] = AgentGone("dead")
    with pytest.raises(AgentGone):
        agent.begin(Memory(cwd="/work"), inn_with(model="small"))
    assert [memory.acp_session_id for memory in agent.kept] == ["new-id"]


def test_a_session_that_is_not_taken_up_goes_to_the_archive() -> None:
    agent = both()
    agent.says["session/resume"] = agent.says["session/load"] = REFUSED
    memory, _ = agent.begin(OLD)
    assert (memory.acp_session_id, memory.archive) == ("new-id", ("old-id",))


def test_an_agent_that_refuses_to_resume_may_still_load() -> None:
    agent = both()
    agent.says["session/resume"] = {"code": -32601, "message": "Method not found"}
    memory, notices = agent.begin(OLD)
    assert agent.methods == ["initialize", "session/resume", "session/load"]
    assert (memory.acp_session_id, memory.archive, notices) == ("old-id", (), [])
    assert agent.starting.is_resumed


def test_what_was_taken_up_by_mistake_is_begun_anew_with_what_people_chose() -> None:
    agent = both()
    agent.begin(Memory("old-id", (("effort", "high"),), "/work"), inn_with(model="big"))
    notices = agent.starting.anew(agent.kept[-1])
    assert agent.methods[-3:] == ["session/new", *["session/set_config_option"] * 2]
    assert agent.set == [("effort", "high"), ("model", "big"), ("effort", "high")]
    assert agent.kept[-1] == Memory("new-id", (("effort", "high"),), "/work", archive=("old-id",))
    assert notices == ["Paper did not know the earlier session after all: it starts fresh."]


def test_no_agent_is_asked_for_what_another_one_remembers() -> None:
    inn = replace(house(FakeClock()), agent_id="this")
    theirs = Memory("old-id", (("model", "small"),), "/theirs", agent="that", archive=("older-id",))
    memory, notices = own(theirs, inn)
    assert memory == Memory(archive=("old-id", "older-id"))
    assert notices == ["This conversation was begun with another agent: Nothing does not know what was said before."]
    assert own(Memory(agent="that"), inn) == (Memory(), [])
    for mine in (Memory("old-id", agent="this"), Memory("old-id", archive=("older-id",)), Memory()):
        assert own(mine, inn) == (mine, [])


def test_a_conversation_whose_session_was_taken_elsewhere_says_so() -> None:
    inn = house(FakeClock())
    taken = Memory("old-id", (("model", "small"),)).archived()
    assert own(taken, inn) == (
        taken, ["The earlier session of this conversation went on elsewhere: Nothing starts fresh."],
    )  # fmt: skip


def test_whose_a_session_is_stands_in_what_is_remembered() -> None:
    agent, inn = both(), replace(house(FakeClock()), agent_id="this")
    assert agent.begin(OLD, inn)[0].agent == "this"
    assert PaperAgent().begin(Memory(), inn)[0].agent == "this"


def test_tool_servers_go_out_and_those_left_out_are_named() -> None:
    servers = (McpServer("files", "stdio", "mcp-files"), McpServer("web", "http", url="https://example.org"))
    plain = house(FakeClock())
    inn = House(plain.live, plain.clock, plain.launch, plain.agent_name, plain.redact, servers)
    agent = both()
    _, notices = agent.begin(OLD, inn)
    assert [server["name"] for server in agent.asked[1][1]["mcpServers"]] == ["files"]
    assert notices == ["MCP servers this agent cannot use were left out: web."]


# It asks before it acts.

MODE = {"id": "mode", "name": "Mode", "category": "mode", "currentValue": "auto"}
MODES = {"configOptions": [{**MODE, "options": [{"value": "auto"}, {"value": "default"}, {"value": "plan"}]}]}
UNASKED = "⚠ Paper could not be put into its mode “default”, in which it asks before it acts: "


def asking(mode: str = "ask") -> House:
    sections = {"permissions": {"mode": mode}}
    return replace(house(FakeClock(), msgspec.convert(sections, Config)), preset=presets()["claude"])


def moded() -> PaperAgent:
    agent = both()
    agent.says |= {"session/new": {"sessionId": "new-id", **MODES}, "session/resume": MODES, "session/load": MODES}
    return agent


@pytest.mark.parametrize("how", ["session/new", "session/resume", "session/load"])
def test_a_session_is_put_into_the_mode_in_which_it_asks_however_it_begins(how: str) -> None:
    agent = moded()
    if how == "session/load":
        agent.says["session/resume"] = REFUSED
    _, notices = agent.begin(Memory(cwd="/work") if how == "session/new" else OLD, asking())
    assert how in agent.methods
    assert (agent.set, notices) == ([("mode", "default")], [])


def test_under_another_policy_the_mode_is_let_be() -> None:
    for mode in ("allow", "deny"):
        agent = moded()
        agent.begin(OLD, asking(mode=mode))
        assert agent.set == []


def test_what_people_or_the_configuration_chose_is_the_mode_after_a_resume_too() -> None:
    agent = moded()
    agent.begin(replace(OLD, options=(("mode", "plan"),)), asking())
    assert agent.set == [("mode", "plan")]
    inn = house(FakeClock(), msgspec.convert({"pool": {"default_config_options": {"mode": "plan"}}}, Config))
    agent = moded()
    agent.begin(OLD, replace(inn, preset=presets()["claude"]))
    assert agent.set == [("mode", "plan")]


def test_where_it_cannot_be_people_are_told_once() -> None:
    agent = moded()
    agent.says["session/set_config_option"] = REFUSED
    memory, notices = agent.begin(Memory(cwd="/work"), asking())
    assert len(notices) == 1 and notices[0].startswith(UNASKED) and "unknown session" in notices[0]
    again = moded()
    again.says["session/set_config_option"] = REFUSED
    assert again.begin(memory, asking())[1] == []
    other = both()  # it has no modes at all: that is another thing to know
    memory, notices = other.begin(memory, asking())
    assert notices == [f"{UNASKED}it has no such mode. It may act unasked."]
    assert both().begin(memory, asking())[1] == []


def test_an_agent_that_never_asks_is_named_before_it_acts_once() -> None:
    """`ask` is the default, and an agent that has no such mode must not look as if it had."""
    inn = replace(house(FakeClock()), preset=presets()["pi"])
    memory, notices = both().begin(Memory(cwd="/work"), inn)
    assert notices == ["⚠ Paper never asks before it acts: it may do whatever your user may."]
    assert both().begin(memory, inn)[1] == []
