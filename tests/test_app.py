"""The app: what it builds from a configuration, and how it starts and stops. With real agents behind it."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import psutil
import pytest

from openab_sync.acp.environment import dying_with_us
from openab_sync.app import App, _advice
from openab_sync.clock import SystemClock
from openab_sync.config.agents import presets, resolve
from openab_sync.config.schema import AgentConfig, Config
from openab_sync.core.message import Conversation, Inbound, MessageRef, Person
from openab_sync.core.pool import SessionPool
from openab_sync.core.port import Limits
from openab_sync.core.state import State
from openab_sync.errors import AgentError, AgentGone, AgentStartError, AuthRequired, ConfigError
from tests.core.bed import Bed
from tests.fakes.platform import FakePlatform
from tests.waiting import until

HERE = Conversation("test", "1")
WHOLE = Limits(live="once", typing_interval=None, reactions=False)
ENVIRON = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}


@pytest.fixture
def port() -> Iterator[FakePlatform]:
    port = FakePlatform(SystemClock(), WHOLE, threaded=True)
    yield port
    port.close()
    assert port.violations == []


def app(port: FakePlatform, environ: dict[str, str] | None = None, **sections: dict[str, Any]) -> App:
    sections["pool"] = {"shutdown_grace_secs": 0, **sections.get("pool", {})}
    return App(msgspec.convert(sections, Config), {"test": port}, environ={**ENVIRON, **(environ or {})})


def say(house: App, text: str) -> str:
    ref = MessageRef(HERE, f"in-{text}")
    return house.broker.receive(Inbound(ref, Person("a", "Anna"), text)).state


def test_the_house_that_runs_without_a_file_talks_to_the_demo_agent(port: FakePlatform) -> None:
    house = app(port)
    house.start()
    assert say(house, "echo good morning") == "accepted"
    port.until_text(HERE, "good morning")
    [session] = house.broker.snapshot().sessions
    assert session.conversation == HERE
    assert house.stop()
    assert house.broker.snapshot().sessions == ()


def test_an_app_that_never_started_stops(port: FakePlatform) -> None:
    house = app(port)
    assert house.stop()
    assert say(house, "hello") == "refused"
    port.until_text(HERE, "shutting down")


def test_who_is_being_answered_is_told_why_it_ends(port: FakePlatform) -> None:
    house = app(port)
    house.start()
    assert say(house, "hang") == "accepted"
    until(lambda: house.broker.snapshot().sessions[0].state == "busy")
    assert house.stop("Back in a minute.")
    port.until_text(HERE, "Back in a minute.")


def test_what_keeps_people_from_writing_is_told() -> None:
    """`/readyz` says it: who comes now would be refused."""
    with Bed(pool={"max_sessions": 1, "max_waiting": 1}) as bed:
        assert bed.app.troubles() == []
        bed.say("hang", "1")
        bed.until_state(State.BUSY, "1")
        assert bed.app.troubles() == []
        bed.say("say later", "2")
        until(lambda: bed.app.troubles() == ["all 1 agents are busy, and no more conversations may wait"])
        bed.command("cancel-all", at="1")
        bed.command("cancel-all", at="2")
    assert bed.app.troubles() == ["it is stopping"]


def test_an_agent_is_given_its_own_environment_and_little_of_ours(port: FakePlatform) -> None:
    """FIELD C5, C7: our own secrets stay ours, what is named and missing is left out."""
    agent = {"preset": "demo", "env": {"GIVEN": "1"}, "inherit_env": ["NAMED", "MISSING"]}
    house = app(port, {"NAMED": "1", "OUR_TOKEN": "1"}, agent=agent)
    house.start()
    say(house, "env")
    port.until_text(HERE, "GIVEN")
    [text] = port.texts(HERE)
    assert house.stop()
    assert "NAMED" in text
    assert "MISSING" not in text
    assert "OUR_TOKEN" not in text


def test_a_command_of_ones_own_has_no_arguments_of_a_preset(port: FakePlatform) -> None:
    """FIELD C8: the demo's arguments would make the program run, and fail on them."""
    house = app(port, agent={"preset": "demo", "command": "/no/such/agent"})
    house.start()
    say(house, "hello")
    port.until_text(HERE, "/no/such/agent does not exist")
    assert house.stop()


TELLTALE = "import os, sys; sys.exit('cannot log in with ' + os.environ['KEY'] + ' or ' + os.environ['OTHER'])"


