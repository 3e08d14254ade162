"""At the start of a broker: what its dead predecessors have left is ended, and it enters itself into their book.

The main thread, before the first session can start; blocks (the disk, and seconds if there is somebody to end).
"""

from __future__ import annotations

import logging
import os

from ..acp.environment import BROKER_ID
from ..acp.kin import Kin, boot, identify
from ..acp.orphans import end_orphans
from ..store import BrokerProcess, Processes

__all__ = ["take_over"]

log = logging.getLogger(__name__)


def take_over(processes: Processes) -> None:
    """End the agents of brokers that have died with this store, and enter ours. Raise StoreError."""
    ours, now = identify(os.getpid()), boot()
    earlier = processes.earlier()
    dead = [broker for broker in earlier if not _lives(broker, now)]
    # After a restart of the machine nobody of them is left, and their numbers are others'.
    here = [broker for broker in dead if broker.boot == now]
    recorded = [Kin(agent.pid, agent.started) for broker in here for agent in broker.agents]
    orphans = end_orphans(recorded, [broker.id for broker in here])
    if orphans.found:
        log.warning("an earlier openab-sync has left %d processes behind: they were ended", len(orphans.found))
    if orphans.left:
        log.error("these processes of an earlier openab-sync cannot be ended: pids %s", _pids(orphans.left))
    still = {broker.id for broker in here} if orphans.left else set()
    started = ours.started if ours is not None else 0
    processes.begin(
        BrokerProcess(BROKER_ID, os.getpid(), started, now), [one.id for one in dead if one.id not in still]
    )


def _lives(broker: BrokerProcess, now: str) -> bool:
    """Whether it runs after all: this store is a copy of its then, and its agents are none of our business."""
    return broker.boot == now and identify(broker.pid) == Kin(broker.pid, broker.started)


def _pids(processes: tuple[Kin, ...]) -> str:
    return ", ".join(str(kin.pid) for kin in processes)
