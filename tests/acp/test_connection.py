"""A process and a peer behind one wait: real processes, a peer that only cuts lines."""

from __future__ import annotations

import math
import os
import resource
import select
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from openab_sync.acp import connection as connection_module
from openab_sync.acp.connection import READ_SIZE, Connection
from openab_sync.acp.environment import agent_environment
from openab_sync.acp.events import Event, Said
from openab_sync.acp.kin import identify
from openab_sync.acp.peer import AcpPeer
from openab_sync.acp.process import Ladder, Launch
from openab_sync.clock import SystemClock
from openab_sync.errors import AgentGone, AgentProtocolError, AgentStartError
from openab_sync.threads import Bell
from tests.acp.desk import BRISK, DEAF, SLEEP, Desk, Desks, LinePeer, Open
from tests.waiting import MS, until


@pytest.fixture
def desk() -> Iterator[Open]:
    desks = Desks()
    yield desks.open
    desks.close()


# Talking and listening.


def test_lines_go_both_ways(desk: Open) -> None:
    talk = desk("import sys\nfor line in sys.stdin: print('you said', line.strip())")
    talk.peer.outgoing += b"one\ntwo\n"
    assert talk.hear(2) == ["you said one", "you said two"]
    assert talk.peer.outgoing == b""
    assert talk.connection.alive


def test_it_works_with_the_real_peer() -> None:
    script = (
        "import json, sys\n"
        "ask = json.loads(sys.stdin.readline())\n"
        "print(json.dumps({'jsonrpc': '2.0', 'id': ask['id'], 'result': {'protocolVersion': 1}}), flush=True)\n"
        "sys.stdin.read()"
    )
    bell, peer = Bell(), AcpPeer()
    bell.open()
    launch = Launch(sys.executable, ("-S", "-E", "-c", script), "/", agent_environment(os.environ, {}, []))
    connection = Connection(launch, peer, bell, SystemClock())
    connection.start()
    peer.initialize()
    events: list[Event] = []
    while not events:
        events = connection.wait(10)
    connection.end()
    bell.close()
    assert "Answered" in str(events)


def test_a_megabyte_against_an_agent_that_talks_first_is_no_deadlock(desk: Open) -> None:
    """Neither side reads before it has written; blocking pipes would wait for each other for ever."""
    script = "import sys\nfor _ in range(1000): sys.stdout.write('o' * 1000 + '\\n')\nprint(len(sys.stdin.readline()))"
    talk = desk(script)
    talk.peer.outgoing += b"i" * 1_000_000 + b"\n"
    assert talk.hear(1001)[-1] == "1000001"
    assert talk.peer.outgoing == b""


def test_while_bytes_are_owed_the_output_is_read_even_if_nobody_wants_to_listen(desk: Open) -> None:
    talk = desk("import sys\nfor _ in range(1000): print('o' * 1000)\nprint(len(sys.stdin.readline()))")
    talk.peer.outgoing += b"i" * 1_000_000 + b"\n"
    while talk.peer.outgoing:
        talk.wait(listen=False)
    assert talk.hear(1001)[-1] == "1000001"


def test_answers_to_what_was_read_go_out_with_the_same_wait(desk: Open) -> None:
    talk = desk("import sys; print('ask'); print('got', sys.stdin.readline().strip())")

    class Answering(LinePeer):
        def receive(self, data: bytes) -> list[Event]:
            events = super().receive(data)
            self.outgoing += b"answer\n" if data.startswith(b"ask") else b""
            return events

    talk.connection.peer = talk.peer = Answering()
    talk.hear(1)
    assert talk.peer.outgoing == b"", "sent before the wait returned"
    assert talk.hear(2) == ["ask", "got answer"]


