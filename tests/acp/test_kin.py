"""Finding and ending processes that have left their group. Where there is no /proc nothing of this applies."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from openab_sync.acp import kin as kin_module
from openab_sync.acp.kin import Kin, descendants, end_strays, identify, marked, slay
from tests.waiting import until

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="this system has no /proc")

MARKER = "OPENAB_TEST_KIN"
FAMILY = """
import os, sys, time
child = os.fork()
if not child:
    os.setsid()
    os.fork()
    sys.stdout.write("x")
    sys.stdout.flush()
    time.sleep(600)
time.sleep(600)
"""


@pytest.fixture
def family() -> Iterator[subprocess.Popen[bytes]]:
    """A parent with a child and a grandchild in a session of their own; all are there when the test begins."""
    value = f"{os.getpid()}-{os.urandom(4).hex()}"
    parent = subprocess.Popen(
        [sys.executable, "-S", "-E", "-c", FAMILY], env={MARKER: value}, stdout=subprocess.PIPE, start_new_session=True
    )
    assert parent.stdout is not None
    assert os.read(parent.stdout.fileno(), 1) == b"x"
    until(lambda: len(descendants(parent.pid)) == 2, what="two descendants")
    yield parent
    end_strays([], MARKER, [value])
    parent.kill()
    parent.wait()
    parent.stdout.close()


def value_of(parent: subprocess.Popen[bytes]) -> str:
    environ = Path(f"/proc/{parent.pid}/environ").read_bytes()
    return environ.partition(f"{MARKER}=".encode())[2].partition(b"\0")[0].decode()


def await_end(kin: Kin) -> None:
    until(lambda: identify(kin.pid) != kin, what=f"the end of {kin}")


def test_descendants_are_found_through_their_parents(family: subprocess.Popen[bytes]) -> None:
    child, grandchild = descendants(family.pid)
    assert descendants(child.pid) == [grandchild]
    assert descendants(grandchild.pid) == []


def test_a_marker_is_found_in_whoever_inherited_it(family: subprocess.Popen[bytes]) -> None:
    found = marked(MARKER, ["another", value_of(family)])
    assert {kin.pid for kin in found} == {family.pid, *(kin.pid for kin in descendants(family.pid))}
    assert marked(MARKER, [value_of(family)[:-1]]) == [], "a part of the value is another value"


def test_orphans_are_found_by_the_marker_alone(family: subprocess.Popen[bytes]) -> None:
    orphans = descendants(family.pid)
    value = value_of(family)
    family.kill()
    family.wait()
    assert descendants(family.pid) == []
    assert {kin.pid for kin in end_strays([], MARKER, [value])} == {kin.pid for kin in orphans}
    for orphan in orphans:
        await_end(orphan)


def test_known_ones_are_ended_though_they_have_no_marker(family: subprocess.Popen[bytes]) -> None:
    known = descendants(family.pid)
    assert end_strays(known, MARKER, ["nobody has this"]) == known
    for kin in known:
        await_end(kin)
    assert family.poll() is None


def test_a_pid_that_has_changed_hands_is_left_alone(family: subprocess.Popen[bytes]) -> None:
    kin = identify(family.pid)
    assert kin is not None
    slay(Kin(kin.pid, kin.started - 1))
    assert family.poll() is None
    slay(kin)
    assert family.wait() == -signal.SIGKILL
    slay(kin)
    assert identify(family.pid) is None


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.EMFILE])
def test_without_a_pidfd_the_number_has_to_do(
    monkeypatch: pytest.MonkeyPatch, family: subprocess.Popen[bytes], number: int
) -> None:
    def none(_: int) -> int:
        raise OSError(number, "no")

    monkeypatch.setattr(kin_module, "open_pidfd", none)
    kin = identify(family.pid)
    assert kin is not None
    slay(Kin(kin.pid, kin.started - 1))
    assert family.poll() is None
    slay(kin)
    assert family.wait() == -signal.SIGKILL


def test_an_unexpected_refusal_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_: int) -> int:
        raise OSError(errno.ENOMEM, "no memory")

    monkeypatch.setattr(kin_module, "open_pidfd", refused)
    with pytest.raises(OSError, match="no memory"):
        slay(Kin(2**22, 1))


def test_another_users_process_is_left_alone(monkeypatch: pytest.MonkeyPatch, family: subprocess.Popen[bytes]) -> None:
    def refused(_: Kin) -> None:
        raise PermissionError(errno.EPERM, "not yours")

    known = descendants(family.pid)
    with monkeypatch.context() as patch:
        patch.setattr(kin_module, "slay", refused)
        assert end_strays(known, MARKER, ["nobody"]) == known
    assert descendants(family.pid) == known


def test_whoever_appears_while_we_look_is_ended_in_a_later_round(monkeypatch: pytest.MonkeyPatch) -> None:
    rounds = iter([[Kin(10**7, 1)], [Kin(10**7, 1), Kin(10**7 + 1, 1)], [Kin(10**7 + 1, 1)]])
    slain: list[Kin] = []
    monkeypatch.setattr(kin_module, "marked", lambda *_: next(rounds))
    monkeypatch.setattr(kin_module, "slay", slain.append)
    assert end_strays([], MARKER, ["x"]) == slain == [Kin(10**7, 1), Kin(10**7 + 1, 1)]


def test_whoever_runs_away_for_ever_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    pids = iter(range(10**7, 10**7 + 100))
    monkeypatch.setattr(kin_module, "marked", lambda *_: [Kin(next(pids), 1)])
    monkeypatch.setattr(kin_module, "slay", lambda _: None)
    assert len(end_strays([], MARKER, ["x"])) == kin_module.ROUNDS - 1


def test_without_proc_nobody_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(kin_module, "PROC", tmp_path / "nothing")
    assert identify(os.getpid()) is None
    assert descendants(os.getpid()) == []
    assert end_strays([], "PATH", [os.environ["PATH"]]) == []


def test_we_never_find_ourselves(monkeypatch: pytest.MonkeyPatch) -> None:
    marker = Path("/proc/self/environ").read_bytes().split(b"\0")[0].decode()
    name, _, value = marker.partition("=")
    assert os.getpid() not in [kin.pid for kin in marked(name, [value])]
