"""The end of a child as something to wait for."""

from __future__ import annotations

import errno
import logging
import os
import select
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator

import pytest

from openab_sync.acp import watch as watch_module
from openab_sync.acp.watch import ExitWatch, open_pidfd
from tests.waiting import MS


def no_pidfd(_: int) -> int:
    raise OSError(errno.ENOSYS, "none here")


@pytest.fixture(params=[open_pidfd, no_pidfd], ids=["pidfd", "thread"])
def opener(request: pytest.FixtureRequest) -> Callable[[int], int]:
    opener: Callable[[int], int] = request.param
    return opener


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    """A child that lives until its stdin is closed."""
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as child:
        yield child


def readable(watch: ExitWatch, timeout: float) -> bool:
    poll = select.poll()
    poll.register(watch.fileno(), select.POLLIN)
    return bool(poll.poll(timeout * 1000))


def test_it_becomes_readable_when_the_child_ends_and_does_not_reap_it(
    child: subprocess.Popen[bytes], opener: Callable[[int], int]
) -> None:
    watch = ExitWatch(child.pid, opener)
    assert (watch.fired, readable(watch, 0)) == (False, False)
    child.kill()
    assert (readable(watch, 5000 * MS), watch.fired) == (True, True)
    assert child.poll() == -signal.SIGKILL, "it was still there to be reaped"
    watch.close()
    assert watch.fileno() == -1
    assert not watch.fired


def test_only_where_there_is_no_pidfd_a_thread_is_needed(child: subprocess.Popen[bytes]) -> None:
    by_thread = ExitWatch(child.pid, no_pidfd)
    assert by_thread.by_thread
    assert f"watch-{child.pid}" in [thread.name for thread in threading.enumerate()]
    by_pidfd = ExitWatch(child.pid)
    assert not by_pidfd.by_thread
    by_pidfd.close()
    child.kill()
    by_thread.close()


def test_a_child_reaped_by_its_owner_has_ended_too(
    child: subprocess.Popen[bytes], opener: Callable[[int], int]
) -> None:
    watch = ExitWatch(child.pid, opener)
    child.kill()
    child.wait()
    assert readable(watch, 5000 * MS)
    watch.close()


def test_a_system_without_the_call_says_so(monkeypatch: pytest.MonkeyPatch, child: subprocess.Popen[bytes]) -> None:
    monkeypatch.delattr(os, "pidfd_open", raising=False)
    with pytest.raises(OSError) as caught:
        open_pidfd(child.pid)
    assert caught.value.errno == errno.ENOSYS


def test_other_errors_are_not_papered_over_by_a_thread(child: subprocess.Popen[bytes]) -> None:
    def full(_: int) -> int:
        raise OSError(errno.EMFILE, "too many open files")

    with pytest.raises(OSError, match="too many"):
        ExitWatch(child.pid, full)


def test_no_room_for_a_thread_leaves_no_descriptor(
    monkeypatch: pytest.MonkeyPatch, child: subprocess.Popen[bytes]
) -> None:
    def full(*_: object) -> threading.Thread:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(watch_module, "spawn", full)
    with pytest.raises(RuntimeError, match="can't start"):
        ExitWatch(child.pid, no_pidfd)


def test_closing_before_the_child_has_ended_is_complained_about(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, child: subprocess.Popen[bytes]
) -> None:
    monkeypatch.setattr(watch_module, "JOIN_SECONDS", 1 * MS)
    watch = ExitWatch(child.pid, no_pidfd)
    with caplog.at_level(logging.WARNING):
        watch.close()
    assert [record.getMessage() for record in caplog.records] == [
        f"thread watch-{child.pid} did not end: its child lives on"
    ]
    child.kill()
