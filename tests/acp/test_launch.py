"""The command line of an agent, with what stands before it; the prefixes that people use really run, and really end."""

from __future__ import annotations

import os
import re
import signal
import sys
from pathlib import Path

import psutil
import pytest

from openab_sync.acp.launch import Launch
from openab_sync.acp.process import AgentProcess, Ladder
from openab_sync.errors import AgentStartError
from openab_sync.text.redact import Redactor
from tests.waiting import until

ENV = {"PATH": os.environ["PATH"], "OPENAB_OUTBOX": "/box"}
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
    launch = Launch("agent", ("--acp",), str(tmp_path), ENV, through=("/bin/first", "--"), prefix=prefix)
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
    """The prefixes of OPERATING.rst that Debian's own util-linux runs."""
    found = re.findall(r"^\s+command_prefix = \[(.*)\]$", OPERATING.read_text(), re.MULTILINE)
    words = [tuple(re.findall(r'"([^"]*)"', line)) for line in found]
    return [prefix for prefix in words if prefix[0] in {"prlimit", "setpriv", "nice", "timeout"}]


def test_there_are_examples_to_be_run() -> None:
    assert {prefix[0] for prefix in examples()} >= {"prlimit", "setpriv"}


@pytest.mark.parametrize("prefix", examples(), ids=" ".join)
def test_an_agent_behind_a_prefix_of_the_manual_runs_and_is_ended_with_all_it_has_started(
    prefix: tuple[str, ...], tmp_path: Path
) -> None:
    launch = Launch(sys.executable, ("-c", STUBBORN), str(tmp_path), ENV, prefix=prefix)
    process = AgentProcess(launch, Redactor())
    process.start()
    found = bytearray()

    def pids() -> list[int]:
        found.extend(process.read(100) or b"")
        return [int(word) for word in found.split()] if found.endswith(b"\n") else []

    agent, child = until(pids)
    process.end(Ladder(eof_grace=0.0, term_grace=0.05))
    until(lambda: not psutil.pid_exists(child), what="its child has ended, too")
    assert not psutil.pid_exists(agent) and process.has_exited()
    assert process.exit_text() == f"killed by {signal.SIGKILL.name}"
