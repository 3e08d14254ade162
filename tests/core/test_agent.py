"""The agent as its session sees it: requests and their answers, pace, death."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from openab_sync.acp import events as acp
from openab_sync.acp.environment import agent_environment
from openab_sync.acp.process import Launch
from openab_sync.acp.schema import TextBlock
from openab_sync.clock import SystemClock
from openab_sync.config.schema import Config
from openab_sync.core.agent import Agent
from openab_sync.core.house import House, SetOption
from openab_sync.errors import AgentGone, AgentRefused, AgentStalled, AuthRequired
from openab_sync.text.redact import Redactor
from openab_sync.threads import Bell
from tests.fakes import fake_agent
from tests.waiting import until


@contextmanager
def running(*flags: str) -> Iterator[Agent]:
    """An agent that has been started, and nothing more."""
    program, *args = fake_agent(*flags)
    env = agent_environment(os.environ, {}, ())
    house = House(
        config=Config(),
        clock=SystemClock(),
        launch=lambda cwd: Launch(program, tuple(args), cwd or os.getcwd(), env, "fake"),
        agent_name="fake",
        redact=Redactor(),
    )
    bell = Bell()
    bell.open()
    agent = Agent(house, "", bell)
    try:
        agent.start()
        yield agent
    finally:
        agent.stop()
        bell.close()


def call(agent: Agent, request_id: int) -> acp.Answered:
    is_there = agent.expect(request_id)
    until(lambda: agent.wait(0.1, may_coast=False) is not None and is_there())
    return agent.answer(request_id)


def begin(agent: Agent) -> None:
    call(agent, agent.peer.initialize())
    call(agent, agent.peer.new_session(os.getcwd()))


def hear(agent: Agent, until_answer: int) -> list[acp.Event]:
    heard: list[acp.Event] = []

    def answered() -> bool:
        heard.extend(agent.wait(0.1, may_coast=True))
        return any(isinstance(event, acp.Answered) and event.id == until_answer for event in heard)

    until(answered)
    return heard


def test_an_error_answer_is_raised_and_who_must_log_in_is_told_how() -> None:
    with running("--auth") as agent:
        call(agent, agent.peer.initialize())
        with pytest.raises(AuthRequired) as caught:
            call(agent, agent.peer.new_session(os.getcwd()))
    assert caught.value.methods
    assert caught.value.methods[0] in caught.value.user_text()


def test_an_answer_that_is_waited_for_no_longer_is_dropped(caplog: pytest.LogCaptureFixture) -> None:
    with running() as agent:
        begin(agent)
        request_id = agent.peer.list_sessions() if agent.peer.capabilities.list else agent.peer.logout()
        agent.expect(request_id)
        agent.give_up(request_id)
        prompt = agent.peer.prompt([TextBlock("say hello")])
        heard = hear(agent, prompt)
    assert [event.id for event in heard if isinstance(event, acp.Answered | acp.Failed)] == [prompt]


def test_while_text_streams_the_pipe_is_left_to_the_kernel_for_a_moment() -> None:
    """Text that is there already is not read before the pace says so; a question of people's is never kept waiting."""
    with running() as agent:
        begin(agent)
        prompt = agent.peer.prompt([TextBlock("chunks 400 20")])
        waits = 0
        heard: list[acp.Event] = []
        while not any(isinstance(event, acp.Answered) for event in heard):
            heard += agent.wait(1, may_coast=True)
            waits += 1
        texts = [event for event in heard if isinstance(event, acp.Said)]
        assert sum(len(event.text) for event in texts) == 400 * 20
        assert waits < 100, "it woke up for every chunk"
        assert prompt == next(event.id for event in heard if isinstance(event, acp.Answered))


def test_an_option_that_is_not_there_is_refused_at_once_and_one_that_is_gets_set() -> None:
    with running("--options") as agent:
        begin(agent)
        wrong = SetOption("no-such-option", "x")
        agent.set(wrong)
        assert isinstance(wrong.done.exception(0), AgentRefused)
        option = next(item for item in agent.peer.options if item.category == "model")
        order = SetOption(option.id, option.choices[-1].value)
        agent.set(order)
        until(lambda: agent.wait(0.1, may_coast=False) is not None and order.done.done())
        assert option.choices[-1].value in order.done.result(0)
        assert agent.chosen == {option.id: option.choices[-1].value}


def test_who_waits_for_an_option_is_told_when_the_agent_ends() -> None:
    with running("--options", "--hang-on", "session/set_config_option") as agent:
        begin(agent)
        option = next(item for item in agent.peer.options if item.category == "model")
        order = SetOption(option.id, option.choices[-1].value)
        agent.set(order)
        agent.stop()
        assert isinstance(order.done.exception(0), AgentGone)


def test_an_error_carries_who_it_was_and_what_it_wrote_last() -> None:
    with running("--stderr", "5") as agent:
        begin(agent)
        until(lambda: agent.wait(0.05, may_coast=False) is not None and agent.blame(AgentStalled, "x").stderr)
        error = agent.blame(AgentStalled, "it hangs")
        assert (error.pid, error.message) == (agent.pid, "it hangs")
        assert error.command


def test_a_title_of_the_agents_own_is_kept(tmp_path: Path) -> None:
    with running() as agent:
        begin(agent)
        hear(agent, agent.peer.prompt([TextBlock("session_info A title")]))
        assert agent.title == "A title"


def test_an_error_for_people_holds_no_secret_and_says_who_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    with running("--new-error") as agent:
        monkeypatch.setattr(agent, "_redact", Redactor(["because a flag"]))
        call(agent, agent.peer.initialize())
        with pytest.raises(AgentRefused) as caught:
            call(agent, agent.peer.new_session(os.getcwd()))
    assert "[redacted]" in caught.value.message
    assert (caught.value.pid, bool(caught.value.command)) == (agent.pid, True)
