"""Orphans that a first process of a container inherits are reaped, and what has an owner is left to it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from openab_sync.acp.adopted import Adopted
from openab_sync.acp.kin import zombies

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="this system has no /proc")

# A process that the kernel gives orphans to, as to PID 1 of a container (prctl 36: PR_SET_CHILD_SUBREAPER). Its
# child leaves a grandchild behind that ends at once; an owned child of its own ends as well and is not waited for.
INIT = """
import ctypes, os, subprocess, sys
from openab_sync.acp.adopted import Adopted
from openab_sync.acp.kin import zombies
from tests.waiting import until

assert ctypes.CDLL(None, use_errno=True).prctl(36, 1, 0, 0, 0) == 0
subprocess.run([sys.executable, "-S", "-c", "import os; os.fork() or os.setsid()"], check=True)
owned = subprocess.Popen(["true"])
until(lambda: len(zombies(os.getpid())) == 2, what="an orphan and a child have ended")
adopted, known = Adopted(), {owned.pid}
counts = [adopted.reap(known), adopted.reap(known), adopted.reap(known)]
left = [kin.pid for kin in zombies(os.getpid())]
print(counts, left == [owned.pid], owned.wait())
"""


def test_an_orphan_is_reaped_in_the_second_round_and_a_child_of_ours_never() -> None:
    root = Path(__file__).parent.parent.parent
    run = subprocess.run([sys.executable, "-c", INIT], cwd=root, capture_output=True, text=True)
    assert run.stdout == "[0, 1, 0] True 0\n", run.stderr


def test_a_child_that_somebody_else_reaps_meanwhile_is_nobody() -> None:
    child = subprocess.Popen(["true"])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    adopted = Adopted()
    assert adopted.reap(()) == 0
    assert [kin.pid for kin in zombies(os.getpid())] == [child.pid]
    assert child.wait() == 0
    assert adopted.reap(()) == 0
