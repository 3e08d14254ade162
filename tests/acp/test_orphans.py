"""What a dead broker has left is ended, wherever it hides; whatever belongs to somebody else is left alone."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from openab_sync.acp import orphans
from openab_sync.acp.environment import BROKER_MARKER
from openab_sync.acp.kin import Kin, descendants, end_strays, identify
from openab_sync.acp.orphans import Orphans, end_orphans
from tests.waiting import MS, until

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="this system has no /proc")

WAITS = "import time; print(end='x', flush=True); time.sleep(600)"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {WAITS}"
SAVES = """
import pathlib, signal, sys, time
def save(*_):
    pathlib.Path(sys.argv[1]).write_text("saved")
    sys.exit()
signal.signal(signal.SIGTERM, save)
print(end="x", flush=True)
time.sleep(600)
"""
RUNS_AWAY = """
import os, time
if not os.fork():
    os.setsid()
    if os.fork():
        os._exit(0)
    print(end="x", flush=True)
time.sleep(600)
"""

Start = Callable[..., Kin]


@pytest.fixture
def broker() -> Iterator[str]:
    """The id of a broker that no longer is."""
    broker = f"test-{os.urandom(8).hex()}"
    yield broker
    end_strays([], BROKER_MARKER, [broker])


@pytest.fixture
def start(broker: str) -> Iterator[Start]:
    """Starts scripts as agents of that broker, or of another; each has said its first word when it is there."""
    started: list[subprocess.Popen[bytes]] = []

    def start(script: str, *args: str, of: str = broker) -> Kin:
        env = {BROKER_MARKER: of} if of else {}
        command = [sys.executable, "-S", "-E", "-c", script, *args]
        process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, start_new_session=True)
        started.append(process)
        assert process.stdout is not None
        assert os.read(process.stdout.fileno(), 1) == b"x"
        kin = identify(process.pid)
        assert kin is not None
        return kin

    yield start
    for process in started:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def is_there(kin: Kin) -> bool:
    return identify(kin.pid) == kin


def test_nobody_is_found_where_nobody_is(broker: str) -> None:
    assert end_orphans([], [broker]) == Orphans()


def test_an_agent_that_was_recorded_is_told_to_end(start: Start, tmp_path: Path) -> None:
    agent = start(SAVES, str(tmp_path / "saved"), of="")
    assert end_orphans([agent], []) == Orphans((agent,))
    assert not is_there(agent)
    assert (tmp_path / "saved").read_text() == "saved", "it has had the time to save its work"


def test_an_agent_that_does_not_listen_is_killed(start: Start, broker: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orphans, "TERM_GRACE", 50 * MS)
    agent = start(STUBBORN)
    assert end_orphans([agent], [broker]) == Orphans((agent,))
    assert not is_there(agent)


def test_an_agent_that_nobody_has_recorded_is_found_by_its_marker(start: Start, broker: str) -> None:
    agent = start(WAITS)
    assert end_orphans([], [broker]) == Orphans((agent,))
    assert not is_there(agent)


def test_a_grandchild_that_left_the_group_is_ended_with_it(start: Start, broker: str) -> None:
    agent = start(RUNS_AWAY)
    os.kill(agent.pid, signal.SIGKILL)
    until(lambda: not is_there(agent), what="the agent has died with its broker")
    found = end_orphans([agent], [broker]).found
    assert len(found) == 1 and agent not in found
    assert not any(map(is_there, found))


def test_the_children_of_an_agent_are_ended_though_they_lost_the_marker(start: Start, broker: str) -> None:
    script = "import os, subprocess; subprocess.run(['sh', '-c', 'printf x; sleep 600 & wait'], env={})"
    agent = start(script)
    below = until(lambda: descendants(agent.pid)[1:] and descendants(agent.pid), what="a shell and its child")
    assert set(end_orphans([agent], [broker]).found) == {agent, *below}
    assert not any(map(is_there, below))


def test_a_number_that_is_somebody_elses_now_is_left_alone(start: Start, broker: str) -> None:
    stranger = start(WAITS, of="")
    assert end_orphans([Kin(stranger.pid, stranger.started - 1)], [broker]) == Orphans()
    assert is_there(stranger)


def test_the_agents_of_another_broker_are_left_alone(start: Start, broker: str) -> None:
    ours, theirs = start(WAITS), start(WAITS, of=f"{broker}-another")
    assert end_orphans([], [broker]) == Orphans((ours,))
    assert is_there(theirs)


def test_who_cannot_be_ended_is_named_and_waited_for_within_bounds(
    start: Start, broker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orphans, "TERM_GRACE", 10 * MS)
    monkeypatch.setattr(orphans, "KILL_GRACE", 10 * MS)
    monkeypatch.setattr(orphans, "end_strays", lambda *_: [])

    def refused(*_: object) -> None:
        raise PermissionError(errno.EPERM, "another user's")

    monkeypatch.setattr(orphans, "send", refused)
    agent = start(WAITS)
    assert end_orphans([agent], [broker]) == Orphans((agent,), (agent,))


def test_it_works_where_there_is_no_pidfd(start: Start, broker: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def none_here(_: int) -> int:
        raise OSError(errno.ENOSYS, "none here")

    monkeypatch.setattr(orphans, "open_pidfd", none_here)
    agent = start(WAITS)
    assert end_orphans([agent], [broker]) == Orphans((agent,))
