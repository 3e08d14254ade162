"""What ends a connection: death in all its forms, foreign tongues, deafness."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator

import pytest

from openab_sync.acp.connection import EOF_GRACE, READ_SIZE, STALL_SECONDS
from openab_sync.acp.events import Event, Said
from openab_sync.errors import AgentGone, AgentProtocolError, AgentStalled
from tests.acp.desk import BRISK, DEAF, SLEEP, Desks, Open
from tests.fakes.clock import FakeClock
from tests.waiting import MS, until


@pytest.fixture
def desk() -> Iterator[Open]:
    desks = Desks()
    yield desks.open
    desks.close()


# Death.


def test_death_comes_after_the_last_words(desk: Open) -> None:
    """FIELD B2, C9."""
    talk = desk("import sys; print('partial'); sys.stderr.write('Traceback\\nboom\\n'); sys.exit(3)")
    error = talk.fail()
    assert isinstance(error, AgentGone)
    assert talk.texts() == ["partial"]
    assert error.message == "the agent has ended (exit status 3)"
    assert (error.command, error.pid) == (sys.executable, talk.connection.process.pid)
    assert error.stderr == "Traceback\nboom"
    assert not talk.connection.alive
    with pytest.raises(AgentGone) as again:
        talk.wait(0)
    assert again.value is error, "told at each call until the end"
    talk.connection.end(BRISK)
    assert talk.wait(0) == []


def test_a_megabyte_of_last_words_is_heard_to_the_end(desk: Open) -> None:
    talk = desk("import sys\nfor _ in range(1000): sys.stdout.write('o' * 1000 + '\\n')\nsys.stdout.flush()")
    assert "exit status 0" in str(talk.fail())
    assert len(talk.heard) == 1000


def test_a_killed_agent_is_noticed(desk: Open) -> None:
    talk = desk(f"print('ready'); {SLEEP}")
    talk.hear(1)
    pid = talk.connection.process.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert talk.fail().message == "the agent has ended (killed by SIGKILL)"
    assert talk.connection.exit_seen


ORPHAN = """
import os, sys, time
sys.stdout.write("said\\n"); sys.stdout.flush()
if os.fork() == 0:
    while True:
        {grandchild}
