"""The line to the service manager, to a socket of ours."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from openab_sync.notify import Notifier
from tests.fakes.clock import FakeClock

Lines = list[list[str]]


class Manager:
    """A service manager's end of the line."""

    def __init__(self, address: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(address)
        self.socket.setblocking(False)

    def heard(self) -> Lines:
        heard: Lines = []
        while True:
            try:
                heard.append(self.socket.recv(4096).decode().splitlines())
            except BlockingIOError:
                return heard


@pytest.fixture(params=["a file", "abstract"])
def line(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Manager, str]]:
    name = str(tmp_path / "notify") if request.param == "a file" else f"@openab-test-{os.getpid()}"
    manager = Manager(name.replace("@", "\0"))
    yield manager, name
    manager.socket.close()


def test_it_says_when_it_is_there_and_when_it_goes(line: tuple[Manager, str]) -> None:
    manager, name = line
    notifier = Notifier({"NOTIFY_SOCKET": name}, FakeClock())
    notifier.ready("on Discord")
    notifier.alive()
    notifier.stopping()
    assert manager.heard() == [["READY=1", "STATUS=on Discord"], ["STOPPING=1", "STATUS=stopping"]]
    assert not notifier.is_watched


def test_it_says_that_it_lives_twice_in_the_watchdogs_time(line: tuple[Manager, str]) -> None:
    manager, name = line
    clock = FakeClock()
    watched = {"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "60000000", "WATCHDOG_PID": str(os.getpid())}
    notifier = Notifier(watched, clock)
    for _ in range(61):
        notifier.alive()
        clock.advance(1.0)
    assert manager.heard() == [["WATCHDOG=1"]] * 3
    other = Notifier({**watched, "WATCHDOG_PID": "1"}, clock)
    other.alive()
    assert (other.is_watched, manager.heard()) == (False, [])


@pytest.mark.parametrize("name", ["", "notify", "/nowhere/at/all", "/" + "x" * 200])
def test_a_manager_that_is_not_there_costs_nothing(name: str) -> None:
    notifier = Notifier({"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "1"}, FakeClock())
    notifier.ready("here")
    notifier.alive()
    notifier.stopping()


def test_a_manager_that_does_not_read_holds_nobody_up(line: tuple[Manager, str]) -> None:
    manager, name = line
    notifier = Notifier({"NOTIFY_SOCKET": name}, FakeClock())
    for _ in range(1000):
        notifier.ready("here")
    assert 1 <= len(manager.heard()) < 1000
