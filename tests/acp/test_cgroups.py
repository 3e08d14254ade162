"""Control groups, in a tree of plain files: found only where one was given to us, and told what is meant.

What the kernel itself does is tried as far as this machine has it: killing a cage needs a tree of version 2 that may be
written to, a bound on tasks its controller there as well. Where they are missing those tests are not there either.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from openab_sync.acp.cgroups import Cage, Cages
from tests.waiting import until


def tree(root: Path, controllers: str = "cpuset cpu io memory pids") -> Path:
    """A tree as a container has it: its own root, with all controllers."""
    (root / "cgroup.controllers").write_text(f"{controllers}\n")
    return root


def test_the_tree_of_a_container_is_ours_and_we_move_into_a_leaf(tmp_path: Path) -> None:
    cages = Cages.found(tree(tmp_path), "12:memory:/x\n0::/\n", pid=4711)
    assert cages == Cages(tmp_path)
    assert (tmp_path / "openab-sync" / "cgroup.procs").read_text() == "4711"
    assert (tmp_path / "cgroup.subtree_control").read_text() == "+memory +pids"


@pytest.mark.parametrize("own", ["", "12:memory:/x\n", "0::/nowhere\n"])
def test_without_a_place_in_the_one_tree_there_are_none(tmp_path: Path, own: str) -> None:
    assert Cages.found(tree(tmp_path), own) is None


def test_without_the_controllers_there_are_none(tmp_path: Path) -> None:
    assert Cages.found(tree(tmp_path, "cpu io"), "0::/") is None
    assert list(tmp_path.iterdir()) == [tmp_path / "cgroup.controllers"], "nothing was touched"


def test_what_a_service_manager_keeps_is_not_ours_though_we_may_write_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "system.slice" / "openab.service"
    place.mkdir(parents=True)
    tree(place)
    assert Cages.found(tmp_path, "0::/system.slice/openab.service") is None
    # What systemd writes for Delegate=yes. Not every file system has such attributes, so the question is answered here.
    monkeypatch.setattr("os.getxattr", lambda path, name: b"1" if (path, name) == (place, "user.delegate") else b"")
    assert Cages.found(tmp_path, "0::/system.slice/openab.service", pid=1) == Cages(place)


def test_a_tree_that_refuses_is_not_used(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    (tree(tmp_path) / "cgroup.subtree_control").mkdir()
    assert Cages.found(tmp_path, "0::/", pid=1) is None
    assert "control groups cannot be used here" in caplog.text


def test_a_cage_says_what_is_bounded_before_anybody_is_in_it(tmp_path: Path) -> None:
    cages = Cages(tmp_path)
    cage = cages.cage("abc", 4711, memory=0, tasks=7)
    assert cage == Cage(tmp_path / "agent-abc")
    said = {file.name: file.read_text() for file in cage.folder.iterdir()}
    assert said == {"memory.max": "max", "pids.max": "7", "memory.oom.group": "1", "cgroup.procs": "4711"}
    cage.kill()
    assert (cage.folder / "cgroup.kill").read_text() == "1"


def test_an_empty_cage_goes_and_a_full_one_stays(tmp_path: Path) -> None:
    (tmp_path / "agent-x").mkdir()
    Cage(tmp_path / "agent-x").open()
    assert list(tmp_path.iterdir()) == []
    Cage(tmp_path / "agent-x").open()  # and once more


def test_a_cage_that_cannot_be_made_costs_a_line(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "agent-x").write_text("a file")
    assert Cages(tmp_path).cage("x", 1, memory=1, tasks=1) is None
    assert "could not be put into a control group" in caplog.text


def real_tree() -> Path | None:
    """The tree of version 2 of this machine, None if it has none or we may not change it."""
    mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()] if os.name == "posix" else []
    found = [Path(where) for _, where, kind, flags, *_ in mounts if kind == "cgroup2" and "rw" in flags.split(",")]
    for folder in found:
        probe = folder / f"openab-sync-probe-{os.getpid()}"
        try:
            probe.mkdir()
            probe.rmdir()
        except OSError:
            continue
        return folder
    return None


REAL = real_tree() if sys.platform == "linux" else None
CONTROLLED = REAL is not None and "pids" in (REAL / "cgroup.subtree_control").read_text().split()
# A family that hides: each in a session of its own, its parent gone.
FAMILY = """
import os, time
for _ in range(3):
    if not os.fork():
        os.setsid()
        if os.fork():
            os._exit(0)
        time.sleep(600)
print("there", flush=True)
time.sleep(600)
"""


@pytest.fixture
def inside() -> Iterator[Path]:
    """A group of the real tree, which is empty again and gone afterwards."""
    assert REAL is not None
    folder = REAL / f"openab-sync-test-{os.getpid()}"
    folder.mkdir()
    yield folder
    Cage(folder).kill()
    until(lambda: not (folder / "cgroup.procs").read_text())
    folder.rmdir()


if REAL is not None:

    def test_the_kernel_kills_all_of_a_cage_wherever_they_hide(inside: Path) -> None:
        with subprocess.Popen([sys.executable, "-c", f"input()\n{FAMILY}"], stdin=-1, stdout=-1) as agent:
            assert agent.stdin is not None and agent.stdout is not None
            (inside / "cgroup.procs").write_text(str(agent.pid))
            agent.stdin.write(b"go\n")
            agent.stdin.flush()
            assert agent.stdout.readline() == b"there\n"
            until(lambda: len((inside / "cgroup.procs").read_text().split()) == 4, what="all are in it")
            Cage(inside).kill()
            assert agent.wait(10) == -9
        until(lambda: not (inside / "cgroup.procs").read_text(), what="nobody is left")


if CONTROLLED:

    def test_the_kernel_bounds_the_tasks_of_a_cage(tmp_path: Path) -> None:
        assert REAL is not None
        agent = subprocess.Popen([sys.executable, "-c", f"input()\n{FAMILY}"], stdin=-1, stdout=-1, stderr=-1)
        cage = Cages(REAL).cage(f"test-{os.getpid()}", agent.pid, memory=0, tasks=2)
        assert cage is not None
        _, complaint = agent.communicate(b"go\n", timeout=10)
        cage.kill()
        until(lambda: not (cage.folder / "cgroup.procs").read_text())
        cage.open()
        assert b"Resource temporarily unavailable" in complaint
