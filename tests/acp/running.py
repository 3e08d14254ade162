"""Runs small scripts as agents, on systems that lack this or that."""

from __future__ import annotations

import errno
import os
import select
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from openab_sync.acp.environment import agent_environment
from openab_sync.acp.kin import identify
from openab_sync.acp.process import AgentProcess, Ladder, Launch, OsCalls
from openab_sync.acp.watch import ExitWatch
from openab_sync.text.redact import Redactor
from tests.waiting import MS, until

PATIENT = Ladder(eof_grace=20, term_grace=20, kill_grace=20)  # the rung under test has to do it
BRISK = Ladder(eof_grace=50 * MS, term_grace=50 * MS, kill_grace=20)

needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="this system has no /proc")

Run = Callable[..., AgentProcess]


def no_pidfd(_: int) -> int:
    raise OSError(errno.ENOSYS, "none here")


class Threaded(OsCalls):
    """A system without pidfd."""

    def watch(self, pid: int) -> ExitWatch:
        return ExitWatch(pid, no_pidfd)


class OldMac(Threaded):
    """… and without waitid."""

    def peek(self, pid: int) -> int | None:
        return None


def launch(script: str, cwd: str = "/", **env: str) -> Launch:
    whole = {**agent_environment(os.environ, {}, []), **env}
    return Launch(sys.executable, ("-S", "-E", "-u", "-c", script), cwd, whole, "test")


class Agents:
    """Agents that a test has started; `end` ends those still there."""

    def __init__(self) -> None:
        self._started: list[AgentProcess] = []

    def run(self, script: str, os_calls: OsCalls | None = None) -> AgentProcess:
        """Start a script as an agent; it has printed its first byte, "x", when this returns."""
        process = AgentProcess(launch(script), Redactor(), os_calls)
        process.start()
        self._started.append(process)
        assert until(lambda: process.read(1), what="the agent's first byte") == b"x"
        return process

    def end(self) -> None:
        for process in self._started:
            process.end(BRISK)


def read_all(process: AgentProcess) -> bytes:
    data = b""
    while True:
        select.select([process.stdout], [], [], 5)
        piece = process.read(65536)
        if not piece:
            return data
        data += piece


def reaped(process: AgentProcess) -> bool:
    assert process.pid is not None
    try:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return True
    return False


def alive(pid: int) -> bool:
    """Whether `pid` runs; a zombie that waits for its parent does not."""
    if Path("/proc/self/stat").exists():
        return identify(pid) is not None
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
