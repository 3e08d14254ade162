"""Real signals to the real program, and to its agents, at the moments of a conversation. See faults/matrix.toml.

After each of them it ends with 0 within its time and nothing is logged as an error; what must hold besides is in
`faults/invariants.py`. What was said before a signal that ends it stands; what waits goes on after the next start.
"""

from __future__ import annotations

import itertools
import signal
from pathlib import Path

import pytest

from tests.fakes import fake_agent
from tests.fakes.discord import Server
from tests.fakes.discord.things import Channel, Message
from tests.faults.invariants import Account, check
from tests.platforms.discord.e2e.service import Service, configure, mention
from tests.platforms.discord.moments import unfinished
from tests.platforms.discord.pressing import buttons
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(90)]

STOPPING = {"SIGTERM": (signal.SIGTERM,), "SIGINT twice": (signal.SIGINT, signal.SIGINT)}
GOING_ON = {"SIGHUP": signal.SIGHUP, "SIGUSR1": signal.SIGUSR1}
MOMENTS = {"idle": "", "busy": "hang", "question": "ask"}
PATIENCE = 30.0


class Scene:
    """The program, a conversation at a moment, and the agents that it has."""

    def __init__(self, server: Server, home: Path, moment: str) -> None:
        program, *args = fake_agent()
        config = configure(
            home,
            server,
            agent={"command": program, "args": args},
            pool={"shutdown_grace_secs": 0.2, "cancel_grace_secs": 0.2},
            status={"listen": ""},
        )
        self.server, self._home = server, home
        self.asked = ["first"]
        self.service = Service(config, home)
        server.until_ready(PATIENCE)
        self.thread = mention(server, f"say [first]\n{MOMENTS[moment]}".strip())
        server.until_said("[first]", self.thread, PATIENCE)
        if moment == "question":
            until(lambda: self._shows("Allow once"), PATIENCE, "the question is there")
        self.agents = self.service.agents

    def _shows(self, button: str) -> list[Message]:
        return [one for one in self.thread.history if button in buttons(one)]

    def open(self, word: str) -> Channel:
        self.asked.append(word)
        thread = mention(self.server, f"say [{word}]")
        self.server.until_said(f"[{word}]", thread, PATIENCE)
        return thread

    def ask(self, thread: Channel, word: str) -> None:
        self.asked.append(word)
        self.server.user("ann").write(thread, f"say [{word}]")
        self.server.until_said(f"[{word}]", thread, PATIENCE)

    def check(self) -> None:
        """It has ended as it should, and nothing is left."""
        assert self.service.end() == 0, self.service.log
        assert not [line for line in self.service.log.splitlines() if " ERROR " in line or "Traceback" in line]
        rows = [row for row in unfinished(self._home / "state") if row[1] != "accepted"]  # those go on afterwards
        with self.server.world.changed:
            everywhere = [one for channel in self.server.world.channels.values() for one in channel.history]
        asked: dict[str, list[str]] = {word: [] for word in self.asked}
        said = [one.content for one in everywhere if one.author.bot]
        check(Account(asked=asked, said=said, unhurt=asked, unfinished=rows, pids=[agent.pid for agent in self.agents]))
        assert self.server.violations == []


@pytest.mark.parametrize("case", [f"{name}-{moment}" for name, moment in itertools.product(STOPPING, MOMENTS)])
def test_a_signal_that_ends_it(case: str, server: Server, tmp_path: Path) -> None:
    name, moment = case.rsplit("-", 1)
    scene = Scene(server, tmp_path, moment)
    try:
        for number in STOPPING[name]:
            scene.service.signal(number)
        scene.check()
    finally:
        scene.service.stop()


@pytest.mark.parametrize("case", [f"{name}-{moment}" for name, moment in itertools.product(GOING_ON, ("busy",))])
def test_a_signal_that_ends_nothing(case: str, server: Server, tmp_path: Path) -> None:
    name, moment = case.rsplit("-", 1)
    scene = Scene(server, tmp_path, moment)
    try:
        scene.service.signal(GOING_ON[name])
        other = scene.open("other")
        scene.ask(other, "more")
        assert [agent.is_running() for agent in scene.agents] == [True] * len(scene.agents)
        scene.service.signal(signal.SIGTERM)
        scene.check()
    finally:
        scene.service.stop()


@pytest.mark.parametrize("moment", ["busy", "question"])
def test_a_kill_of_the_agent(moment: str, server: Server, tmp_path: Path) -> None:
    """Who waited is told, and the next message has a new agent."""
    scene = Scene(server, tmp_path, moment)
    try:
        for agent in scene.agents:
            agent.send_signal(signal.SIGKILL)
        scene.ask(scene.thread, "second")
        scene.service.signal(signal.SIGTERM)
        scene.check()
    finally:
        scene.service.stop()


def test_an_agent_that_is_stopped_and_goes_on(server: Server, tmp_path: Path) -> None:
    """A stopped agent is silence: others are served meanwhile, and its answer comes when it goes on."""
    scene = Scene(server, tmp_path, "idle")
    try:
        for agent in scene.agents:
            agent.suspend()
        scene.asked.append("second")
        server.user("ann").write(scene.thread, "say [second]")
        scene.open("other")
        assert not [one for one in scene.thread.history if "[second]" in one.content and one.author.bot]
        for agent in scene.agents:
            agent.resume()
        server.until_said("[second]", scene.thread, PATIENCE)
        scene.service.signal(signal.SIGTERM)
        scene.check()
    finally:
        scene.service.stop()


def test_a_stopped_agent_is_ended_with_the_program(server: Server, tmp_path: Path) -> None:
    scene = Scene(server, tmp_path, "busy")
    try:
        for agent in scene.agents:
            agent.suspend()
        scene.service.signal(signal.SIGTERM)
        scene.check()
    finally:
        scene.service.stop()
