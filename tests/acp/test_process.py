"""An agent's process, started and listened to: real ones, small scripts each with one vice."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from openab_sync.acp import process as process_module
from openab_sync.acp.process import SESSION_MARKER, AgentProcess, Launch, OsCalls
from openab_sync.acp.watch import ExitWatch
from openab_sync.errors import AgentStartError
from openab_sync.text.redact import Redactor
from tests.acp.running import BRISK, PATIENT, Agents, OldMac, Run, Threaded, launch, read_all, reaped
from tests.waiting import until


@pytest.fixture
def run() -> Iterator[Run]:
    agents = Agents()
    yield agents.run
    agents.end()


# Starting.


def test_an_agent_gets_exactly_the_environment_and_the_folder_it_was_given(tmp_path: Path) -> None:
    script = "import os, json; print(json.dumps([dict(os.environ), os.getcwd()]))"
    env = {"PATH": "/bin", "ONLY": "this"}
    process = AgentProcess(Launch(sys.executable, ("-S", "-E", "-c", script), str(tmp_path), env), Redactor())
    process.start()
    seen_env, seen_cwd = json.loads(read_all(process))
    process.end()
    for added_by_python in ("LC_CTYPE", "__CF_USER_TEXT_ENCODING"):
        seen_env.pop(added_by_python, None)
    assert seen_env == {**env, SESSION_MARKER: process.marker}
    assert os.path.samefile(seen_cwd, tmp_path)


def test_an_agent_leads_a_session_and_a_group_of_its_own_and_has_three_descriptors(run: Run) -> None:
    process = run(
        "import os; print('x', os.getpid(), os.getsid(0), os.getpgrp(), sorted(map(int, os.listdir('/dev/fd'))))"
    )
    pid, sid, group, *descriptors = (
        read_all(process).decode().replace("[", "").replace("]", "").replace(",", "").split()
    )
    assert pid == sid == group == str(process.pid)
    assert descriptors[:3] == ["0", "1", "2"]
    assert len(descriptors) == 4, "the listing's own is the fourth"


def test_a_missing_folder_is_named() -> None:
    process = AgentProcess(launch("", cwd="/no/such/folder"), Redactor())
    with pytest.raises(AgentStartError, match="the working directory /no/such/folder does not exist"):
        process.start()
    process.end()
    assert process.pid is None


def test_a_missing_command_is_named() -> None:
    process = AgentProcess(Launch("no-such-agent", (), "/", {"PATH": "/nowhere"}), Redactor())
    with pytest.raises(AgentStartError, match=r"no-such-agent \(searched in PATH=/nowhere\)"):
        process.start()


@pytest.mark.parametrize(
    ("content", "why"),
    [("#!/no/such/interpreter\n", "the interpreter named in the first line"), ("\x00\x01", "neither a program")],
)
def test_a_file_that_the_kernel_cannot_run_is_explained(tmp_path: Path, content: str, why: str) -> None:
    (tmp_path / "agent").write_text(content)
    (tmp_path / "agent").chmod(0o755)
    process = AgentProcess(Launch("./agent", (), str(tmp_path), {}), Redactor())
    with pytest.raises(AgentStartError, match=why) as caught:
        process.start()
    assert caught.value.command == "./agent"


def test_an_argument_that_no_program_can_take_is_an_error_of_ours() -> None:
    process = AgentProcess(Launch(sys.executable, ("a\0b",), "/", {}), Redactor())
    with pytest.raises(AgentStartError, match="null byte"):
        process.start()


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENOMEM, errno.EAGAIN])
def test_when_the_system_has_no_room_nothing_is_left_behind(number: int) -> None:
    class Full(OsCalls):
        def popen(
            self, argv: Sequence[str], env: Mapping[str, str], cwd: str, pipes: Sequence[int], *, umask: int = -1
        ) -> subprocess.Popen[bytes]:
            raise OSError(number, os.strerror(number))

    process = AgentProcess(launch(""), Redactor(), Full())
    with pytest.raises(AgentStartError, match=os.strerror(number)):
        process.start()
    assert (process.stdin, process.stdout, process.stderr, process.watch) == (-1, -1, -1, -1)


@pytest.mark.parametrize("possible", [0, 1, 2])
def test_when_descriptors_run_out_between_the_pipes_those_opened_are_closed(possible: int) -> None:
    class Scarce(OsCalls):
        left = possible

        def pipe(self) -> tuple[int, int]:
            if not self.left:
                raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
            self.left -= 1
            return os.pipe()

    with pytest.raises(AgentStartError, match="Too many open files"):
        AgentProcess(launch(""), Redactor(), Scarce()).start()


@pytest.mark.parametrize("error", [OSError(errno.EMFILE, "too many"), RuntimeError("can't start new thread")])
def test_an_agent_that_cannot_be_watched_is_not_left_running(error: Exception) -> None:
    class Blind(OsCalls):
        def watch(self, pid: int) -> ExitWatch:
            raise error

    process = AgentProcess(launch("import time; time.sleep(600)"), Redactor(), Blind())
    with pytest.raises(AgentStartError, match=r"too many|can't start"):
        process.start()
    assert reaped(process)
    assert process.exit_text().startswith("killed by SIG")


def test_fifty_starts_cost_no_descriptor() -> None:
    before = len(os.listdir("/dev/fd"))
    for _ in range(50):
        process = AgentProcess(Launch("true", (), "/", {"PATH": os.environ["PATH"]}), Redactor())
        process.start()
        process.end()
        assert process.exit_text() == "exit status 0"
    assert len(os.listdir("/dev/fd")) == before


# Listening and talking.


def test_reading_and_writing_never_block(run: Run) -> None:
    process = run("print('x', end=''); import time; time.sleep(600)")
    assert process.read(100) is None
    assert process.read_stderr()
    written = 0
    while count := process.write(b"y" * 100_000):
        written += count
    assert written >= 4096
    assert not process.deaf


def test_an_agent_that_closes_its_stdin_is_deaf_not_an_error(run: Run) -> None:
    process = run("import os; os.close(0); print('x', end=''); import time; time.sleep(600)")
    assert process.write(b"hello?") == 0
    assert process.deaf
    assert not process.has_exited()


def test_end_of_output_is_an_empty_read(run: Run) -> None:
    process = run("print('xyz', end='')")
    assert read_all(process) == b"yz"
    assert process.read(10) == b""


def test_stderr_is_taken_into_the_tail(run: Run) -> None:
    process = run("import sys; sys.stderr.write('\\x1b[1mwoe\\x1b[0m\\n'); print('x', end='')")
    until(lambda: not process.read_stderr(), what="the end of stderr")
    assert process.tail.text() == "woe"


def test_a_flood_on_stderr_is_taken_in_portions() -> None:
    class Endless(OsCalls):
        reads = 0

        def read(self, descriptor: int, limit: int) -> bytes:
            self.reads += 1
            return b"e" * limit

    flood = Endless()
    process = AgentProcess(launch(""), Redactor(), flood)
    assert process.read_stderr()
    assert flood.reads * process_module.CHUNK == process_module.STDERR_AT_ONCE


# How it ended.


@pytest.mark.parametrize(
    ("script", "text"),
    [
        ("raise SystemExit(3)", "exit status 3"),
        ("pass", "exit status 0"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "killed by SIGKILL"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "killed by SIGSEGV"),
        ("import os, signal; os.kill(os.getpid(), 40)", "killed by signal 40"),
    ],
)
def test_how_it_ended_is_known_before_and_after_it_is_reaped(run: Run, script: str, text: str) -> None:
    process = run(f"import resource; resource.setrlimit(resource.RLIMIT_CORE, (0, 0)); print('x', end=''); {script}")
    until(process.has_exited)
    assert process.exit_text() == text
    assert not reaped(process)
    process.end()
    assert process.exit_text() == text
    assert reaped(process)


def test_a_living_one_is_said_to_be_running(run: Run) -> None:
    process = run("print('x', end=''); import time; time.sleep(600)")
    assert not process.has_exited()
    assert process.exit_text() == "still running"
    assert repr(process) == f"<AgentProcess test pid={process.pid} still running>"
    process.end(BRISK)
    assert repr(process) == f"<AgentProcess test pid={process.pid} killed by SIGTERM ended>"


def test_before_the_start_nothing_has_ended() -> None:
    process = AgentProcess(Launch("agent", (), "/", {}), Redactor())
    assert not process.has_exited()
    assert process.exit_text() == "still running"
    assert repr(process) == "<AgentProcess agent not started>"
    process.end()


def test_one_that_somebody_else_has_reaped_is_gone_and_its_group_is_not_signalled(run: Run) -> None:
    class Careful(OsCalls):
        def killpg(self, group: int, number: int) -> None:
            raise AssertionError("that number may be another's by now")

    process = run("print('x', end=''); import sys; sys.stdin.read()", Careful())
    process.close_stdin()
    assert process.pid is not None
    os.waitpid(process.pid, 0)
    assert process.has_exited()
    assert process.exit_text() == "exit status unknown"
    process.end()


def test_where_only_a_thread_watches_everything_works_the_same(run: Run) -> None:
    process = run("print('x', end=''); import sys; sys.stdin.read()", Threaded())
    assert not process.has_exited()
    process.end(PATIENT)
    assert process.exit_text() == "exit status 0"
    assert reaped(process)


def test_where_nothing_tells_the_status_early_the_watch_tells_the_end(run: Run) -> None:
    process = run("print('x', end=''); import sys; sys.stdin.read()", OldMac())
    assert process.exit_text() == "still running"
    process.close_stdin()
    until(process.has_exited)
    assert process.exit_text() == "exit status unknown"
    process.end(PATIENT)
    assert process.exit_text() == "exit status 0", "known since it was reaped"


def test_a_system_without_waitid_leaves_it_to_the_watch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "waitid")
    assert OsCalls().peek(os.getpid()) is None