sys.stdout.write("%d\\n" % os.getpid()); sys.stdout.flush()
os._exit(5)
"""


def test_death_is_noticed_though_a_grandchild_holds_the_pipes(desk: Open) -> None:
    """FIELD, section 2: end of file would not come before the grandchild ends, here in ten minutes."""
    talk = desk(ORPHAN.format(grandchild="time.sleep(600)"))
    began = time.monotonic()
    error = talk.fail()
    assert time.monotonic() - began < 5
    assert error.message == "the agent has ended (exit status 5)"
    assert talk.texts() == ["said", str(error.pid)]


def test_a_grandchild_that_goes_on_talking_does_not_hide_the_death(desk: Open) -> None:
    talk = desk(ORPHAN.format(grandchild="os.write(1, b'babble\\n' * 1000)"))
    error = talk.fail()
    assert error.message == "the agent has ended (exit status 5)"
    assert "said" in talk.texts()


def test_death_is_noticed_while_nobody_listens(desk: Open) -> None:
    talk = desk("import os; os.write(1, b'unheard\\n')")
    events: list[Event] = []
    while not events:
        events = talk.wait(listen=False)
    assert events == [Said("unheard")], "and what it has left is read then"
    with pytest.raises(AgentGone):
        talk.wait(0, listen=False)


def test_an_agent_that_closes_its_output_has_half_a_second_to_end(desk: Open) -> None:
    clock = FakeClock()
    talk = desk(f"import os; print('bye'); os.close(1); {SLEEP}", clock)
    talk.hear(1)
    while talk.connection._output_ended is None:
        talk.wait(1)
    clock.advance(EOF_GRACE / 2)
    assert talk.wait(0) == []
    before = time.thread_time()
    talk.wait(50 * MS)
    assert time.thread_time() - before < 40 * MS, "the end of a pipe is no reason to spin"
    clock.advance(EOF_GRACE / 2)
    with pytest.raises(AgentGone, match="closed its output"):
        talk.wait(0)
    assert not talk.connection.exit_seen


def test_an_agent_that_closes_its_output_and_ends_is_told_with_its_status(desk: Open) -> None:
    """Between the end of its output and its end a slow agent may need some milliseconds."""
    talk = desk("import os, sys; os.close(1); sys.stdin.readline(); os._exit(6)", FakeClock())
    while talk.connection._output_ended is None:
        talk.wait(1)
    talk.peer.outgoing += b"now\n"
    assert talk.fail().message == "the agent has ended (exit status 6)"


def test_writing_to_an_agent_that_has_just_died_is_told_as_its_death(desk: Open) -> None:
    talk = desk("import os, sys; print('x'); os.close(0); sys.exit(2)")
    talk.hear(1)
    talk.peer.outgoing += b"z" * 1000
    assert talk.fail().message == "the agent has ended (exit status 2)"


def test_what_is_not_the_protocol_ends_it_after_the_good_part(desk: Open) -> None:
    talk = desk(f"import sys; sys.stderr.write('oops'); print('good'); sys.stdin.readline(); print('!bad'); {SLEEP}")
    assert talk.hear(1) == ["good"]
    talk.peer.outgoing += b"go on\n"
    error = talk.fail()
    assert isinstance(error, AgentProtocolError)
    assert error.message == "a line that is not the protocol"
    assert (error.pid, error.stderr) == (talk.connection.process.pid, "oops")
    assert not talk.connection.alive


def test_events_before_a_failure_in_the_same_wait_come_first(desk: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    talk = desk(SLEEP)
    pieces = iter([b"a" * (READ_SIZE - 1) + b"\n", b"!bad\n"])
    monkeypatch.setattr(talk.connection.process, "read", lambda _: next(pieces))
    talk.connection._hear()
    monkeypatch.undo()
    assert len(talk.connection._events) == 1
    with pytest.raises(AgentProtocolError):
        talk.wait(0)


def test_last_words_that_are_not_the_protocol_are_told_as_that(desk: Open) -> None:
    talk = desk("import os; os.write(1, b'!bad\\n')")
    until(talk.connection.process.has_exited)
    with pytest.raises(AgentProtocolError):
        talk.wait(10, listen=False)


# Stalling.


def test_an_agent_that_does_not_read_for_ten_seconds_is_stalled(desk: Open) -> None:
    """FIELD A19."""
    clock = FakeClock()
    talk = desk(DEAF, clock)
    talk.hear(1)
    talk.peer.outgoing += b"y" * 2_000_000
    talk.wait(0)
    owed = len(talk.peer.outgoing)
    assert 0 < owed < 2_000_000
    clock.advance(STALL_SECONDS - 0.1)
    assert talk.wait(0) == []
    clock.advance(0.1)
    with pytest.raises(AgentStalled, match="not read what it was sent for 10 s") as caught:
        talk.wait(0)
    assert caught.value.pid == talk.connection.process.pid
    assert repr(talk.connection) == f"<Connection {talk.connection.process!r} owes {owed} AgentStalled>"


def test_an_agent_that_reads_slowly_is_not_stalled(desk: Open) -> None:
    clock = FakeClock()
    script = "import os, sys\nwhile os.read(0, 1): os.read(0, 65535); print('sip')"
    talk = desk(script, clock)
    talk.peer.outgoing += b"y" * 500_000
    while talk.peer.outgoing:
        before = len(talk.peer.outgoing)
        talk.wait(20)
        if len(talk.peer.outgoing) < before:
            clock.advance(STALL_SECONDS - 1)
    assert talk.connection.alive


def test_one_that_has_closed_its_stdin_but_lives_is_stalled_too(desk: Open) -> None:
    clock = FakeClock()
    talk = desk(f"import os; os.close(0); print('ready'); {SLEEP}", clock)
    talk.hear(1)
    talk.peer.outgoing += b"hello?\n"
    assert talk.wait(0) == []
    before = time.thread_time()
    talk.wait(50 * MS)
    assert time.thread_time() - before < 40 * MS, "a broken pipe is no reason to spin"
    clock.advance(STALL_SECONDS)
    with pytest.raises(AgentStalled):
        talk.wait(0)
