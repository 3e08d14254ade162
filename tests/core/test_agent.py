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
from openab_sync.config.live import Live
from openab_sync.config.schema import Config
from openab_sync.core.agent import LONG, PACE, Agent, same_folder
from openab_sync.core.house import House, ListSessions, SetOption
from openab_sync.core.pacer import Pacer, Pipe
from openab_sync.errors import AgentGone, AgentRefused, AgentStalled, AuthRequired
from openab_sync.text.redact import Redactor
from openab_sync.threads import Bell
from tests.fakes import fake_agent
from tests.waiting import until


@contextmanager
def running(*flags: str, pacer: Pacer | None = None) -> Iterator[Agent]:
    """An agent that has been started, and nothing more."""
    program, *args = fake_agent(*flags)
    env = agent_environment(os.environ, {}, ())
    house = House(
        live=Live(Config()),
        clock=SystemClock(),
        launch=lambda cwd: Launch(program, tuple(args), cwd or os.getcwd(), env, "fake"),
        agent_name="fake",
        redact=Redactor(),
        pacer=pacer,
    )
    bell = Bell()
    bell.open()
    agent = Agent(house, "", bell, bell.ring)
    try:
        agent.start()
        yield agent
    finally:
        agent.stop()
        bell.close()


def call(agent: Agent, request_id: int) -> acp.Answered:
    is_there = agent.expect(request_id)
    until(lambda: agent.wait(0.1, coast=0) is not None and is_there())
    return agent.answer(request_id)


def begin(agent: Agent) -> None:
    call(agent, agent.peer.initialize())
    call(agent, agent.peer.new_session(os.getcwd()))


def hear(agent: Agent, until_answer: int, coast: float = PACE) -> list[acp.Event]:
    heard: list[acp.Event] = []

    def answered() -> bool:
        heard.extend(agent.wait(0.1 if coast == PACE else 3600, coast=coast))
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
            heard += agent.wait(1, coast=PACE)
            waits += 1
        texts = [event for event in heard if isinstance(event, acp.Said)]
        assert sum(len(event.text) for event in texts) == 400 * 20
        assert waits < 100, "it woke up for every chunk"
        assert prompt == next(event.id for event in heard if isinstance(event, acp.Answered))


@contextmanager
def pacing() -> Iterator[Pacer]:
    pacer = Pacer.make(SystemClock())
    if pacer is None:
        pytest.skip("this system cannot tell")
    pacer.start()
    try:
        yield pacer
    finally:
        assert pacer.stop()


@pytest.mark.parametrize("many", [0, 100])
def test_an_agent_that_pauses_is_heard_though_it_was_to_be_left_alone_for_an_hour(
    monkeypatch: pytest.MonkeyPatch, many: int
) -> None:
    """So are its questions and the end of its turn: it writes no more then. In a crowd the kernel collects."""
    monkeypatch.setattr("openab_sync.core.pacer.MANY", many)
    with pacing() as pacer, running(pacer=pacer) as agent:
        begin(agent)
        for text in ("chunks 40 20", "say once more"):
            heard = hear(agent, agent.peer.prompt([TextBlock(text)]), coast=3600)
            assert any(isinstance(event, acp.Said) for event in heard)
            agent.listen()
        until(lambda: pacer.is_crowded is (many == 0))


class Crowd(Pacer):
    """Says that many stream, whatever it counts."""

    def __init__(self) -> None:
        super().__init__(SystemClock())
        self.is_crowded = True
        self.calls: list[str] = []

    def count(self, pipe: Pipe) -> None:
        self.calls.append("count")

    def watch(self, pipe: Pipe) -> None:
        self.calls.append("watch")


@pytest.mark.parametrize(("coast", "call"), [(PACE, "count"), (LONG, "watch")])
def test_in_a_crowd_who_streams_is_counted_however_long_it_is_left_to_the_kernel(coast: float, call: str) -> None:
    """Or nobody would be there to be a crowd, and all would read by themselves again."""
    pacer = Crowd()
    with running(pacer=pacer) as agent:
        begin(agent)
        agent.peer.prompt([TextBlock("drip 0.01")])
        until(lambda: agent.wait(1, coast=coast) is not None and pacer.calls)
    assert pacer.calls[0] == call


def test_the_end_of_a_turn_is_heard_at_once_and_not_when_the_agent_has_paused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openab_sync.core.agent.PAUSE", 3600.0)
    with pacing() as pacer, running(pacer=pacer) as agent:
        begin(agent)
        heard = hear(agent, agent.peer.prompt([TextBlock("chunks 40 20")]), coast=3600)
        assert sum(len(event.text) for event in heard if isinstance(event, acp.Said)) == 40 * 20


def test_without_a_pacer_nobody_is_left_alone_for_long() -> None:
    with running() as agent:
        begin(agent)
        heard = hear(agent, agent.peer.prompt([TextBlock("chunks 40 20")]), coast=3600)
    assert any(isinstance(event, acp.Said) for event in heard)


def test_an_option_that_is_not_there_is_refused_at_once_and_one_that_is_gets_set() -> None:
    with running("--options") as agent:
        begin(agent)
        wrong = SetOption("no-such-option", "x")
        agent.set(wrong)
        assert isinstance(wrong.done.exception(0), AgentRefused)
        option = next(item for item in agent.peer.options if item.category == "model")
        order = SetOption(option.id, option.choices[-1].value)
        agent.set(order)
        until(lambda: agent.wait(0.1, coast=0) is not None and order.done.done())
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
        until(lambda: agent.wait(0.05, coast=0) is not None and agent.blame(AgentStalled, "x").stderr)
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


def test_sessions_of_its_folder_are_listed_and_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the operator does in other folders is nobody's business here, whatever an agent lists."""
    with running() as agent:
        begin(agent)
        order = ListSessions()
        agent.list_sessions(order)
        until(lambda: agent.wait(0.1, coast=0) is not None and order.done.done())
        assert order.done.result(0) == ""
        [mine] = order.page.result(0).sessions
        assert (mine.session_id, mine.cwd) == (agent.peer.session_id, os.getcwd())
        monkeypatch.setattr("openab_sync.core.agent.same_folder", lambda one, other: False)
        again = ListSessions()
        agent.list_sessions(again)
        until(lambda: agent.wait(0.1, coast=0) is not None and again.done.done())
        assert again.page.result(0).sessions == ()
    assert same_folder("/a/b/", "/a/./b")
    assert not same_folder("/a/b", "/a")


def test_an_agent_that_lists_nothing_or_refuses_says_so() -> None:
    with running("--no-list") as agent:
        begin(agent)
        order = ListSessions()
        agent.list_sessions(order)
        assert isinstance(order.done.exception(0), AgentRefused)
        assert not order.page.done()
    with running("--hang-on", "session/list") as agent:
        begin(agent)
        agent.list_sessions(order := ListSessions())
        agent.stop()
        assert isinstance(order.done.exception(0), AgentGone)


def test_what_a_session_uses_is_added_up() -> None:
    with running("--early-updates") as agent:
        begin(agent)
        until(lambda: agent.wait(0.1, coast=0) is not None and agent.usage.used)
        assert (agent.usage.used, agent.usage.size, agent.usage.turns) == (8675, 128_000, 0)