def test_what_an_agent_logs_is_logged_without_the_secrets_it_was_given(
    port: FakePlatform, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    agent = {
        "command": sys.executable,
        "args": ["-c", TELLTALE],
        "env": {"KEY": "correct horse"},
        "inherit_env": ["OTHER"],
    }
    house = app(port, {"OTHER": "battery staple"}, agent=agent)
    house.start()
    say(house, "hello")
    port.until(lambda: bool(port.texts(HERE)))
    assert house.stop()
    assert "cannot log in with [redacted] or [redacted]" in caplog.text
    shown = caplog.text + "".join(port.texts(HERE))
    assert "correct horse" not in shown
    assert "battery staple" not in shown


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="util-linux is not here")
def test_an_agent_that_is_to_die_with_us_is_started_through_what_sees_to_that(port: FakePlatform) -> None:
    house = app(port, agent={"preset": "demo", "die_with_broker": True})
    house.start()
    assert say(house, "echo good morning") == "accepted"
    port.until_text(HERE, "good morning")
    [session] = house.broker.snapshot().sessions
    assert session.pid is not None
    command = psutil.Process(session.pid).cmdline()
    assert command[1:] == ["-m", "openab_sync.agents.demo"], "it is the agent itself, under its own number"
    [starter] = [thread for thread in threading.enumerate() if thread.name.startswith("session-")]
    children = Path(f"/proc/self/task/{starter.native_id}/children").read_text(encoding="ascii")
    assert str(session.pid) in children.split(), "its session's thread is who has started it, and outlives it"
    assert house.stop()


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="util-linux is not here")
def test_what_is_to_die_with_us_dies_with_the_very_thread_that_started_it() -> None:
    """The kernel's rule, for which an agent must be started by no thread that may end before it."""
    command, started, go_on = [*dying_with_us(os.environ["PATH"]), "sleep", "600"], threading.Event(), threading.Event()
    processes: list[subprocess.Popen[bytes]] = []

    def start() -> None:
        processes.append(subprocess.Popen(command))
        started.set()
        go_on.wait(10)

    starter = threading.Thread(target=start)
    starter.start()
    assert started.wait(10)
    with processes[0] as process:
        until(lambda: psutil.Process(process.pid).name() == "sleep", what="what sees to it has become the program")
        assert process.poll() is None
        go_on.set()
        starter.join()
        assert process.wait(10) == -signal.SIGKILL


def test_where_nothing_can_see_to_that_it_is_said(port: FakePlatform, caplog: pytest.LogCaptureFixture) -> None:
    app(port, {"PATH": "/nowhere"}, agent={"preset": "demo", "die_with_broker": True})
    assert "there is no setpriv" in caplog.text


def test_tool_servers_reach_the_agent(port: FakePlatform) -> None:
    servers = [
        {"name": "files", "command": "mcp-files", "args": ["--root"], "env": {"A": "b"}},
        {"name": "web", "type": "http", "url": "https://example.org/?key=very-secret", "headers": {"X": "y"}},
    ]
    house = app(port, agent={"preset": "demo", "mcp_servers": servers})
    house.start()
    say(house, "mcp")
    port.until_text(HERE, "files")
    assert house.stop()


def test_an_agent_nobody_knows_is_refused_before_anything_runs(port: FakePlatform) -> None:
    with pytest.raises(ConfigError, match="did you mean demo"):
        app(port, agent={"preset": "dmeo"})


def test_more_sessions_than_fit_are_refused_with_the_number_that_does(port: FakePlatform) -> None:
    with pytest.raises(ConfigError, match=r"pool\.max_sessions: 1000000 sessions .*at most \d+ fit"):
        app(port, pool={"max_sessions": 1_000_000})


def test_a_step_that_fails_is_named(
    port: FakePlatform, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    house = app(port)
    house.start()
    monkeypatch.setattr(SessionPool, "close", lambda self, reason, grace: False)
    assert not house.stop()
    assert "stopping: sessions did not end in time" in caplog.text
    assert "janitor did not" not in caplog.text  # the later steps are taken all the same


# What is known of an agent by name helps when it fails.


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (AgentStartError("command not found"), "npm install"),
        (AuthRequired("log in"), "Log in with"),
        (AuthRequired("log in"), 'inherit_env = ["OPENAI_API_KEY"]'),
    ],
)
def test_a_failure_of_a_known_agent_says_what_to_do(error: AgentError, words: str) -> None:
    agent = resolve(AgentConfig(preset="qwen"))
    assert words in _advice(error, presets()["qwen"], agent, {"OPENAI_API_KEY": "x"})
    assert "inherit_env" not in _advice(error, presets()["qwen"], agent, {})


def test_an_unknown_agent_or_another_error_gets_no_advice() -> None:
    agent = resolve(AgentConfig(preset="qwen"))
    assert _advice(AgentStartError("x"), None, agent, {}) == ""
    assert _advice(AgentGone("x"), presets()["qwen"], agent, {}) == ""


def test_how_to_log_in_is_said_for_every_agent() -> None:
    said = _advice(AuthRequired("log in"), None, resolve(AgentConfig(preset="qwen")), {})
    assert said == " Log in with `openab-sync login` where I run, or with /login on Discord."


def test_what_is_known_of_an_agent_is_known_by_its_program_too() -> None:
    """OpenAB's files name a command and no preset."""
    configs = [{"preset": "pi"}, {"command": "/opt/bin/claude-agent-acp"}, {"command": "nobodys-agent"}, {}]
    found = [App(msgspec.convert({"agent": agent}, Config), {}, environ={})._pool._house.preset for agent in configs]
    assert [preset.name if preset else None for preset in found] == ["pi", "claude", None, "demo"]


# What `run` does before and after it serves; the rest is tested as a program in tests/platforms/discord/e2e.
