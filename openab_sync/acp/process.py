"""An agent's process: started, listened to, and ended together with everything that it has brought into the world.

The kill ladder, each rung bounded, each taken only if the one before was not enough:

    close stdin ──1 s──► SIGTERM to the group ──1.5 s──► SIGKILL to the group ──► strays outside the group ──► reap

The group is signalled *before* its leader is reaped: until then the leader's pid, which is the group's id, cannot
become somebody else's. It is signalled even if the leader has ended by itself: many agents leave children there
(FIELD C1).

**Threads**: the session's thread only, from `start` to `end`; `kill_now` and `kill_all_now` from any. No call blocks
but `start` (Popen) and `end` (the ladder's time). **Locks**: none.
**Never**: a blocking pipe (a 1 MB prompt deadlocks against an agent that talks first), `preexec_fn` (a fork of the
whole broker), a signal to a group whose leader has been reaped.
"""

from __future__ import annotations

import atexit
import errno
import logging
import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ..errors import AgentStartError
from .cgroups import Cage
from .kin import descendants, end_strays
from .launch import Launch
from .tail import StderrTail
from .watch import ExitWatch

__all__ = ["LADDER", "SESSION_MARKER", "AgentProcess", "Ladder", "Launch", "OsCalls", "kill_all_now", "kill_now",
           "living"]  # fmt: skip

log = logging.getLogger(__name__)

SESSION_MARKER = "OPENAB_SYNC_SESSION"
CHUNK = 64 * 1024
STDERR_AT_ONCE = 16 * CHUNK  # a flood on stderr must not keep the session from its work
SLICE = 0.05  # seconds between two looks at the child where only a thread watches it

_living: dict[int, str] = {}
"""Processes not reaped yet: pid -> marker. Written by sessions' threads, a single store or pop each (atomic)."""


@dataclass(frozen=True, slots=True)
class Ladder:
    """Seconds that each rung is given."""

    eof_grace: float = 1.0
    term_grace: float = 1.5  # as upstream; agents that save their work on SIGTERM need less
    kill_grace: float = 1.0  # SIGKILL is obeyed at once, but for a process stuck in the kernel


LADDER = Ladder()


class OsCalls:
    """Every call to the operating system that may fail for reasons of its own; a test replaces one to make it fail."""

    def pipe(self) -> tuple[int, int]:
        return os.pipe()

    def read(self, descriptor: int, limit: int) -> bytes:
        return os.read(descriptor, limit)

    def write(self, descriptor: int, data: bytes | bytearray | memoryview) -> int:
        return os.write(descriptor, data)

    def killpg(self, group: int, number: int) -> None:
        os.killpg(group, number)

    def watch(self, pid: int) -> ExitWatch:
        return ExitWatch(pid)

    def popen(
        self, argv: Sequence[str], env: Mapping[str, str], cwd: str, pipes: Sequence[int], *, umask: int = -1
    ) -> subprocess.Popen[bytes]:
        """Start `argv` as the leader of a session and group of its own, on `pipes` (stdin, stdout, stderr)."""
        stdin, stdout, stderr = pipes
        return subprocess.Popen(
            argv,
            bufsize=0,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            env=env,
            cwd=cwd,
            close_fds=True,
            start_new_session=True,
            umask=umask,
        )

    def peek(self, pid: int) -> int | None:
        """Return the exit code of a child as Popen puts it (-9: killed by 9), None if it lives; it is not reaped.

        Raise ChildProcessError if it is not our child (any more). Always None where there is no waitid (macOS before
        Python 3.13): there the watch alone tells.
        """
        if not hasattr(os, "waitid"):
            return None
        found = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if found is None:
            return None
        return found.si_status if found.si_code == os.CLD_EXITED else -found.si_status


