"""One heap for all threads, and what is there at the start is not looked through again."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

HEAPS = """
import re, threading
from openab_sync.heap import share
SHARE
here, go = threading.Barrier(9), threading.Event()
def hold():
    held = [bytes(5000) for _ in range(20)]
    here.wait(), go.wait()
for _ in range(8):
    threading.Thread(target=hold).start()
here.wait()
begins = re.findall("^([0-9a-f]+)-", open("/proc/self/maps").read(), re.MULTILINE)
go.set()
print(sum(int(begin, 16) % (64 << 20) == 0 for begin in begins))
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc" or sys.maxsize < 2**32, reason="other C libraries have one heap")
def test_threads_share_one_heap() -> None:
    """Heaps of glibc begin at multiples of 64 MiB."""

    def heaps(share: str) -> int:
        program = [sys.executable, "-c", HEAPS.replace("SHARE", share)]
        return int(subprocess.run(program, check=True, capture_output=True, text=True, env={}).stdout)

    assert heaps("") > 2
    assert heaps("share()") == 0


SETTLED = """
import gc, weakref
from openab_sync.heap import settle
class Ring:
    def __init__(self):
        self.me = self
gone, there, kept = weakref.ref(Ring()), Ring(), [Ring() for _ in range(100_000)]
settle()
frozen, looked_at = gc.get_freeze_count(), len(gc.get_objects())
later = weakref.ref(Ring())
gc.collect()
print(gone() is None, frozen > 100_000, looked_at < 100, later() is None)
"""


def test_what_is_there_when_all_is_started_is_let_be_and_garbage_still_goes() -> None:
    found = subprocess.run([sys.executable, "-c", SETTLED], check=True, capture_output=True, text=True).stdout
    assert found.split() == ["True"] * 4, "garbage of before, what is frozen, what is looked through, garbage of later"
