"""An agent on another machine, behind ssh: the manual's prefix runs it, and whatever dies, nobody is left there."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from openab_sync.acp.environment import BROKER_MARKER
from openab_sync.acp.kin import Kin, identify, marked, slay
from tests.cli.running import ROOT, environment
from tests.core.bed import Bed
from tests.faults.sshd import SSHD, Elsewhere, elsewhere
from tests.waiting import MS, until

pytestmark = [pytest.mark.slow, pytest.mark.skipif(SSHD is None, reason="there is no openssh-server here")]

STATE = "OPENAB_DEMO_STATE"
LONG = 10000 * MS  # a shell of somebody's may do a lot before it runs a command


@pytest.fixture
def there(tmp_path: Path) -> Iterator[Elsewhere]:
    (tmp_path / "ssh").mkdir()
    (tmp_path / "work").mkdir()
    with elsewhere(tmp_path / "ssh") as there:
        yield there


def command(tmp_path: Path) -> tuple[str, ...]:
    """The demo agent; by its variable, which only its own environment has, it is found."""
    return ("env", f"{STATE}={tmp_path}/memory", sys.executable, "-m", "openab_sync.agents.demo")


def agents(tmp_path: Path) -> list[Kin]:
    return marked(STATE, [f"{tmp_path}/memory"])


def cut(there: Elsewhere) -> None:
    """End the connection from the other side: sshd's own processes go, not what runs in them."""
    for connection in there.connections():
        with suppress(psutil.NoSuchProcess):  # the second of a connection ends with the first
            name, family = connection.name(), [*connection.children(), connection]
            for process in [process for process in family if process.name() == name]:
                process.kill()


def bed(there: Elsewhere, tmp_path: Path) -> Bed:
    agent = {"command_prefix": there.prefix, "working_dir": str(tmp_path / "work")}
    return Bed(command=command(tmp_path), agent=agent)


def test_an_agent_behind_ssh_answers_from_the_folder_it_was_given_and_ends_with_its_session(
    there: Elsewhere, tmp_path: Path
) -> None:
    with bed(there, tmp_path) as house:
        assert house.ask("echo hello from elsewhere").outcome == "done"
        assert "hello from elsewhere" in house.text()
        (agent,) = agents(tmp_path)
        assert os.readlink(f"/proc/{agent.pid}/cwd") == str(tmp_path / "work")
        assert BROKER_MARKER not in Path(f"/proc/{agent.pid}/environ").read_text(), "its environment is that machine's"
    until(lambda: not agents(tmp_path) and not there.connections(), LONG, what="nobody is left there")


def test_an_agent_that_dies_behind_ssh_is_noticed_and_the_next_message_has_a_new_one(
    there: Elsewhere, tmp_path: Path
) -> None:
    with bed(there, tmp_path) as house:
        house.say("hang")
        (agent,) = until(lambda: agents(tmp_path) if house.starts() else [], LONG)
        slay(agent)
        assert until(house.ends, LONG)[0].outcome == "gone"
        assert house.ask("echo again").outcome == "done" and "again" in house.text()


def test_a_connection_that_is_lost_ends_the_turn_and_the_agent_there(there: Elsewhere, tmp_path: Path) -> None:
    with bed(there, tmp_path) as house:
        house.say("hang")
        (agent,) = until(lambda: agents(tmp_path) if house.starts() else [], LONG)
        cut(there)
        assert until(house.ends, LONG)[0].outcome == "gone"
        until(lambda: identify(agent.pid) != agent, LONG, what="the agent has ended with its connection")
        assert house.ask("echo again").outcome == "done" and "again" in house.text()


def test_nobody_is_left_there_when_the_broker_is_killed(there: Elsewhere, tmp_path: Path) -> None:
    program, *args = command(tmp_path)
    (tmp_path / "config.toml").write_text(f"""
[agent]
command = "{program}"
args = {args}
command_prefix = {list(there.prefix)}
working_dir = "{tmp_path}/work"
""")
    words = [sys.executable, "-m", "openab_sync", "chat", "-c", str(tmp_path / "config.toml"), "-p", "hang"]
    broker = subprocess.Popen(words, cwd=ROOT, env=environment(tmp_path), stdin=subprocess.DEVNULL)
    try:
        until(lambda: agents(tmp_path), 20000 * MS, what="its agent runs there")
    finally:
        broker.kill()
        broker.wait()
    until(lambda: not agents(tmp_path) and not there.connections(), LONG, what="nobody is left there")
