"""Reaps processes that have become ours without our starting them: as PID 1 of a container we inherit every orphan.

An agent's tool that daemonises loses its parent, and when it ends somebody has to take note, or it stays a zombie for
ever (FIELD C4). A container's first process is that somebody; no init program is needed in front of it. What a `Popen`
of ours still waits for is never touched: it is known by its pid, and who is not known is looked at twice, a round
apart, so that a child that was started a moment ago is not taken for a stranger.

**Threads**: one, the janitor's; does not block. Nothing is found where there is no /proc.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Collection

from .kin import Kin, zombies

__all__ = ["Adopted"]

log = logging.getLogger(__name__)


class Adopted:
    """The strangers among our children."""

    def __init__(self) -> None:
        self._seen: frozenset[Kin] = frozenset()  # ended, not known, and not yet reaped, as of the last round

    def reap(self, known: Collection[int]) -> int:
        """Reap those that had ended before the last round; `known` are the pids that others reap. Return how many."""
        ended = frozenset(kin for kin in zombies(os.getpid()) if kin.pid not in known)
        ripe, self._seen = self._seen & ended, ended
        for kin in ripe:
            _reap(kin)
        return len(ripe)


def _reap(kin: Kin) -> None:
    try:
        os.waitpid(kin.pid, os.WNOHANG)
    except ChildProcessError:  # somebody was faster
        return
    log.debug("process %d, which nobody here has started, has ended", kin.pid)
