"""An agent's process and its peer behind one wait.

    peer.outgoing ──► stdin  ┐                            ┌ stdout ──► peer.receive ──► events
                             ├─ one poll, one thread   ◄──┤ stderr ──► the tail
       somebody rings: bell ─┘                            └ pidfd  ──► AgentGone

**Threads**: the session's thread only; others may ring the bell. It blocks in `wait` (the bell, the agent or the
time-out ends that), in `start` (Popen) and in `end` (the kill ladder, bounded).
**Locks**: the gate, for a moment of pure computing and never with another lock in hand (see there).
**Never**: a write that waits for an agent that waits for us: reading goes on while bytes are owed.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from typing import Protocol

from ..clock import Clock, Deadline
from ..errors import AgentError, AgentGone, AgentProtocolError, AgentStalled
from ..text.redact import Redactor
from ..threads import Bell
from .events import Event
from .poll import READ, WRITE, Poll
from .process import LADDER, AgentProcess, Ladder, Launch, OsCalls

__all__ = ["STALL_SECONDS", "Connection", "Peer"]

READ_SIZE = 64 * 1024  # all that a pipe holds; asking for more than 128 KiB costs malloc a mapping, 12 µs a read
MUCH = READ_SIZE // 2  # after so much there is likely more by now, and asking costs less than another wait
READS = 16  # in one wait: a flood must leave room for the bell and for drawing
LAST_READS = 256  # of what a dead agent has left in the pipe; a grandchild may go on filling it for ever
STALL_SECONDS = 10.0  # without progress while bytes are owed; upstream's number, too (FIELD A19)
EOF_GRACE = 0.5  # seconds from the end of its output to the end of the process, normally some milliseconds

# Of the sessions whose agents flood, one at a time reads what is there and makes sense of it. Fifty would otherwise
# all want the interpreter at once, and a thread that wants it for a moment only, such as a chat's event loop, would
# stand in line behind each of them: it waits 10 ms (p99) with the gate, 280 without. Taken for one read, about a
# millisecond, in which nothing waits, logs, or calls what is not ours; it costs no throughput: only one can compute at
# any moment. A lock is not fair, so a session that reads little goes past it: it would starve behind one that floods.
GATE = threading.Lock()
NO_GATE = contextlib.nullcontext()
FLOOD = READ_SIZE // 4  # bytes in one read
ASKS = b'"id"'  # in every question and every answer, and in no text: there the quotes are escaped


class Peer(Protocol):
    """What a connection asks of the protocol's side: no I/O in there."""

    outgoing: bytearray

    def receive(self, data: bytes) -> list[Event]:
        """Take in bytes, return what they mean. May raise AgentProtocolError."""

    def close(self) -> None:
        """Put the last answers into `outgoing`."""


