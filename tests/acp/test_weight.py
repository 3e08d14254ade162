"""What trees of processes take: all memory, and what is shared once where it matters; processes and threads."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from openab_sync.acp import weight as module
from openab_sync.acp.launch import Launch
from openab_sync.acp.process import AgentProcess
from openab_sync.acp.weight import Weight, exactly, weigh
from openab_sync.text.redact import Redactor
from tests.waiting import until

MB = 1024 * 1024
# 30 MB that three children share with their parent, and 20 of the last one's own.
FAMILY = """
import os, sys, time
shared = bytearray(b"x") * (30 * 1024 * 1024)
for number in range(3):
    if os.fork() == 0:
        mine = bytearray(b"y") * (20 * 1024 * 1024) if number == 2 else b""
        print(number, flush=True)
        sys.stdin.read()
        os._exit(0)
for _ in range(3):
    os.wait()
"""


@contextmanager
def family() -> Iterator[int]:
    with subprocess.Popen(
        [sys.executable, "-c", FAMILY], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
    ) as top:
        assert top.stdout is not None
        for _ in range(3):
            top.stdout.readline()
        yield top.pid


@pytest.fixture(params=["as the system has it", "without /proc"])
def look(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "without /proc":
        monkeypatch.setattr(module, "PROC", Path("/nowhere"))


@pytest.mark.usefixtures("look")
def test_a_family_is_weighed_as_a_whole_and_what_it_shares_once_if_somebody_wants_to_know() -> None:
    with family() as pid:
        roughly = weigh([pid, os.getpid()])
        assert roughly[pid].bytes > 130 * MB, "four times 30, once 20, and the interpreters"
        assert roughly[pid].tasks == 4
        assert roughly[os.getpid()].bytes > roughly[pid].bytes, "it is a child of ours"
        assert exactly(pid) < 100 * MB
        assert exactly(pid) > (50 if module.PROC.exists() else 20) * MB, "without /proc shared pages are nobody's"
    until(lambda: weigh([pid]) == {})


@pytest.mark.usefixtures("look")
def test_nobody_weighs_nothing() -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    assert weigh([gone.pid]) == {} and exactly(gone.pid) == 0
    assert weigh([os.getpid(), gone.pid])[os.getpid()].bytes > MB


# Its parents end at once, three times in a row: what remains has no ancestor but the system. It also has two threads.
ORPHAN = """
import os, sys, threading
for _ in range(3):
    if os.fork():
        os._exit(0)
threading.Thread(target=threading.Event().wait, daemon=True).start()
print(os.getpid(), flush=True)
sys.stdin.read()
os._exit(0)
"""


@pytest.mark.usefixtures("look")
def test_what_has_lost_its_parents_counts_as_long_as_it_is_in_the_session() -> None:
    """So does what a fork bomb leaves: nobody in it has a parent for long."""
    shell = ["/bin/sh", "-c", '"$0" -c "$1"; read line', sys.executable, ORPHAN]
    with subprocess.Popen(
        shell, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, start_new_session=True
    ) as top:
        assert top.stdout is not None
        orphan = int(top.stdout.readline())
        until(lambda: weigh([top.pid])[top.pid].tasks == 3, what="its parents are gone")
        found = weigh([top.pid, orphan])
        assert found[orphan].tasks == 2 and found[top.pid].bytes > found[orphan].bytes


# A server in the background: a session of its own, and no parent that lives.
SERVER = """
import os, sys
if os.fork():
    sys.stdin.read()
os.setsid()
if os.fork():
    os._exit(0)
food = bytearray(b"x") * (30 * 1024 * 1024)
print(os.getpid(), flush=True)
os.close(1)
import time; time.sleep(600)
"""


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="this system has no /proc")
def test_what_has_left_tree_and_session_is_known_by_the_mark_of_its_agent(monkeypatch: pytest.MonkeyPatch) -> None:
    """And its environment is read once."""
    launch = Launch(sys.executable, ("-c", SERVER), "/", {"PATH": "/usr/bin:/bin"})
    process = AgentProcess(launch, Redactor())
    process.start()
    pid = process.pid
    assert pid is not None
    try:
        server = int(until(lambda: process.read(100) or b""))
        until(lambda: not psutil.Process(server).parents()[:-1] or psutil.Process(server).ppid() == 1)
        until(lambda: weigh([pid])[pid].tasks == 2, what="both are counted")
        assert weigh([pid])[pid].bytes > 30 * MB and exactly(pid) > 30 * MB
        read: list[int] = []

        def look(one: int) -> str:
            read.append(one)
            return ""

        monkeypatch.setattr(module, "_mark", look)
        assert weigh([pid])[pid].tasks == 2
        assert not {pid, server} & set(read)
    finally:
        process.end()
    until(lambda: not psutil.pid_exists(server), what="it is ended with its agent")


def test_all_are_weighed_with_one_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """A look at /proc for each agent is a sixth of a core for a hundred that sleep."""
    looks: list[int] = []

    def look() -> Iterator[tuple[int, int, int, int, int, int]]:
        looks.append(1)
        return iter([(pid, 1, pid, MB, 3, 0) for pid in range(2, 9)])

    monkeypatch.setattr(module, "_listed", look)
    monkeypatch.setattr(module, "_has_proc", lambda: True)
    monkeypatch.setattr(module, "_EYES", module._Eyes())
    assert weigh(range(2, 9)) == dict.fromkeys(range(2, 9), Weight(MB, 3)) and looks == [1]
    assert weigh([]) == {} and looks == [1], "without agents nobody looks"
    for pid in range(2, 9):
        exactly(pid)
    assert looks == [1], "nor again for each that is large"
    assert weigh([2], age=60.0) == {2: Weight(MB, 3)} and looks == [1], "nor where somebody has just looked"
    assert weigh([2]) and looks == [1, 1]


def test_a_pid_that_changed_hands_while_it_was_looked_at_makes_no_ring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_listed", lambda: iter([(5, 6, 6, 1, 1, 0), (6, 5, 5, 2, 1, 0)]))
    monkeypatch.setattr(module, "_has_proc", lambda: True)
    monkeypatch.setattr(module, "_EYES", module._Eyes())
    assert weigh([5]) == {5: Weight(3, 2)}


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="this system has no /proc")
def test_where_there_is_a_proc_no_library_is_needed() -> None:
    program = f"import os, sys; from {module.__name__} import *; weigh([os.getpid()]); exactly(os.getpid())"
    program += "; sys.exit('psutil' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
