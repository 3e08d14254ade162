"""The watcher: what every agent takes with all that it has started, every two seconds, all with one look.

Memory, and processes and threads. From the soft limit of either the people in the conversation get a word, once until
it is below again. Beyond the hard one the agent is ended at once: its session is told why and tells people; a session
that does not come to it loses the agent all the same with the next look.

One thread, `watcher`; it blocks in `stop.wait(interval)` and is woken there by `stop`. It holds no lock, waits for
nobody and touches no session: what it wants goes as an order, like everybody's.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from ..acp.process import kill_now
from ..acp.weight import Weight, exactly, weigh
from ..clock import Clock
from ..config.bounds import AgentLimits
from ..errors import PoolClosed
from ..threads import Beat, join_all, spawn
from .house import Close, SessionSnapshot
from .notices import tell
from .pool import SessionPool
from .port import ChatPort

__all__ = ["INTERVAL", "Watcher", "weigh"]

log = logging.getLogger(__name__)

INTERVAL = 2.0  # seconds between two looks
WORK = 10.0  # seconds that a look at all agents may take
PATIENCE = 5.0  # seconds for its thread to end
MB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Measure:
    """How much of one thing an agent takes, and may take: a word from `soft` on, its end beyond `hard`; 0 is none."""

    found: int
    soft: int
    hard: int
    key: str
    what: str
    unit: str = ""

    @property
    def is_told(self) -> bool:
        return 0 < self.soft <= self.found

    @property
    def is_over(self) -> bool:
        return 0 < self.hard < self.found

    def found_words(self) -> str:
        return f"{self.found:,}{self.unit} {self.what}"


class Watcher:
    """Watches the agents of a pool."""

    def __init__(
        self,
        pool: SessionPool,
        ports: Mapping[str, ChatPort],
        limits: Callable[[], AgentLimits],
        clock: Clock,
        *,
        weigh: Callable[[Collection[int]], Mapping[int, Weight]] = weigh,
        exactly: Callable[[int], int] = exactly,
        interval: float = INTERVAL,
    ) -> None:
        """`limits` are read at every look; `weigh` returns what trees take, or more bytes, `exactly` those of one."""
        self.beat = Beat("watcher")
        self._pool = pool
        self._ports = ports
        self._limits = limits
        self._clock = clock
        self._weigh = weigh
        self._exactly = exactly
        self._interval = interval
        self._told: set[tuple[int, str]] = set()  # pids about which people have had their word, and of what
        self._ended: set[int] = set()  # pids whose sessions have had the order
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to look. Main thread, once; nothing is started where nothing is bounded."""
        if _is_bounded(self._limits()):
            self._thread = spawn("watcher", self._run)

    def stop(self) -> bool:
        """End it; return whether the thread came home. Main thread; blocks for seconds at most."""
        self._stop.set()
        return self._thread is None or not join_all([self._thread], self._clock, PATIENCE)

    def round(self) -> None:
        """Look at every agent once. Any one thread; blocks for some milliseconds, and some for each that is large."""
        limits = self._limits()
        sessions, _ = self._pool.snapshot()
        living = {session.pid for session in sessions if session.pid is not None}
        self._told = {(pid, key) for pid, key in self._told if pid in living}
        self._ended &= living
        weights = self._weigh(living) if _is_bounded(limits) else {}
        for session in sessions:
            if session.pid is not None and (weight := weights.get(session.pid)) is not None:
                self._judge(session, session.pid, self._measured(session.pid, weight, limits))

    def _measured(self, pid: int, weight: Weight, limits: AgentLimits) -> tuple[_Measure, ...]:
        soft, hard = limits.memory_soft_mb, limits.memory_mb
        levels = [level * MB for level in (soft, hard) if level]
        held = self._exactly(pid) if levels and weight.bytes >= min(levels) else weight.bytes
        return (
            _Measure(held // MB, soft, hard, "memory_mb", "of memory", " MB"),
            _Measure(weight.tasks, limits.tasks_soft, limits.tasks, "tasks", "processes and threads"),
        )

    def _judge(self, session: SessionSnapshot, pid: int, measures: tuple[_Measure, ...]) -> None:
        for measure in measures:
            name = (pid, measure.key)
            if measure.is_over:
                self._end(session, pid, measure)
                return
            if not measure.is_told:
                self._told.discard(name)
            elif name not in self._told:
                self._told.add(name)
                beyond = f" Beyond {measure.hard:,}{measure.unit} it is ended." if measure.hard else ""
                used = f"{session.agent} and what it has started use {measure.found_words()}."
                self._say(session, f"⚠ {used}{beyond}")

    def _end(self, session: SessionSnapshot, pid: int, measure: _Measure) -> None:
        if pid in self._ended:  # it had two seconds for the order
            kill_now(pid)
            return
        self._ended.add(pid)
        most = f"{measure.hard:,}{measure.unit} of agent.limits.{measure.key}"
        reason = (
            f"{session.agent} and what it has started used {measure.found_words()}, more than the {most}: "
            "it was ended. The next message starts it anew."
        )
        log.warning("%s: %s", session.conversation, reason)
        with contextlib.suppress(PoolClosed):  # all are being ended
            self._pool.order(session.conversation, Close(reason, is_hard=True))

    def _say(self, session: SessionSnapshot, text: str) -> None:
        tell(self._ports[session.conversation.platform], session.conversation, text)

    def _run(self) -> None:
        while not self._rest():
            try:
                self.round()
            except Exception:  # a thread's top: the next round comes all the same
                log.exception("the watcher stumbled")
        self.beat.rests()

    def _rest(self) -> bool:
        """Wait for the next look; True at the end."""
        self.beat.owes(time.monotonic(), self._interval + WORK)
        return self._stop.wait(self._interval)


def _is_bounded(limits: AgentLimits) -> bool:
    return bool(limits.memory_soft_mb or limits.memory_mb or limits.tasks_soft or limits.tasks)
