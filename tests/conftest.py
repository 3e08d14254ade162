"""What holds for every test: nothing is left behind, the locks are watched, and in CI nothing is skipped.

The environment decides how hard the tests look: see tests/README.rst.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from hypothesis import HealthCheck, is_hypothesis_test, settings

from tests.witness import Witness, install

IN_CI = os.environ.get("OPENAB_CI") == "1"
STRESS = os.environ.get("OPENAB_STRESS") == "1"

# A thread that has been told to end needs a moment on a machine with two cores and forty threads.
PATIENCE = 2.0 * float(os.environ.get("OPENAB_TEST_SLOWDOWN", "1"))

# Tests of what reads bytes that others wrote; the environment `stress` gives them many examples.
FUZZED = tuple(str(Path(__file__).parent / name) for name in ("acp", "config", "media", "text/test_split.py"))

# Everyday examples are always the same ones, so that a failure is the change's and not the day's; the long profile
# looks for new ones. No database: what was found belongs into the test as an @example.
COMMON = settings(deadline=None, database=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("short", COMMON, max_examples=50, derandomize=True)
settings.register_profile("long", COMMON, max_examples=1000)
settings.load_profile("long" if STRESS else "short")


def pytest_configure() -> None:
    # A job in the background of a plain shell ignores SIGINT, and so would every program that the tests interrupt.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if STRESS:
        sys.setswitchinterval(1e-6)


@pytest.hookimpl(tryfirst=True)  # before -m has chosen
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the properties in the folders and files of FUZZED."""
    for item in items:
        if str(item.path).startswith(FUZZED) and is_hypothesis_test(getattr(item, "obj", None)):
            item.add_marker("fuzz")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI a skipped test fails the run: whatever made it skip is missing there."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if IN_CI and reporter is not None and (skipped := reporter.stats.get("skipped")):
        reporter.write_line(f"\n{len(skipped)} skipped: in CI that is a failure", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(autouse=True)
def witness() -> Iterator[Witness]:
    """The witness of this test; `leaves_nothing_behind` looks at its faults."""
    with pytest.MonkeyPatch.context() as patch:  # not the test's own, which it may undo
        yield install(patch)


@pytest.fixture(autouse=True)
def leaves_nothing_behind(witness: Witness) -> Iterator[None]:
    """After the test: no new thread, child process or descriptor, and no rule about locks broken."""
    threads, children, descriptors = set(threading.enumerate()), _children(), _descriptors()
    yield
    until = time.monotonic() + PATIENCE
    for thread in set(threading.enumerate()) - threads:
        thread.join(max(0.0, until - time.monotonic()))
    left = _left(threads, children, descriptors)
    if left:
        gc.collect()  # what only a cycle keeps is closed by this, with a ResourceWarning that fails the test
        while (left := _left(threads, children, descriptors)) and time.monotonic() < until:
            time.sleep(0.01)
    assert not left, f"left behind: {'; '.join(left)}"
    assert not witness.faults, "; ".join(witness.faults)


def _left(threads: set[threading.Thread], children: set[int], descriptors: Counter[str]) -> list[str]:
    """What is there now and was not before, a few words each."""
    left = [f"thread {thread.name}" for thread in set(threading.enumerate()) - threads]
    left += [f"process {_process(pid)}" for pid in _children() - children]
    left += [f"descriptor of {target} ({count})" for target, count in (_descriptors() - descriptors).items()]
    return left


def _children() -> set[int]:
    """The processes whose parent is this one, zombies included. From the kernel's own list where it keeps one."""
    try:
        lists = [(task / "children").read_text() for task in Path("/proc/self/task").iterdir()]
    except (FileNotFoundError, ProcessLookupError):  # no /proc, no such list, or a thread ended while we looked
        return {child.pid for child in psutil.Process().children()}
    return {int(pid) for children in lists for pid in children.split()}


def _process(pid: int) -> str:
    try:
        process = psutil.Process(pid)
        return f"{pid} {process.status()} {' '.join(process.cmdline())}"
    except psutil.Error:  # gone meanwhile
        return str(pid)


def _descriptors() -> Counter[str]:
    """What the open descriptors point to, each with its number; where that cannot be seen, how many there are."""
    here = Path("/proc/self/fd")
    if not here.exists():
        return Counter({"something": psutil.Process().num_fds()})
    targets: Counter[str] = Counter()
    for name in os.listdir(here):
        try:
            targets[os.readlink(here / name)] += 1
        except FileNotFoundError:  # the listing's own descriptor
            continue
    return targets
