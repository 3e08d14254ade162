"""What conftest promises of every test is kept: each kind of thing left behind fails the test that left it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]

LEAKS = """
import os, subprocess, threading, time
import pytest
from hypothesis import settings
from tests.witness import SESSION, WatchedLock

kept = []

def test_thread():
    kept.append(threading.Thread(target=threading.Event().wait, name="stray", daemon=True))
    kept[-1].start()

def test_process():
    kept.append(subprocess.Popen(["sleep", "60"]))
    kept[-1].kill()  # a zombie counts, too

def test_descriptor():
    kept.append(os.pipe())

def test_fault(witness):
    with WatchedLock(witness, threading.Lock(), SESSION), pytest.raises(AssertionError):
        time.sleep(0)

def test_thread_that_needs_a_moment():
    threading.Thread(target=time.sleep, args=(0.01,), name="brief").start()

def test_child_that_raises():
    thread = threading.Thread(target=lambda: 1 / 0, name="unlucky")
    thread.start()
    thread.join()
"""


def test_what_a_test_leaves_behind_fails_it(tmp_path: Path) -> None:
    answer = pytest_on(tmp_path, LEAKS)
    for complaint in (
        "left behind: thread stray",
        "left behind: process",
        "left behind: descriptor of pipe:",
        "MainThread: time.sleep is called while a session's lock is held",
        "ZeroDivisionError",
    ):
        assert complaint in answer.stdout
    assert "1 failed, 5 passed, 4 errors" in answer.stdout


@pytest.mark.parametrize(("ci", "code"), [("0", 0), ("1", 1)])
def test_a_skip_is_a_failure_in_ci_only(ci: str, code: int, tmp_path: Path) -> None:
    answer = pytest_on(tmp_path, "import pytest\n\ndef test_it():\n    pytest.skip('no reason')\n", OPENAB_CI=ci)
    assert answer.returncode == code, answer.stdout
    assert ("in CI that is a failure" in answer.stdout) is bool(code)


def test_the_stress_environment_switches_threads_fast_and_tries_many_examples(tmp_path: Path) -> None:
    look = """
import sys
from hypothesis import settings

def test_it():
    assert sys.getswitchinterval() < 1e-5
    assert settings().max_examples >= 1000
"""
    assert pytest_on(tmp_path, look, OPENAB_STRESS="1").returncode == 0


def pytest_on(folder: Path, source: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run pytest on `source` under the suite's conftest and configuration."""
    test = folder / "test_inner.py"
    test.write_text(source)
    options = ["-p", "tests.conftest", "-p", "no:cacheprovider", "-c", str(ROOT / "tox.ini"), "--rootdir", str(folder)]
    short = {"OPENAB_TEST_SLOWDOWN": "0.1", "OPENAB_CI": "0", "OPENAB_STRESS": "0", **environment}
    return subprocess.run(
        [sys.executable, "-m", "pytest", *options, str(test)],
        cwd=ROOT,
        env={**os.environ, **short},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
