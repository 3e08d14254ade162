"""A running service as the command line finds it: a house with the fault agent, and its status server, in a home."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from openab_sync.clock import SystemClock
from openab_sync.config.schema import StatusConfig
from openab_sync.core.presence import Presence
from openab_sync.status import Sources, Status
from tests.core.bed import PLATFORM, Bed

__all__ = ["serving"]


@contextmanager
def serving(home: Path, *, trouble: str = "", **sections: Any) -> Iterator[Bed]:
    """A bed whose status server `openab-sync` finds in that home."""
    folder = home / "state"
    folder.mkdir(mode=0o700, exist_ok=True)
    status = Status(StatusConfig(listen="127.0.0.1:0"), folder)
    with Bed(**sections) as bed:
        presences = [Presence(PLATFORM, trouble)]
        status.start(Sources(bed.broker, SystemClock(), {PLATFORM: bed.port}, presences=lambda: presences))
        try:
            yield bed
        finally:
            assert status.stop()