class AgentProcess:
    """One agent process with its three pipes, all non-blocking on our side. Session thread only."""

    def __init__(self, launch: Launch, redact: Callable[[str], str], os_calls: OsCalls | None = None) -> None:
        self.launch = launch
        self.tail = StderrTail(redact)
        self.deaf = False  # it has closed its stdin: nothing can be written any more
        self.marker = os.urandom(8).hex()  # in its environment, and so in that of its children wherever they hide
        self._os = os_calls or OsCalls()
        self._popen: subprocess.Popen[bytes] | None = None
        self._watch: ExitWatch | None = None
        self._stdin = self._stdout = self._stderr = -1
        self._cage: Cage | None = None  # its control group, where it has one
        self._lost = False  # somebody else has reaped it: its status is not known, its group's id not safe any more
        self._ended = False

    # A life begins.

    def start(self) -> None:
        """Start the process. Blocks for a millisecond or so.

        Raise AgentStartError naming what is missing or refused; nothing is left behind then.
        """
        launch = self.launch
        if not os.path.isdir(launch.cwd):
            raise self._start_error(f"the working directory {launch.cwd} does not exist")
        argv = launch.argv()
        theirs: list[int] = []
        try:
            self._open_pipes(theirs)
            env = {**launch.environment(), SESSION_MARKER: self.marker}
            umask = {} if launch.bounds.umask < 0 else {"umask": launch.bounds.umask}
            self._popen = self._os.popen(argv, env, launch.cwd, theirs, **umask)
            _living[self._popen.pid] = self.marker
            self._cage = launch.bounds.put_on(self._popen.pid, self.marker)
            self._watch = self._os.watch(self._popen.pid)
        except (OSError, ValueError, RuntimeError, subprocess.SubprocessError) as error:
            self.end(Ladder(eof_grace=0, term_grace=0))
            program = argv[len(launch.through)]
            raise self._start_error(f"cannot start {program}: {_reason(error, program)}") from error
        finally:
            for descriptor in theirs:
                os.close(descriptor)

    def _open_pipes(self, theirs: list[int]) -> None:
        """Open the pipes ourselves: Popen before Python 3.12 loses some of its own when it runs out of descriptors."""
        stdin, self._stdin = self._os.pipe()
        theirs.append(stdin)
        self._stdout, stdout = self._os.pipe()
        theirs.append(stdout)
        self._stderr, stderr = self._os.pipe()
        theirs.append(stderr)
        for ours in (self._stdin, self._stdout, self._stderr):
            os.set_blocking(ours, False)

    def _start_error(self, message: str) -> AgentStartError:
        return AgentStartError(message, command=self.launch.command)

    # It is listened to. The descriptors are for waiting on; -1 when closed.

    @property
    def pid(self) -> int | None:
        return None if self._popen is None else self._popen.pid

    @property
    def stdin(self) -> int:
        return self._stdin

    @property
    def stdout(self) -> int:
        return self._stdout

    @property
    def stderr(self) -> int:
        return self._stderr

    @property
    def watch(self) -> int:
        """The descriptor that is readable when the process has ended, whoever holds its pipes."""
        return -1 if self._watch is None else self._watch.fileno()

    def read(self, limit: int) -> bytes | None:
        """Return up to `limit` bytes of its output; b"" at the end of it, None if there is nothing now."""
        try:
            return self._os.read(self._stdout, limit)
        except BlockingIOError:
            return None

    def read_stderr(self) -> bool:
        """Take what it has logged into the tail, 1 MiB at most. Return False when its stderr has ended."""
        for _ in range(0, STDERR_AT_ONCE, CHUNK):
            try:
                data = self._os.read(self._stderr, CHUNK)
            except BlockingIOError:
                return True
            if not data:
                return False
            self.tail.feed(data)
        return True

    def write(self, view: bytes | bytearray | memoryview) -> int:
        """Write as much of `view` as fits now; return how much that was: 0 also if it has become `deaf`."""
        try:
            return self._os.write(self._stdin, view)
        except BlockingIOError:
            return 0
        except BrokenPipeError:  # it has closed its stdin, or ended: the watch knows which
            self.deaf = True
            return 0

    def close_stdin(self) -> None:
        """Tell it that nothing more will come; most agents leave then."""
        self._stdin = _close(self._stdin)

    def has_exited(self) -> bool:
        """Whether the process has ended, whatever became of its children. It is not reaped by this."""
        return self._popen is not None and (self._exit_code() is not None or self._exited_somehow())

    def _exited_somehow(self) -> bool:
        return self._lost or (self._watch is not None and self._watch.fired)

    def _exit_code(self) -> int | None:
        if self._popen is None or self._lost:
            return None
        if self._popen.returncode is not None:
            return self._popen.returncode
        try:
            return self._os.peek(self._popen.pid)
        except ChildProcessError:
            self._lost = True
            return None

    def exit_text(self) -> str:
        """Return how it ended: "exit status 3", "killed by SIGKILL"; "still running" if it has not."""
        code = self._exit_code()
        if code is None:
            return "exit status unknown" if self._exited_somehow() else "still running"
        if code >= 0:
            return f"exit status {code}"
        try:
            return f"killed by {signal.Signals(-code).name}"
        except ValueError:  # the real-time signals between the first and the last have no names
            return f"killed by signal {-code}"

    # It ends, by itself or not; everything it has started ends too.

    def end(self, ladder: Ladder = LADDER) -> None:
        """Climb the kill ladder, reap, close everything. Blocks for the ladder's seconds at most; idempotent.

        Nothing is raised for a process that cannot be ended: that is logged. Works while the interpreter exits.
        """
        if self._ended:
            return
        self._ended = True
        try:
            if self._popen is not None:
                self._climb(self._popen, ladder)
        finally:
            self._close_all()

    def _climb(self, popen: subprocess.Popen[bytes], ladder: Ladder) -> None:
        family = descendants(popen.pid)  # while it lives: orphans no longer know their parents
        self.close_stdin()
        if not self._await_exit(ladder.eof_grace):
            family += [kin for kin in descendants(popen.pid) if kin not in family]
            self._signal_group(popen, signal.SIGTERM)
            self._await_exit(ladder.term_grace)
        self._signal_group(popen, signal.SIGKILL)  # also if the leader has gone: others of its group may have stayed
        if self._cage is not None:
            self._cage.kill()
        end_strays(family, SESSION_MARKER, [self.marker])
        if self._await_exit(ladder.kill_grace):
            _living.pop(popen.pid, None)
            popen.poll()  # reaps
            if self._cage is not None:
                self._cage.open()
        else:
            log.warning("agent %s (pid %s) survives SIGKILL: stuck in the kernel?", self.launch.command, popen.pid)

    def _signal_group(self, popen: subprocess.Popen[bytes], number: signal.Signals) -> None:
        if self.has_exited() and self._lost:
            return  # reaped behind our back: the group's id may be another's by now; the marker has to do
        try:
            _signal_group(self._os, popen.pid, number)
        except OSError as error:
            # macOS says EPERM for a group of nothing but zombies; anywhere, one that changed its user is out of reach
            if not self.has_exited():
                log.warning("cannot send %s to the group of agent %s: %s", number.name, popen.pid, error)

    def _await_exit(self, seconds: float) -> bool:
        """Wait for the end of the process, and let it talk meanwhile: one that is stuck in a write never leaves."""
        until = time.monotonic() + seconds  # real time: nobody steps a clock for the kernel
        while not self.has_exited():
            left = until - time.monotonic()
            if left <= 0:
                return False
            self._listen(left)
        return True

    def _listen(self, seconds: float) -> None:
        poll = select.poll()
        for descriptor in {self._stdout, self._stderr, self.watch} - {-1}:
            poll.register(descriptor, select.POLLIN)
        if self._watch is None or self._watch.by_thread:
            seconds = min(seconds, SLICE)  # threads stand still while the interpreter exits: look for ourselves
        ready = {descriptor for descriptor, _ in poll.poll(max(1, seconds * 1000))}
        if self._stdout in ready and self.read(CHUNK) == b"":
            self._stdout = _close(self._stdout)
        if self._stderr in ready and not self.read_stderr():
            self._stderr = _close(self._stderr)

    def _close_all(self) -> None:
        if self._stderr >= 0:
            self.read_stderr()  # its last words
        self._stdin, self._stdout, self._stderr = map(_close, (self._stdin, self._stdout, self._stderr))
        if self._watch is not None:
            self._watch.close()

    def __repr__(self) -> str:
        state = "not started" if self._popen is None else f"pid={self.pid} {self.exit_text()}"
        return f"<AgentProcess {self.launch.name or self.launch.command} {state}{' ended' if self._ended else ''}>"


