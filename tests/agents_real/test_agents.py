"""Each real agent, taken through each step: greeting, tool, permission, cancel, SIGKILL and what comes after it.

Opt-in (`tox -e agents`): the agents are some 1.2 GB of packages and take seconds to start.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from openab_sync.config.schema import AgentConfig
from openab_sync.core.port import Limits
from tests.others.room import Room, Run

from .agents import AGENTS, LOCKED, RealAgent, configure
from .model_server import ModelServer
from .script import GREETING, MADE

pytestmark = pytest.mark.agents

PATIENCE = 90.0  # seconds for anything a real agent does, its start included

FRESH = ("cannot resume sessions", "it starts fresh")


def name(agent: RealAgent) -> str:
    return agent.preset


@pytest.fixture(params=AGENTS, ids=name)
def agent(request: pytest.FixtureRequest) -> RealAgent:
    found = request.param
    assert isinstance(found, RealAgent)
    return found


those_that_ask = pytest.mark.parametrize("agent", [agent for agent in AGENTS if agent.asks], ids=name)
those_that_write = pytest.mark.parametrize("agent", [agent for agent in AGENTS if agent.writes], ids=name)


@pytest.fixture
def model(tmp_path: Path) -> Iterator[ModelServer]:
    with ModelServer(tmp_path / "work") as server:
        yield server


@pytest.fixture
def config(agent: RealAgent, model: ModelServer, tmp_path: Path) -> AgentConfig:
    return configure(agent, tmp_path, model.url)


@pytest.fixture
def room(config: AgentConfig) -> Iterator[Room]:
    with Room(config, patience=PATIENCE) as it:
        yield it


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """What the script's command makes."""
    return tmp_path / "work" / MADE


def greets(room: Room) -> None:
    """Greet the agent; a turn that went wrong before must not have left a trace."""
    run = room.say("SCRIPT:hello")
    assert run.until_end().outcome == "done", run.until_end().reason
    assert GREETING in run.text


def command(room: Room, agent: RealAgent, kind: str) -> Run:
    """Have the agent run a command; where it asks, choose the option of this kind."""
    run = room.begin("SCRIPT:shell")
    if agent.asks:
        room.choose(room.question(), kind)
    run.until_end()
    return run


def test_it_answers_a_greeting(room: Room) -> None:
    greets(room)


def test_people_read_its_answer_where_messages_are_edited(config: AgentConfig) -> None:
    with Room(config, limits=Limits(edit_interval=0.1), patience=PATIENCE) as room:
        run = room.begin("SCRIPT:hello")
        room.wait(lambda: room.platform.reactions.get(run.ref) == ["🆗"])
        (text,) = room.platform.texts(run.ref.conversation)
        assert GREETING in text


def test_it_uses_a_tool_that_only_reads(room: Room) -> None:
    run = room.begin("SCRIPT:read")
    room.wait(lambda: run.ended is not None or bool(room.platform.questions))
    if run.ended is None:  # some ask before they read
        room.choose(room.question(), "allow_once")
    assert run.until_end().outcome == "done", run.until_end().reason
    assert "The tool said:" in run.text and "read me" in run.text
    assert "completed" in {tool.status for tool in run.tools().values()}


def test_it_runs_a_command_that_is_allowed(room: Room, agent: RealAgent, made: Path) -> None:
    run = command(room, agent, "allow_once")
    assert run.until_end().outcome == "done", run.until_end().reason
    assert made.read_text() == "made\n"
    assert "The tool said:" in run.text
    assert bool(room.platform.questions) is agent.asks
    greets(room)


@those_that_write
def test_it_writes_a_file_that_is_allowed_and_says_so_to_the_end(room: Room, made: Path) -> None:
    run = room.begin("SCRIPT:write")
    room.wait(lambda: run.ended is not None or bool(room.platform.questions))
    if run.ended is None:
        room.choose(room.question(), "allow_once")
    assert run.until_end().outcome == "done", run.until_end().reason
    assert made.read_text() == "made\n"
    assert "The tool said:" in run.text  # some ask to write through us, which is refused: the turn goes on


@those_that_ask
def test_it_does_not_run_a_command_that_is_rejected(room: Room, agent: RealAgent, made: Path) -> None:
    command(room, agent, "reject_once")
    assert not made.exists()
    greets(room)


def test_a_cancel_ends_its_stream(room: Room) -> None:
    run = room.begin("SCRIPT:slow")
    run.until_text("word3 ")
    room.cancel()
    ended = run.until_end()
    assert ended.outcome == "cancelled", ended
    assert "word299" not in run.text
    greets(room)


@those_that_ask
def test_a_cancel_ends_its_open_question(room: Room, agent: RealAgent, made: Path) -> None:
    run = room.begin("SCRIPT:shell")
    question = room.question()
    room.cancel()
    assert run.until_end().outcome == "cancelled", run.until_end()
    assert not made.exists()
    assert [one for one, _ in room.platform.settled] == [question]
    again = command(room, agent, "allow_once")
    assert again.until_end().outcome == "done", again.until_end().reason
    assert made.exists()


def test_killed_in_mid_turn_it_goes_on_in_the_next_process(room: Room, agent: RealAgent, model: ModelServer) -> None:
    assert room.say("SCRIPT:hello once").until_end().outcome == "done"
    run = room.begin("SCRIPT:slow")
    run.until_text("word3 ")
    killed = room.kill()
    assert run.until_end().outcome == "gone"
    assert "word3 " in run.text
    after = room.say("SCRIPT:hello again")
    assert after.until_end().outcome == "done", after.until_end().reason
    assert GREETING in after.text
    assert after.text.count(GREETING) == 1  # history is not played once more
    assert room.pid() != killed
    assert any(words in after.notices for words in FRESH) is not agent.resumes, after.notices
    assert ("SCRIPT:hello once" in model.said_to_model()) is agent.resumes  # the model is told what was said before


def test_one_that_nobody_has_logged_in_says_so_every_time(tmp_path: Path) -> None:
    with Room(configure(LOCKED, tmp_path, "http://127.0.0.1:9"), patience=PATIENCE) as room:
        for _ in range(2):
            ended = room.say("SCRIPT:hello").until_end()
            assert ended.outcome == "failed"
            assert "log in" in ended.reason and "auggie login" in ended.reason
