"""How much memory agents hold, with all that they have started."""

from __future__ import annotations

import os
import subprocess
import sys

from openab_sync.status.memory import Scales, weigh
from tests.waiting import until

HUNGRY = "import subprocess, sys; held = bytes(30_000_000); subprocess.run([sys.executable, '-c', CHILD], check=True)"
CHILD = "import sys; held = b'x' * 20_000_000; print('fed', flush=True); sys.stdin.read()"


def test_a_process_is_weighed_with_its_children() -> None:
    program = HUNGRY.replace("CHILD", repr(CHILD)).replace("bytes(30_000_000)", "b'x' * 30_000_000")
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None and parent.stdin is not None
        assert parent.stdout.readline() == "fed\n"
        assert weigh([parent.pid])[parent.pid] > 50_000_000
        parent.stdin.close()
    until(lambda: weigh([parent.pid]) == {})


def test_what_is_not_there_weighs_nothing() -> None:
    assert weigh([2**22 + 1]) == {}
    scales = Scales()
    scales.weigh([os.getpid()])
    assert scales.bytes[os.getpid()] > 1_000_000
    scales.weigh([])
    assert scales.bytes == {}