class Connection:
    """One agent process with its peer, from `start` to `end`; `wait` works before and after, for the bell alone."""

    __slots__ = ("_bell", "_clock", "_events", "_failure", "_floods", "_hearing", "_hoarded", "_is_news",
                 "_output_ended", "_owing", "_poll", "_running", "_stall", "_tail", "exit_seen", "last_read", "peer",
                 "process", "rang")  # fmt: skip

    def __init__(
        self,
        launch: Launch,
        peer: Peer,
        bell: Bell,
        clock: Clock,
        *,
        redact: Callable[[str], str] | None = None,
        os_calls: OsCalls | None = None,
    ) -> None:
        self.peer = peer
        self.process = AgentProcess(launch, redact or Redactor(), os_calls)
        self.last_read = 0  # bytes of output taken in by the last wait: the session paces itself by it
        self.rang = False  # the last wait has heard the bell
        self.exit_seen = False  # the process has ended, whoever may still hold its pipes
        self._clock = clock
        self._running = False
        self._hearing = False  # stdout is in the poll; not while the session lets the kernel collect
        self._owing = False  # stdin is in the poll
        self._floods = False  # its last read brought so much that the next one is taken through the gate
        self._output_ended: Deadline | None = None  # running since its output ended though it lives
        self._stall: Deadline | None = None  # running while bytes are owed; each byte that goes begins it anew
        self._failure: AgentError | None = None  # told after the events that came before it
        self._events: list[Event] = []
        self._hoarded: list[bytes] = []  # read, not yet understood; only while `hoard` runs
        self._is_news = False  # and there is no more waiting for more of it
        self._tail = b""  # the end of what was put by last: what is looked for may be cut
        self._poll = Poll()
        self._bell = bell
        self._poll.watch(bell.fileno(), READ, self._hush)

    # A life begins.

    def start(self) -> None:
        """Start the process. Blocks for a millisecond or so. Raise AgentStartError; the bell can be waited for then."""
        self.process.start()
        self._poll.watch(self.process.stderr, READ, self._note)
        self._poll.watch(self.process.watch, READ, self._notice_exit)
        self._running = True

    @property
    def alive(self) -> bool:
        """Whether the process was started and, as far as the last wait has seen, is neither dead nor given up."""
        return self._running and not self.exit_seen and self._failure is None

    @property
    def stderr(self) -> str:
        """The cleaned tail of what the agent has logged."""
        return self.process.tail.text()

    # The one wait.

    def wait(self, timeout: float, *, listen: bool = True) -> list[Event]:
        """Wait up to `timeout` seconds (infinite allowed) for the agent or the bell; return what the agent said.

        May return early with nothing. Without `listen` its output is left in the pipe, unless bytes are owed to it.
        Takes in 1 MiB or so at most and hushes the bell. Session thread only; the only place where it blocks.
        Raise AgentGone (it died, or closed its output), AgentProtocolError or AgentStalled, after the events that
        came before that have been returned, and again at each call until `end`.
        """
        self.last_read, self.rang = 0, False
        self._events = []
        if self._failure is not None:
            raise self._failure
        if self._running:
            if self.peer.outgoing:
                self._pay()
            if self._hearing is not (listen or self._owing):
                self._listen(listen or self._owing)
            timeout = self._shortened(timeout)
        self._poll.wait(timeout)
        if self._running:
            self._judge()
        return self._told()

    def hear(self) -> list[Event]:
        """Return what the agent has said by now, waiting for nothing; raises as `wait` does. Session thread only.

        A session that lets the kernel collect reads by this: it costs no waiting for what is known to be there.
        """
        self._events, self.last_read = [], 0
        if self._running and self._failure is None and self._output_ended is None:
            self._hear()
            self._judge()
        return self._told()

    def hoard(self, seconds: float, pause: float) -> list[Event]:
        """Wait as `wait` does, up to `seconds`, for more than news: what the agent says is only put by meanwhile.

        All of it is understood at once as soon as there may be a question or an answer in it, when the agent has said
        nothing for `pause` seconds, when it is much, and when the bell rings or the agent ends. That costs a fourth of
        waiting, understanding and waiting again for every chunk. Raises as `wait` does. Session thread only.
        """
        if not self._running or self._failure is not None or self._output_ended is not None or self.peer.outgoing:
            return self.wait(seconds)
        self.last_read, self.rang = 0, False
        self._events, self._hoarded, self._is_news = [], [], False
        self._poll.watch(self.process.stdout, READ, self._put_by)
        end = time.monotonic() + seconds  # as `poll` counts: it does not know an injected clock
        while not self._is_news and not self.rang and not self.exit_seen:
            many, left = len(self._hoarded), end - time.monotonic()
            if left <= 0:
                break
            self._poll.wait(min(left, pause) if many else left)
            if many == len(self._hoarded) and many and left > pause:
                break  # or it was only stderr: then it is looked at a little early
        self._poll.forget(self.process.stdout)
        self._hearing = False
        if self._hoarded:
            data, self._hoarded = b"".join(self._hoarded), []
            with GATE if len(data) >= FLOOD else NO_GATE:
                broken = self._broken_by(data)
            if broken is not None:
                self._failure = self._named(AgentProtocolError, broken.message)
        self._judge()
        return self._told()

    def _put_by(self) -> None:
        data = self.process.read(READ_SIZE)
        if data is None:
            return
        self._is_news = not data or self.last_read + len(data) >= MUCH or ASKS in self._tail + data
        self.last_read += len(data)
        if data:
            self._hoarded.append(data)
            self._tail = data[1 - len(ASKS) :]
        else:
            self._output_ended = Deadline(self._clock, EOF_GRACE)

    def _told(self) -> list[Event]:
        if self._failure is not None and not self._events:
            raise self._failure
        return self._events

    def _listen(self, wanted: bool) -> None:
        wanted = wanted and self._output_ended is None  # at its end a pipe is readable for ever
        if wanted and not self._hearing:
            self._poll.watch(self.process.stdout, READ, self._hear)
        elif self._hearing and not wanted:
            self._poll.forget(self.process.stdout)
        self._hearing = wanted

    def _shortened(self, timeout: float) -> float:
        if self._stall is not None:
            timeout = min(timeout, self._stall.left)
        if self._output_ended is not None:
            timeout = min(timeout, self._output_ended.left)
        return timeout

    # What the poll calls.

    def _hush(self) -> None:
        self.rang = True
        self._bell.hush()

    def _hear(self) -> None:
        for _ in range(READS):
            if self._take() < MUCH:  # the pipe is empty, or nearly: the next wait will tell
                return

    def _take(self) -> int:
        """Read once and let the peer understand it; return the number of bytes, 0 when there is no more to hear."""
        with GATE if self._floods else NO_GATE:
            data = self.process.read(READ_SIZE)
            self._floods = data is not None and len(data) >= FLOOD
            self.last_read += len(data or b"")
            broken = self._broken_by(data) if data else None
        if broken is not None:
            self._failure = self._named(AgentProtocolError, broken.message)
            return 0
        if data is not None and not data:
            self._output_ended = Deadline(self._clock, EOF_GRACE)
        return len(data or b"")

    def _broken_by(self, data: bytes) -> AgentProtocolError | None:
        """Let the peer understand it; return why there is no talking on."""
        try:
            self._events += self.peer.receive(data)
        except AgentProtocolError as error:
            return error
        return None

    def _note(self) -> None:
        if not self.process.read_stderr():
            self._poll.forget(self.process.stderr)

    def _notice_exit(self) -> None:
        self.exit_seen = True

    def _pay(self) -> None:
        """Write what is owed, as far as it goes now."""
        owed = self.peer.outgoing
        paid = self.process.write(owed) if owed and not self.process.deaf else 0
        if paid:
            del owed[:paid]
        if not owed:
            self._stall = None
        elif paid or self._stall is None:
            self._stall = Deadline(self._clock, STALL_SECONDS)
        self._want_to_write(bool(owed) and not self.process.deaf)

    def _want_to_write(self, wanted: bool) -> None:
        if wanted and not self._owing:
            self._poll.watch(self.process.stdin, WRITE, self._pay)
        elif self._owing and not wanted:
            self._poll.forget(self.process.stdin)
        self._owing = wanted

    # What it comes to.

    def _judge(self) -> None:
        if self._failure is not None:
            return
        if self.exit_seen:
            self._bury()
            return
        if self.peer.outgoing:
            self._pay()  # answers to what has just been read
        if self._output_ended is not None:
            self._listen(False)
            if self._output_ended.expired:
                self._failure = self._named(AgentGone, "the agent has closed its output")
        elif self._stall is not None and self._stall.expired:
            seconds = f"{STALL_SECONDS:g} s"
            self._failure = self._named(AgentStalled, f"the agent has not read what it was sent for {seconds}")

    def _bury(self) -> None:
        """The process has ended: take in what it left in its pipe, then say so."""
        for _ in range(LAST_READS):
            if self._output_ended is not None or not self._take():
                break
        if self._failure is None:
            self._failure = self._named(AgentGone, f"the agent has ended ({self.process.exit_text()})")

    def _named(self, kind: type[AgentError], message: str) -> AgentError:
        self.process.read_stderr()  # its last words came after the last look (FIELD C9)
        return kind(message, command=self.process.launch.command, pid=self.process.pid, stderr=self.stderr)

    # A life ends.

    def end(self, ladder: Ladder = LADDER) -> None:
        """Say the last answers if they fit into the pipe, climb the kill ladder, reap. Bounded by the ladder's seconds.

        Idempotent; also right before `start` and after a failed one. Afterwards `wait` is for the bell alone.
        """
        if self._running:
            self.peer.close()
            self._pay()
            self._running = False
            process = self.process
            for descriptor in (process.stdin, process.stdout, process.stderr, process.watch):
                self._poll.forget(descriptor)
        self._failure = self._stall = self._output_ended = None
        self._hearing = self._owing = False
        self.process.end(ladder)

    def __repr__(self) -> str:
        owed = f" owes {len(self.peer.outgoing)}" if self.peer.outgoing else ""
        trouble = f" {type(self._failure).__name__}" if self._failure is not None else ""
        return f"<Connection {self.process!r}{owed}{trouble}>"
