"""What an agent's processes may take: their niceness, core dumps, umask, memory and number.

Put on a child right after it was started, from outside: a `preexec_fn` would fork the whole broker. Its descendants
inherit it. None by address space (Node's WebAssembly reserves more than there is) and none by the number of a user's
processes (that user is us). Memory is watched (`weight`), and bounded by the kernel where a control group of our own is
at hand (`cgroups`). Nothing here keeps an agent from starting: what the system refuses is logged.
"""

from __future__ import annotations

import logging
import os
import resource
from collections.abc import Callable
from dataclasses import dataclass

from .cgroups import Cage, Cages

__all__ = ["NO_BOUNDS", "Bounds"]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Bounds:
    """Bounds of one agent's processes; what is left at its default is as it is for us. 0: no bound."""

    nice: int = 0
    core_dumps: bool = True
    umask: int = -1
    memory: int = 0  # bytes, where the kernel can hold it to that
    tasks: int = 0  # processes and threads, likewise
    cages: Cages | None = None

    def put_on(self, pid: int, name: str) -> Cage | None:
        """Put them on a child of ours and what it starts from now on; return its cage if it has one. Never raises."""
        if self.nice:
            _tried("its niceness", lambda: os.setpriority(os.PRIO_PROCESS, pid, self.nice))
        if not self.core_dumps and hasattr(resource, "prlimit"):
            _tried("core dumps", lambda: _no_core(pid))
        if self.cages is None or not (self.memory or self.tasks):
            return None
        return self.cages.cage(name, pid, memory=self.memory, tasks=self.tasks)


NO_BOUNDS = Bounds()


def _no_core(pid: int) -> None:
    resource.prlimit(pid, resource.RLIMIT_CORE, (0, 0))


def _tried(what: str, deed: Callable[[], object]) -> None:
    try:
        deed()
    except ProcessLookupError:  # it has ended already: nobody has to be bounded
        return
    except OSError as error:
        log.warning("an agent could not be bounded, %s: %s", what, error)