def test_of_those_that_flood_one_at_a_time_makes_sense_of_what_it_has_read(
    desk: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a thread that wants the interpreter for a moment stands in line behind every session that floods."""
    monkeypatch.setattr(connection_module, "FLOOD", 10)
    talk = desk("import os, sys\nfor line in sys.stdin: os.write(1, line.encode())")
    gated: list[bool] = []

    class Watching(LinePeer):
        def receive(self, data: bytes) -> list[Event]:
            gated.append(connection_module.GATE.locked())
            return super().receive(data)

    talk.connection.peer = talk.peer = Watching()
    for count, word in enumerate((b"a lot of text", b"still more of it", b"!", b"?"), 1):
        talk.peer.outgoing += word + b"\n"
        talk.hear(count)
    assert gated == [False, True, True, False], "the read behind a large one, until one was small"
    assert not connection_module.GATE.locked()


def test_a_line_that_breaks_the_protocol_leaves_the_gate_open(desk: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_module, "FLOOD", 1)
    talk = desk(f"print('good morning'); input(); print('!bad'); {SLEEP}")
    assert talk.hear(1) == ["good morning"]
    talk.peer.outgoing += b"\n"
    assert "not the protocol" in str(talk.fail())
    assert not connection_module.GATE.locked()


def test_not_listening_leaves_the_output_in_the_pipe(desk: Open) -> None:
    talk = desk(f"import os; os.write(1, b'hello\\n'); {SLEEP}")
    stdout = talk.connection.process.stdout
    assert select.select([stdout], [], [], 20)[0]
    assert talk.wait(0, listen=False) == []
    assert talk.connection.last_read == 0
    assert talk.wait(0) == [Said("hello")]
    assert talk.connection.last_read == 6
    assert talk.wait(0, listen=False) == []


def test_what_is_there_can_be_heard_without_waiting(desk: Open) -> None:
    talk = desk(f"import os; os.write(1, b'hello\\n'); {SLEEP}")
    assert select.select([talk.connection.process.stdout], [], [], 20)[0]
    assert talk.connection.hear() == [Said("hello")]
    assert talk.connection.last_read == 6
    assert talk.connection.hear() == []
    assert talk.connection.last_read == 0


def test_hearing_after_the_end_says_that_it_has_ended(desk: Open) -> None:
    talk = desk("pass")
    talk.fail()
    with pytest.raises(AgentGone):
        talk.connection.hear()


# Hoarding: what an agent streams is put by, and understood at once.


def saying(*pieces: bytes, pause: float = 0.03) -> str:
    """A script that waits for a line, then says these pieces one after the other, and then nothing more."""
    said = f"for piece in {pieces!r}: os.write(1, piece); time.sleep({pause})"
    return f"import os, sys, time; sys.stdin.readline()\n{said}\n{SLEEP}"


def begun(desk: Open, *pieces: bytes, pause: float = 0.03) -> Desk:
    """It begins to speak; nothing of it has been read yet."""
    talk = desk(saying(*pieces, pause=pause))
    assert talk.connection.process.write(b"go\n") == 3
    return talk


def hoard_on(talk: Desk) -> None:
    """Until it raises."""
    until(lambda: talk.connection.hoard(0.05, 0.02) and False)


def test_what_is_hoarded_is_understood_when_the_agent_pauses(desk: Open) -> None:
    talk = begun(desk, b"one\n", b"two\nth", b"ree\n", pause=0)
    heard = talk.connection.hoard(3600, 500 * MS)
    assert heard == [Said("one"), Said("two"), Said("three")] and talk.connection.last_read == 14
    assert talk.connection.hoard(0.001, 3600) == [] and talk.connection.last_read == 0


@pytest.mark.parametrize("cut", range(5))
def test_a_question_or_an_answer_among_what_is_hoarded_is_heard_at_once(desk: Open, cut: int) -> None:
    """However it is cut: nothing comes behind it, and the pause would be an hour."""
    line = b'{"id":1}\n'
    talk = begun(desk, b"text\n", line[:cut], line[cut:])
    heard: list[Event] = []
    while len(heard) < 2:
        heard += talk.connection.hoard(3600, 3600)
    assert heard == [Said("text"), Said('{"id":1}')]


def test_what_is_hoarded_is_bounded_in_time_and_in_size(desk: Open) -> None:
    talk = begun(desk, b"text\n")
    assert until(lambda: talk.connection.hoard(0.05, 3600)) == [Said("text")]
    much = begun(desk, b"x" * 40_000 + b"\n")
    assert until(lambda: much.connection.hoard(3600, 3600)) == [Said("x" * 40_000)]


def test_the_bell_and_what_an_agent_logs_are_heard_while_hoarding(desk: Open) -> None:
    talk = desk(SLEEP)
    talk.bell.ring()
    assert talk.connection.hoard(3600, 3600) == [] and talk.connection.rang
    loud = desk(f"import sys; sys.stderr.write('oh no'); {SLEEP}")
    until(lambda: loud.connection.hoard(0.05, 3600) == [] and "oh no" in loud.connection.stderr)


@pytest.mark.parametrize("end", ["pass", "os.close(1); time.sleep(600)"])
def test_an_agent_that_ends_while_its_words_are_hoarded_has_said_them(desk: Open, end: str) -> None:
    talk = desk(f"import os, time; os.write(1, b'last words\\n'); {end}")
    assert until(lambda: talk.connection.hoard(3600, 3600)) == [Said("last words")]
    with pytest.raises(AgentGone):
        hoard_on(talk)


def test_a_line_among_what_is_hoarded_that_breaks_the_protocol_ends_it(desk: Open) -> None:
    talk = begun(desk, b"!bad\n")
    with pytest.raises(AgentProtocolError):
        hoard_on(talk)


def test_who_is_owed_something_is_read_as_it_comes(desk: Open) -> None:
    talk = begun(desk, b"one\n")
    talk.peer.outgoing += b"more\n"
    assert until(lambda: talk.connection.hoard(0.05, 3600)) == [Said("one")]


def test_a_flood_leaves_the_wait_after_a_portion(desk: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    talk = desk(SLEEP)
    reads: list[int] = []

    def endless(limit: int) -> bytes:
        reads.append(limit)
        return b"x" * (limit - 1) + b"\n"

    monkeypatch.setattr(talk.connection.process, "read", endless)
    talk.connection._hear()
    assert reads == [READ_SIZE] * connection_module.READS
    monkeypatch.undo()


def test_stderr_is_drained_always_and_never_in_the_way(desk: Open) -> None:
    talk = desk(
        "import sys\nfor n in range(20000): sys.stderr.write('noise %d\\n' % n)\n"
        f"sys.stderr.close(); print('done'); {SLEEP}"
    )
    assert talk.hear(1) == ["done"]
    while "noise 19999" not in talk.connection.stderr:
        talk.wait(5)
    before = time.thread_time()
    talk.wait(50 * MS)
    assert time.thread_time() - before < 40 * MS, "a closed stderr is no reason to spin"


# The bell and the time.


def test_the_bell_wakes_and_is_hushed(desk: Open) -> None:
    talk = desk(SLEEP)
    ringer = threading.Thread(target=talk.bell.ring, name="ringer")
    ringer.start()
    assert talk.wait(math.inf) == []
    ringer.join()
    assert not select.select([talk.bell], [], [], 0)[0]


@pytest.mark.parametrize("timeout", [0, 1 * MS, -1])
def test_a_wait_ends_in_time(desk: Open, timeout: float) -> None:
    assert desk(SLEEP).wait(timeout) == []


@pytest.mark.parametrize("timeout", [math.inf, 1e12])
def test_a_wait_may_be_as_long_as_one_likes(desk: Open, timeout: float) -> None:
    talk = desk(SLEEP)
    talk.bell.ring()
    assert talk.wait(timeout) == []


def test_before_the_start_and_after_the_end_there_is_the_bell(desk: Open) -> None:
    talk = desk(SLEEP, start=False)
    talk.bell.ring()
    assert talk.wait(math.inf) == []
    assert talk.wait(0) == []
    talk.connection.start()
    talk.connection.end(BRISK)
    talk.connection.end(BRISK)
    assert talk.wait(0) == []
    talk.bell.ring()
    assert talk.wait(math.inf) == []
    assert not talk.connection.alive


def test_after_a_failed_start_there_is_the_bell() -> None:
    bell = Bell()
    bell.open()
    connection = Connection(Launch("/no/such/agent", (), "/", {}), LinePeer(), bell, SystemClock())
    with pytest.raises(AgentStartError, match="/no/such/agent does not exist"):
        connection.start()
    bell.ring()
    assert connection.wait(math.inf) == []
    connection.end()
    bell.close()


# The end.


def test_the_last_answers_are_sent_before_the_end(desk: Open, tmp_path_factory: pytest.TempPathFactory) -> None:
    note = tmp_path_factory.mktemp("end") / "note"
    talk = desk(f"import sys; print('ready'); open({str(note)!r}, 'w').write(sys.stdin.read())")
    talk.hear(1)
    talk.connection.end(Ladder(eof_grace=20))
    assert note.read_text() == "bye\n"
    assert talk.peer.closed == 1
    assert talk.connection.process.exit_text() == "exit status 0"


def test_ending_one_that_owes_and_is_owed_leaves_nothing(desk: Open) -> None:
    talk = desk(DEAF)
    talk.hear(1)
    talk.peer.outgoing += b"y" * 2_000_000
    talk.wait(0)
    talk.connection.end(BRISK)
    assert len(talk.connection._poll) == 1
    assert repr(talk.connection).startswith("<Connection <AgentProcess test pid=")


def test_the_grandchild_of_a_dead_agent_is_ended_with_it(desk: Open) -> None:
    talk = desk("import os, sys, time; pid = os.fork(); pid or time.sleep(600); print(pid); sys.stdin.readline()")
    (grandchild,) = map(int, talk.hear(1))
    talk.peer.outgoing += b"leave\n"
    assert talk.fail().message == "the agent has ended (exit status 0)"
    assert identify(grandchild) is not None
    talk.connection.end(BRISK)
    until(lambda: identify(grandchild) is None, what="the grandchild's end")


def test_descriptors_beyond_1024_are_no_problem(desk: Open) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 1200:
        pytest.skip("this system allows too few descriptors")
    resource.setrlimit(resource.RLIMIT_NOFILE, (1200, hard))
    held: list[int] = []
    try:
        while not held or held[-1] < 1024:
            held.append(os.open(os.devnull, os.O_RDONLY))
        talk = desk("import sys; print(sys.stdin.readline().strip())")
        assert talk.connection.process.stdout > 1024
        talk.peer.outgoing += b"high\n"
        assert talk.hear(1) == ["high"]
    finally:
        for descriptor in held:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
