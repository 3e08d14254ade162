"""The command line of an agent, with what stands before it; the prefixes that people use really run, and really end."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from openab_sync.acp.launch import Launch
from openab_sync.acp.process import AgentProcess, Ladder
from openab_sync.errors import AgentStartError
from openab_sync.text.redact import Redactor
from tests.waiting import until

ENV = {"PATH": os.environ["PATH"]}
PYTHON = os.path.realpath(sys.executable)  # the sandbox hides /tmp, where an environment may be
OPERATING = Path(__file__).parents[2] / "conf" / "OPERATING.rst"
# Says that it is there; neither the end of stdin nor SIGTERM ends it, and it has a child that is like it.
STUBBORN = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = os.fork()
if child:
    print(os.getpid(), child, flush=True)
while True:
    time.sleep(60)
"""


def test_what_becomes_the_agent_comes_first_then_what_runs_it_then_the_agent(tmp_path: Path) -> None:
    (program := tmp_path / "box").write_text("")
    program.chmod(0o700)
    prefix = (str(program), "--in", "{working_dir}", "--out={outbox}", "--")
    launch = Launch("agent", ("--acp",), str(tmp_path), ENV, through=("/bin/first", "--"), prefix=prefix, outbox="/box")
    assert launch.argv() == [
        "/bin/first", "--", str(program), "--in", str(tmp_path), "--out=/box", "--", "agent", "--acp",
    ]  # fmt: skip
    assert "box" not in repr(launch), "a prefix may hold secrets"


def test_a_prefix_that_is_not_there_is_named() -> None:
    with pytest.raises(AgentStartError, match="no-such-sandbox"):
        Launch("agent", (), "/", ENV, prefix=("no-such-sandbox",)).argv()


def test_without_a_prefix_it_is_the_agent_that_must_be_there() -> None:
    assert Launch(sys.executable, ("-c", "x"), "/", ENV).argv() == [sys.executable, "-c", "x"]
    with pytest.raises(AgentStartError, match="no-such-agent"):
        Launch("no-such-agent", (), "/", ENV).argv()


def examples() -> list[tuple[str, ...]]:
    """The prefixes of OPERATING.rst that Debian's own util-linux and bubblewrap run."""
    return [prefix for prefix in prefixes() if prefix[0] in {"prlimit", "setpriv", "bwrap"}]


def prefixes() -> list[tuple[str, ...]]:
    """All that stand in OPERATING.rst; that with ssh is run by faults/test_ssh.py."""
    found = re.findall(r"^\s+command_prefix = \[([^]]*)\]$", OPERATING.read_text(), re.MULTILINE)
    return [tuple(re.findall(r'"([^"]*)"', line)) for line in found]


def test_every_example_is_run() -> None:
    assert sorted(prefix[0] for prefix in prefixes()) == ["bwrap", "podman", "prlimit", "setpriv", "ssh"]


def test_the_outbox_is_told_to_the_agent_and_the_environment_is_one_for_all() -> None:
    one, other = (Launch("agent", (), "/", ENV, outbox=box) for box in ("/box", ""))
    assert one.environment() == {**ENV, "OPENAB_OUTBOX": "/box"} and other.environment() == ENV
    assert one.env is other.env is ENV


def ready(prefix: tuple[str, ...], tmp_path: Path) -> tuple[tuple[str, ...], str]:
    """The prefix with folders of this test for those that it names, and the outbox."""
    if prefix[0] == "bwrap" and shutil.which("bwrap") is None:
        pytest.skip("there is no bubblewrap here")
    for name in ("work", "box", "login"):
        (tmp_path / name).mkdir()
    login = str(tmp_path / "login")
    words = tuple(login if word == "/home/me/.gemini" else word for word in prefix)
    return words, str(tmp_path / "box")


def started(launch: Launch) -> tuple[AgentProcess, str]:
    """A process of it, and the first line that it has written."""
    process, said = AgentProcess(launch, Redactor()), bytearray()
    process.start()

    def has_spoken() -> bool:
        said.extend(process.read(100) or b"")
        return said.endswith(b"\n")

    until(has_spoken)
    return process, said.decode()


