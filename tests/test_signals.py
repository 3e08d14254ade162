"""Signals: handled for a while, told in order, and a terminal that is closed told from somebody who asks."""

from __future__ import annotations

import os
import pty
import select
import signal
import sys
import threading

import pytest

from openab_sync.signals import News, Terminal, handled
from tests.waiting import MS


class Screen(Terminal):
    """A terminal that is closed when the test says so."""

    closed = False

    def __init__(self) -> None:
        pass

    @property
    def is_gone(self) -> bool:
        return self.closed


def test_a_handler_is_called_inside_and_gone_outside() -> None:
    before = signal.getsignal(signal.SIGTERM)
    got: list[signal.Signals] = []
    with handled({signal.SIGTERM: got.append, signal.SIGHUP: got.append}):
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGHUP)
    assert got == [signal.SIGTERM, signal.SIGHUP]
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_signal_that_is_ignored_stays_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signal, "getsignal", lambda number: signal.SIG_IGN if number == signal.SIGINT else None)
    assert News(int).heard() == [signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1]


def test_a_hangup_ends_nothing_and_is_obeyed_each_time() -> None:
    heard: list[str] = []
    news = News(lambda: heard.append("again"), Screen())
    for item in (signal.SIGHUP, signal.SIGHUP, signal.SIGTERM):
        news.put(item)
    assert news.until_over() is signal.SIGTERM
    assert heard == ["again", "again"]


def test_a_terminal_that_is_closed_ends_it() -> None:
    screen = Screen()
    news = News(lambda: pytest.fail("nobody has asked"), screen)
    screen.closed = True
    news.put(signal.SIGHUP)
    assert news.until_over() is signal.SIGHUP


def test_a_second_signal_hurries_and_nothing_else_does(caplog: pytest.LogCaptureFixture) -> None:
    gone = threading.Event()
    news = News(lambda: pytest.fail("it is ending"), Screen())
    news.put("a platform that gave up is not a second signal")
    news.put(signal.SIGHUP)
    news.put(signal.SIGTERM)
    assert news.during(lambda: gone.wait(10), gone.set)
    assert [record.message for record in caplog.records] == ["SIGTERM again: agents are killed"]


def test_an_end_that_did_not_go_well_is_told() -> None:
    assert not News(int, Screen()).during(lambda: False, lambda: pytest.fail("nobody hurries"))


LOOKS = """
import os, signal
from openab_sync.signals import Terminal
signal.signal(signal.SIGHUP, signal.SIG_IGN if {ignored} else signal.SIG_DFL)  # whatever the tests were started with
terminal = Terminal()
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGHUP])
signal.signal(signal.SIGHUP, lambda *_: None)
os.write({pipe}, b"gone" if terminal.is_gone else b"here")
signal.sigwait([signal.SIGHUP])
os.write({pipe}, b"gone" if terminal.is_gone else b"here")
"""


@pytest.mark.parametrize(("ignored", "seen"), [(False, b"gone"), (True, b"here")])
def test_a_real_terminal_that_is_closed_is_noticed(ignored: bool, seen: bytes) -> None:
    """As `nohup` wants it: where a hangup is to be ignored, the terminal may go."""
    reads, writes = os.pipe()
    pid, terminal = pty.fork()
    if not pid:  # pragma: no cover  # another process
        os.set_inheritable(writes, True)
        script = LOOKS.format(pipe=writes, ignored=ignored)
        os.execv(sys.executable, [sys.executable, "-c", script])
    os.close(writes)
    try:
        assert os.read(reads, 4) == b"here"
        os.close(terminal)
        assert select.select([reads], [], [], 5000 * MS)[0], "the hangup has come"
        assert os.read(reads, 4) == seen
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(reads)


def test_whoever_wants_to_look_ends_and_hurries_nothing() -> None:
    looks: list[int] = []
    news = News(lambda: pytest.fail("nobody has asked"), Screen(), look=lambda: looks.append(1))
    news.put(signal.SIGUSR1)
    news.put(signal.SIGTERM)
    assert news.until_over() is signal.SIGTERM
    news.put(signal.SIGUSR1)
    assert news.during(lambda: True, lambda: pytest.fail("nobody hurries"))
    assert looks == [1, 1]
