"""`openab-sync run`, killed without a word: what the next one finds, and what it leaves alone."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

import psutil
import pytest

from openab_sync.acp.kin import identify, marked
from tests.cli.running import PATIENCE
from tests.fakes import fake_agent
from tests.fakes.discord import Server
from tests.platforms.discord.e2e.service import Service, mention, service
from tests.waiting import until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="this system has no /proc"),
]

STAYS = fake_agent("--ignore-eof", "--ignore-term")


def stubborn(**more: object) -> dict[str, object]:
    return {"command": STAYS[0], "args": list(STAYS[1:]), **more}


def kill(running: Service) -> list[psutil.Process]:
    """SIGKILL the broker; return the agents that outlive it."""
    agents = running.agents
    running.signal(signal.SIGKILL)
    assert running.end() == -signal.SIGKILL
    return agents


def test_agents_that_outlive_a_killed_broker_are_ended_before_the_first_new_one(server: Server, tmp_path: Path) -> None:
    with service(tmp_path, server, agent=stubborn()) as running:
        server.until_ready()
        server.until_said("working", mention(server, "say working\nhang"), PATIENCE)
        server.until_said("pid", mention(server, "double_fork\npid\nhang"), PATIENCE)
        left = kill(running)
        strays = marked("OPENAB_SYNC_AGENT", {process.environ()["OPENAB_SYNC_AGENT"] for process in left})
        assert len(strays) >= 3, "two agents, and a grandchild that left its group"
    server.advance(6.0)
    with service(tmp_path, server, agent=stubborn()) as running:
        running.until_logged("processes behind: they were ended")
        assert not any(identify(kin.pid) == kin for kin in strays)
        server.until(lambda: server.gateway.identifies >= 2, PATIENCE, "the next one is there")
        server.until_said("hello", mention(server, "say hello"), PATIENCE)
        running.signal()
        assert running.end() == 0, running.log


def test_the_agents_of_another_store_are_none_of_its_business(server: Server, tmp_path: Path) -> None:
    (one := tmp_path / "one").mkdir()
    (other := tmp_path / "other").mkdir()
    with service(one, server, agent=stubborn()) as running:
        server.until_ready()
        server.until_said("working", mention(server, "say working\nhang"), PATIENCE)
        theirs = kill(running)
    try:
        server.advance(6.0)
        with service(other, server, agent=stubborn()) as running:
            running.until_logged("state is kept in")
            assert all(identify(process.pid) for process in theirs)
            running.signal()
            assert running.end() == 0, running.log
        assert "behind" not in running.log
    finally:
        for process in theirs:
            process.kill()


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="util-linux is not here")
def test_agents_die_with_their_broker_where_that_is_wanted(server: Server, tmp_path: Path) -> None:
    with service(tmp_path, server, agent=stubborn(die_with_broker=True)) as running:
        server.until_ready()
        server.until_said("working", mention(server, "say working\nhang"), PATIENCE)
        left = kill(running)
        until(lambda: not any(identify(process.pid) for process in left), PATIENCE, "they died with it")