@pytest.mark.parametrize("prefix", examples(), ids=lambda prefix: prefix[0])
def test_an_agent_behind_a_prefix_of_the_manual_runs_and_is_ended_with_all_it_has_started(
    prefix: tuple[str, ...], tmp_path: Path
) -> None:
    prefix, box = ready(prefix, tmp_path)
    mark = f"STUBBORN-{os.getpid()}-{tmp_path.name}"
    launch = Launch(PYTHON, ("-c", STUBBORN, mark), str(tmp_path / "work"), ENV, prefix=prefix, outbox=box)
    process, _ = started(launch)

    def family() -> list[int]:  # in a sandbox they know each other by other numbers
        return [one.pid for one in psutil.process_iter(["cmdline"]) if mark in (one.info["cmdline"] or ())]

    assert len(family()) >= 2, "it and its child"
    process.end(Ladder(eof_grace=0.0, term_grace=0.05))
    until(lambda: not family(), what="its child has ended, too")
    assert process.has_exited()
    last = signal.SIGTERM if prefix[0] == "bwrap" else signal.SIGKILL  # that one obeys, and its agent dies with it
    assert process.exit_text() == f"killed by {last.name}"


def test_the_sandbox_of_the_manual_lets_an_agent_write_where_it_works_and_nowhere_else(tmp_path: Path) -> None:
    (prefix,) = [prefix for prefix in examples() if prefix[0] == "bwrap"]
    prefix, box = ready(prefix, tmp_path)
    (other := tmp_path / "other").mkdir()
    script = """
import os, sys
for folder in sys.argv[1:]:
    try:
        open(folder + "/written", "w").close()
    except OSError:
        pass
print(len([name for name in os.listdir("/proc") if name.isdigit()]), flush=True)
"""
    folders = [str(tmp_path / name) for name in ("work", "box", "login", "other")]
    launch = Launch(PYTHON, ("-c", script, *folders), str(tmp_path / "work"), ENV, prefix=prefix, outbox=box)
    process, said = started(launch)
    process.end(Ladder(eof_grace=0.0, term_grace=0.05))
    assert [name for name in ("work", "box", "login") if (tmp_path / name / "written").exists()] == [
        "work",
        "box",
        "login",
    ]
    assert not (other / "written").exists()
    assert int(said) <= 2, "it sees itself, and what became its first process"


# An image that comes from nowhere: the files of this machine, with changes of its own over them.
MINE = ("--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1000:1000", "--network=none", "--rootfs", "/:O")


def can_contain() -> bool:
    """Whether a container can be run here: that takes a program, and rights."""
    podman = shutil.which("podman")
    try:
        return podman is not None and not subprocess.run(
            [podman, "run", "--rm", *MINE, "/bin/true"], check=False, capture_output=True, timeout=60
        ).returncode  # fmt: skip
    except subprocess.TimeoutExpired:
        return False


if can_contain():  # .ci/run says so if it cannot be done there

    @pytest.mark.slow
    def test_an_agent_in_the_container_of_the_manual_works_in_its_folder_alone_and_ends_with_it(tmp_path: Path) -> None:
        (prefix,) = [prefix for prefix in prefixes() if prefix[0] == "podman"]
        assert prefix[-1] == "agents"
        (work := tmp_path / "work").mkdir()
        script = f"""
import os, sys
open("written", "w").close()
open({str(tmp_path / "beside")!r}, "w").close()
print(os.getpid(), os.getcwd(), flush=True)
sys.stdin.read()
"""
        env = {**ENV, "HOME": str(tmp_path)}
        launch = Launch(PYTHON, ("-c", script), str(work), env, prefix=(*prefix[:-1], *MINE))
        process, said = started(launch)
        assert said.split() == ["1", str(work)], "it sees no process but itself"
        assert (work / "written").exists() and not (tmp_path / "beside").exists()
        process.end(Ladder(eof_grace=60.0, term_grace=0.05))
        assert process.exit_text() == "exit status 0"
        left = subprocess.run(["podman", "ps", "--all", "--quiet"], check=True, capture_output=True, env=env)
        assert left.stdout == b""
