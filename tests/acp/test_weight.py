"""How much memory a tree of processes takes: all of it, and what is shared once where it matters."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from openab_sync.acp.weight import tree_memory

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


def test_a_family_is_weighed_as_a_whole_and_what_it_shares_once_if_it_seems_too_much() -> None:
    with family() as pid:
        roughly = tree_memory(pid)
        assert roughly > 130 * MB, "four times 30, once 20, and the interpreters"
        assert tree_memory(pid, enough=1000 * MB) > 130 * MB, "far from enough: nobody looks closer"
        exactly = tree_memory(pid, enough=100 * MB)
        assert 50 * MB < exactly < 100 * MB


def test_nobody_weighs_nothing() -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    assert tree_memory(gone.pid) == 0
    assert tree_memory(os.getpid()) > MB
