"""The watcher: how much memory every agent's tree of processes takes, every two seconds, all with one look.

From `memory_soft_mb` the people in the conversation get a word, once until it is below again. From `memory_mb` the
agent is ended at once: its session is told why and tells people; a session that does not come to it loses the agent all
the same with the next look.

One thread, `watcher`; it blocks in `stop.wait(interval)` and is woken there by `stop`. It holds no lock, waits for
nobody and touches no session: what it wants goes as an order, like everybody's.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Collection, Mapping

from ..acp.process import kill_now
from ..acp.weight import exactly, weigh
from ..clock import Clock
from ..config.bounds import AgentLimits
from ..errors import PoolClosed
from ..threads import Beat, join_all, spawn
from .house import Close, SessionSnapshot
from .notices import tell
from .pool import SessionPool
from .port import ChatPort

__all__ = ["Watcher", "weigh"]

log = logging.getLogger(__name__)

INTERVAL = 2.0  # seconds between two looks
WORK = 10.0  # seconds that a look at all agents may take
PATIENCE = 5.0  # seconds for its thread to end
MB = 1024 * 1024


class Watcher:
    """Watches the agents of a pool."""

    def __init__(
        self,
        pool: SessionPool,
        ports: Mapping[str, ChatPort],
        limits: Callable[[], AgentLimits],
        clock: Clock,
        *,
        weigh: Callable[[Collection[int]], Mapping[int, int]] = weigh,
        exactly: Callable[[int], int] = exactly,
        interval: float = INTERVAL,
    ) -> None:
        """`limits` are read at every look; `weigh` returns the bytes of trees, or more, `exactly` those of one."""
        self.beat = Beat("watcher")
        self._pool = pool
        self._ports = ports
        self._limits = limits
        self._clock = clock
        self._weigh = weigh
        self._exactly = exactly
        self._interval = interval
        self._told: set[int] = set()  # pids about which people have had their word
        self._ended: set[int] = set()  # pids whose sessions have had the order
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to look. Main thread, once; nothing is started where nothing is bounded."""
        limits = self._limits()
        if limits.memory_soft_mb or limits.memory_mb:
            self._thread = spawn("watcher", self._run)

    def stop(self) -> bool:
        """End it; return whether the thread came home. Main thread; blocks for seconds at most."""
        self._stop.set()
        return self._thread is None or not join_all([self._thread], self._clock, PATIENCE)

    def round(self) -> None:
        """Look at every agent once. Any one thread; blocks for some milliseconds, and some for each that is large."""
        limits = self._limits()
        levels = [level * MB for level in (limits.memory_soft_mb, limits.memory_mb) if level]
        sessions, _ = self._pool.snapshot()
        living = {session.pid for session in sessions if session.pid is not None}
        self._told &= living
        self._ended &= living
        sizes = self._weigh(living) if levels else {}
        for session in sessions:
            if session.pid is not None and (size := sizes.get(session.pid)) is not None:
                size = self._exactly(session.pid) if size >= min(levels) else size
                self._judge(session, session.pid, size, limits)

    def _judge(self, session: SessionSnapshot, pid: int, size: int, limits: AgentLimits) -> None:
        hard, soft = limits.memory_mb * MB, limits.memory_soft_mb * MB
        if hard and size >= hard:
            self._end(session, pid, size, limits.memory_mb)
        elif soft and size >= soft:
            if pid not in self._told:
                self._told.add(pid)
                beyond = f" Beyond {limits.memory_mb:,} MB it is ended." if hard else ""
                used = f"{session.agent} and what it has started use {size // MB:,} MB of memory."
                self._say(session, f"⚠ {used}{beyond}")
        else:
            self._told.discard(pid)

    def _end(self, session: SessionSnapshot, pid: int, size: int, most: int) -> None:
        if pid in self._ended:  # it had two seconds for the order
            kill_now(pid)
            return
        self._ended.add(pid)
        reason = (
            f"{session.agent} and what it has started used {size // MB:,} MB of memory, more than the {most:,} MB of "
            "agent.limits.memory_mb: it was ended. The next message starts it anew."
        )
        log.warning("%s: %s", session.conversation, reason)
        if session.turn_started is None:  # no reply could say it
            self._say(session, f"⚠ {reason}")
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
