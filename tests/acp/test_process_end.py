"""The end of an agent's process: the kill ladder rung by rung, and the last resort."""

from __future__ import annotations

import errno
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from openab_sync.acp import process as process_module
from openab_sync.acp.process import SESSION_MARKER, AgentProcess, Ladder, OsCalls, kill_all_now, kill_now
from tests.acp.running import BRISK, PATIENT, Agents, OldMac, Run, Threaded, alive, needs_proc, reaped
from tests.waiting import MS, until


@pytest.fixture
def run() -> Iterator[Run]:
    agents = Agents()
    yield agents.run
    agents.end()


# The ladder, rung by rung.


def test_most_agents_leave_when_their_stdin_is_closed(run: Run) -> None:
    process = run("print('x', end=''); import sys; sys.stdin.read(); sys.exit(7)")
    process.end(PATIENT)
    assert process.exit_text() == "exit status 7"
    assert reaped(process)
    assert (process.stdin, process.stdout, process.stderr, process.watch) == (-1, -1, -1, -1)
    process.end()


def test_those_that_stay_are_asked_to_leave(run: Run) -> None:
    script = "import signal, sys, time; signal.signal(15, lambda *_: sys.exit(9)); print('x', end=''); time.sleep(600)"
    process = run(script)
    process.end(Ladder(eof_grace=20 * MS, term_grace=20, kill_grace=20))
    assert process.exit_text() == "exit status 9"
    assert reaped(process)


STUBBORN = "import signal, time; signal.signal(15, signal.SIG_IGN); print('x', end=''); time.sleep(600)"


@pytest.mark.parametrize("os_calls", [OsCalls, Threaded, OldMac])
def test_those_that_will_not_are_killed(run: Run, os_calls: type[OsCalls]) -> None:
    process = run(STUBBORN, os_calls())
    began = time.monotonic()
    process.end(BRISK)
    assert time.monotonic() - began < 10
    assert process.exit_text() == "killed by SIGKILL"
    assert reaped(process)


def test_a_stopped_agent_is_killed_too(run: Run) -> None:
    process = run("print('x', end=''); import time; time.sleep(600)")
    assert process.pid is not None
    os.kill(process.pid, signal.SIGSTOP)
    process.end(BRISK)
    assert process.exit_text() == "killed by SIGKILL"


def test_one_that_is_busy_writing_is_read_from_so_that_it_can_leave(run: Run) -> None:
    """It closes neither by EOF nor is it killed: it has 8 MB to say on each pipe first."""
    script = (
        "import sys; print('x', end=''); sys.stdin.read(); "
        "sys.stderr.write('e' * 8_000_000); sys.stdout.write('o' * 8_000_000); sys.exit(5)"
    )
    process = run(script)
    process.end(PATIENT)
    assert process.exit_text() == "exit status 5"


def test_one_that_closes_its_pipes_and_stays_is_no_busy_loop(run: Run) -> None:
    script = (
        "import os, signal, time; signal.signal(15, signal.SIG_IGN); print('x', end=''); "
        "[os.close(n) for n in (0, 1, 2)]; time.sleep(600)"
    )
    process = run(script)
    before = time.thread_time()
    process.end(Ladder(eof_grace=100 * MS, term_grace=100 * MS, kill_grace=20))
    assert time.thread_time() - before < 100 * MS
    assert process.exit_text() == "killed by SIGKILL"


CHILDREN = """
import os, sys, time, signal
if os.fork() == 0:
    if {own_session}:
        os.setsid()
        if os.fork():
            os._exit(0)
    signal.signal(15, signal.SIG_IGN)
    sys.stdout.write("x%d." % os.getpid())
    time.sleep(600)
{then}
"""


def grandchild_of(process: AgentProcess) -> int:
    text = b""
    while not text.endswith(b"."):
        text += until(lambda: process.read(1), what="the grandchild's pid") or b""
    return int(text[:-1])


@pytest.mark.parametrize("then", ["time.sleep(600)", "sys.stdin.read()", "os._exit(0)"], ids=["stays", "obeys", "dies"])
def test_a_grandchild_in_the_group_is_killed_whatever_became_of_the_leader(run: Run, then: str) -> None:
    """FIELD C1: hundreds of megabytes stayed with each session because only the direct child was killed."""
    process = run(CHILDREN.format(own_session=False, then=then))
    pid = grandchild_of(process)
    if then == "os._exit(0)":
        until(process.has_exited)
    process.end(BRISK)
    until(lambda: not alive(pid), what="the grandchild's end")


@needs_proc
@pytest.mark.parametrize("then", ["time.sleep(600)", "sys.stdin.read()", "os._exit(0)"], ids=["stays", "obeys", "dies"])
def test_a_grandchild_that_has_left_the_group_is_killed_too(run: Run, then: str) -> None:
    process = run(CHILDREN.format(own_session=True, then=then))
    pid = grandchild_of(process)
    assert os.getsid(pid) != process.pid
    process.end(BRISK)
    until(lambda: not alive(pid), what="the daemon's end")


FORGETFUL = """
import os, sys, time
if os.fork() == 0:
    os.setsid()
    os.execve(sys.executable, [sys.executable, "-S", "-E", "-u", "-c",
        "import os, time; print('x%d.' % os.getpid(), end=''); time.sleep(600)"], {})
time.sleep(600)
"""