def living() -> dict[int, str]:
    """Return the agents that have not been reaped yet, and the mark that each has handed on. Any thread."""
    return dict(_living)


def kill_now(pid: int | None) -> bool:
    """Kill the group and the strays of the agent `pid`, without a grace; return False if it is none of ours (any more).

    For an agent whose owner does not come to end it. Any thread; never blocks for long. Nothing is reaped: that stays
    with the owner. The pid of a child cannot be another's before it is reaped; an owner that reaps between our look and
    our signal would have to see the number reused in that very instant.
    """
    marker = None if pid is None else _living.get(pid)
    return pid is not None and marker is not None and _kill({pid: marker}) == 1


def kill_all_now() -> int:
    """Kill the groups and strays of all agents still there, without a grace; return how many groups.

    The last resort of a broker that exits without having ended its sessions; registered with `atexit`. As `kill_now`.
    """
    return _kill(dict(_living))


def _kill(agents: Mapping[int, str]) -> int:
    os_calls, markers = OsCalls(), []
    for pid, marker in agents.items():
        try:
            os_calls.peek(pid)  # a forked copy of the broker has no children: it must not end its parent's
            _signal_group(os_calls, pid, signal.SIGKILL)
        except OSError as error:
            log.debug("the group of agent %s cannot be signalled: %s", pid, error)
        else:
            markers.append(marker)
    if markers:
        end_strays([], SESSION_MARKER, markers)
    return len(markers)


atexit.register(kill_all_now)


def _signal_group(os_calls: OsCalls, group: int, number: signal.Signals) -> None:
    """Signal a group. Raise ValueError for one that cannot be an agent's (FIELD C2), OSError if refused."""
    if group <= 1 or group == os.getpgrp():
        raise ValueError(f"{group} is not the process group of an agent")
    os_calls.killpg(group, number)


def _close(descriptor: int) -> int:
    if descriptor >= 0:
        os.close(descriptor)
    return -1


def _reason(error: Exception, program: str) -> str:
    if not isinstance(error, OSError):
        return str(error)
    if error.errno == errno.ENOENT:  # the program was there a moment ago
        return f"the interpreter named in the first line of {program} does not exist"
    if error.errno == errno.ENOEXEC:
        return "it is neither a program of this machine nor a script with an interpreter in its first line"
    return error.strerror or str(error)
