"""Bounds: put on a child from outside, inherited by what it starts, and never in the way of its start."""

from __future__ import annotations

import os
import re
import resource
import sys
from pathlib import Path

import psutil
import pytest

from openab_sync.acp.bounds import Bounds
from openab_sync.acp.cgroups import Cages
from openab_sync.acp.launch import Launch
from openab_sync.acp.process import AgentProcess
from openab_sync.app import _bounds
from openab_sync.config.bounds import AgentLimits
from openab_sync.text.redact import Redactor
from tests.acp.test_cgroups import tree
from tests.waiting import until

# Tells what it has from us, and what a child of its has.
PROGRAM = """
import os, resource, subprocess, sys
os.umask(mask := os.umask(0))
sys.stdin.readline()
print(os.nice(0), resource.getrlimit(resource.RLIMIT_CORE), oct(mask), flush=True)
print(subprocess.run(["nice"], capture_output=True, text=True).stdout.strip(), flush=True)
sys.stdin.read()
"""


def told(process: AgentProcess) -> list[str]:
    process.write(b"now\n")
    found = bytearray()

    def lines() -> list[str]:
        found.extend(process.read(1000) or b"")
        return found.decode().splitlines() if found.count(b"\n") == 2 else []

    return until(lines)


def started(bounds: Bounds) -> AgentProcess:
    launch = Launch(sys.executable, ("-c", PROGRAM), "/", {"PATH": "/usr/bin:/bin"}, bounds=bounds)
    process = AgentProcess(launch, Redactor())
    process.start()
    return process


def test_niceness_core_dumps_and_umask_hold_for_the_agent_and_its_children() -> None:
    process = started(Bounds(nice=os.nice(0) + 5, core_dumps=False, umask=0o077))
    try:
        assert told(process) == [f"{os.nice(0) + 5} (0, 0) 0o77", str(os.nice(0) + 5)]
    finally:
        process.end()


@pytest.mark.skipif(not Path("/proc/self/limits").exists(), reason="this system does not tell")
def test_no_bound_is_by_address_space_or_by_the_number_of_a_users_processes() -> None:
    """Node's WebAssembly reserves more than there is, and that user is us. As the kernel has it."""
    everything = AgentLimits(memory_soft_mb=1, memory_mb=64, tasks_soft=1, tasks=5, nice=19, umask="077")
    process = started(_bounds(everything, None))
    try:
        told(process)
        ours, theirs = (
            dict(re.findall(r"^(Max .*?) {2,}(.*?)$", Path(f"/proc/{pid}/limits").read_text(), re.MULTILINE))
            for pid in ("self", process.pid)
        )
    finally:
        process.end()
    assert {name for name in ours if ours[name] != theirs[name]} <= {"Max core file size"}
    assert {"Max address space", "Max processes", "Max data size", "Max resident set"} <= set(theirs)
    assert theirs["Max core file size"].split()[:2] == ["0", "0"]


def test_without_bounds_an_agent_is_as_we_are() -> None:
    process = started(Bounds())
    os.umask(mask := os.umask(0))
    try:
        assert told(process)[0] == f"{os.nice(0)} {resource.getrlimit(resource.RLIMIT_CORE)} {oct(mask)}"
    finally:
        process.end()


def test_what_the_system_refuses_is_logged_and_keeps_no_agent_from_starting(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "setpriority", refuse)
    process = started(Bounds(nice=-5, core_dumps=False))
    try:
        assert "(0, 0)" in told(process)[0], "the other bounds hold"
    finally:
        process.end()
    assert "could not be bounded, its niceness: [Errno 13] Permission denied" in caplog.text


def test_a_child_that_has_ended_already_has_no_bounds_to_be_put_on(caplog: pytest.LogCaptureFixture) -> None:
    gone = next(pid for pid in range(2**22 - 1, 1, -1) if not psutil.pid_exists(pid))
    assert Bounds(nice=5, core_dumps=False).put_on(gone, "x") is None
    assert caplog.text == ""


def test_a_cage_is_made_with_the_agent_killed_with_it_and_taken_away(tmp_path: Path) -> None:
    """In a tree of plain files: whether the kernel obeys is the kernel's; what it is told is ours."""
    cages = Cages.found(tree(tmp_path), "0::/", pid=1)
    process = started(Bounds(memory=1 << 30, tasks=100, cages=cages))
    (folder,) = tmp_path.glob("agent-*")
    try:
        assert (folder / "cgroup.procs").read_text() == str(process.pid)
        assert (folder / "memory.max").read_text() == str(1 << 30) and (folder / "pids.max").read_text() == "100"
    finally:
        process.end()
    assert (folder / "cgroup.kill").read_text() == "1"