@needs_proc
def test_a_grandchild_that_has_washed_its_environment_is_known_by_its_parent(run: Run) -> None:
    process = run(FORGETFUL)
    pid = grandchild_of(process)
    assert SESSION_MARKER.encode() not in Path(f"/proc/{pid}/environ").read_bytes()
    process.end(BRISK)
    until(lambda: not alive(pid), what="the stray's end")


def test_the_group_is_signalled_before_its_leader_is_reaped(run: Run) -> None:
    signalled: list[tuple[int, int, bool]] = []

    class Watched(OsCalls):
        def killpg(self, group: int, number: int) -> None:
            signalled.append((group, number, reaped(process)))
            super().killpg(group, number)

    process = run("print('x', end='')", Watched())
    until(process.has_exited)
    process.end()
    assert signalled == [(process.pid, signal.SIGKILL, False)]
    assert reaped(process)


@needs_proc
@pytest.mark.parametrize("number", [errno.ESRCH, errno.EPERM])
def test_a_refused_signal_is_logged_and_the_ladder_goes_on(
    run: Run, number: int, caplog: pytest.LogCaptureFixture
) -> None:
    class Refused(OsCalls):
        def killpg(self, group: int, number_: int) -> None:
            raise OSError(number, os.strerror(number))

    process = run("print('x', end=''); import time; time.sleep(600)", Refused())
    with caplog.at_level(logging.WARNING):
        process.end(BRISK)
    assert f"cannot send SIGTERM to the group of agent {process.pid}" in caplog.text
    assert process.exit_text() == "killed by SIGKILL", "found by its marker"


def test_one_that_survives_everything_is_complained_about_and_time_is_bounded(
    run: Run, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Undying(OsCalls):
        def killpg(self, group: int, number: int) -> None:
            """Stuck in the kernel: nothing happens."""

    monkeypatch.setattr(process_module, "end_strays", lambda *_: [])
    process = run("print('x', end=''); import time; time.sleep(600)", Undying())
    with caplog.at_level(logging.WARNING):
        process.end(Ladder(eof_grace=5 * MS, term_grace=5 * MS, kill_grace=5 * MS))
    assert "survives SIGKILL" in caplog.text
    assert not process.has_exited()
    monkeypatch.undo()
    assert kill_all_now() == 1, "it has not been forgotten"
    until(process.has_exited)
    assert process._popen is not None
    process._popen.wait()
    process_module._living.clear()


@pytest.mark.parametrize("group", [-1, 0, 1])
def test_a_group_that_cannot_be_an_agents_is_never_signalled(group: int) -> None:
    """FIELD C2."""
    signalled: list[int] = []

    class Watched(OsCalls):
        def killpg(self, group: int, number: int) -> None:
            signalled.append(group)

    with pytest.raises(ValueError, match="not the process group of an agent"):
        process_module._signal_group(Watched(), group, signal.SIGTERM)
    with pytest.raises(ValueError, match="not the process group of an agent"):
        process_module._signal_group(Watched(), os.getpgrp(), signal.SIGTERM)
    assert signalled == []


# The last resort.


def test_all_can_be_killed_at_once(run: Run) -> None:
    processes = [run(STUBBORN) for _ in range(3)]
    assert kill_all_now() == 3
    for process in processes:
        until(process.has_exited)
        assert not reaped(process), "that stays with the owner"
        process.end()
        assert process.exit_text() == "killed by SIGKILL"
    assert kill_all_now() == 0


def test_one_whose_owner_does_not_come_can_be_killed_alone(run: Run) -> None:
    hung, other = run(STUBBORN), run(STUBBORN)
    assert kill_now(hung.pid)
    until(hung.has_exited)
    assert not reaped(hung)
    assert not other.has_exited()
    hung.end()
    assert not kill_now(hung.pid), "its number may be another's by now"
    assert not kill_now(None)
    assert not kill_now(os.getppid())


def test_killing_all_leaves_alone_what_is_not_our_child(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_module, "_living", {os.getppid(): "x", 2**22 + 1: "y"})
    assert kill_all_now() == 0


BROKER = """
import sys, os
from openab_sync.acp.process import AgentProcess, Launch, Ladder
import atexit
script = "import signal, time, os; signal.signal(15, signal.SIG_IGN); print(os.getpid(), flush=True); time.sleep(600)"
process = AgentProcess(Launch(sys.executable, ("-S", "-E", "-c", script), "/", dict(os.environ)), str)
process.start()
while not (line := process.read(100)): pass
print(line.decode().strip(), flush=True)
if {by_end}:
    atexit.register(lambda: (process.end(Ladder(0.05, 0.05, 5)), print(process.exit_text(), flush=True)))
raise SystemExit(4)
"""


@pytest.mark.parametrize("by_end", [True, False], ids=["by the ladder", "by the last resort"])
def test_agents_are_ended_while_the_interpreter_exits(by_end: bool) -> None:
    """FIELD C3: the grace period must not need a runtime that is being torn down."""
    root = Path(process_module.__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", BROKER.format(by_end=by_end)],
        capture_output=True,
        timeout=25,
        cwd=root,
        check=False,
        env={**os.environ, "PYTHONWARNINGS": "ignore::ResourceWarning"},
    )
    pid, *rest = done.stdout.decode().splitlines()
    assert done.returncode == 4, done.stderr
    assert rest == (["killed by SIGKILL"] if by_end else [])
    until(lambda: not alive(int(pid)), what="the agent's end")
