"""`openab-sync` whose Discord loop can be held: on a signal it does nothing any more, until the next one comes.

`python -m tests.bench.sides.held run -c …`. When it is held there is a file beside its store.
"""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path
from typing import Any

__all__ = ["HELD", "TOGGLE"]

TOGGLE = signal.SIGUSR2
HELD = "held"  # in $OPENAB_SYNC_HOME


def main() -> None:
    """Run the program."""
    from openab_sync.cli import main as run
    from openab_sync.platforms.discord.platform import Discord

    go, is_held = threading.Event(), False
    start, found = Discord.start, list[Discord]()

    def started(self: Discord, *arguments: Any) -> None:
        found.append(self)
        start(self, *arguments)

    def hold() -> None:
        Path(os.environ["OPENAB_SYNC_HOME"], HELD).touch()
        go.wait()

    def toggle(*_: object) -> None:
        nonlocal is_held
        is_held = not is_held
        if is_held:
            found[0]._loop.call_soon(hold)
        else:
            go.set()

    Discord.start = started  # type: ignore[assignment,method-assign]
    signal.signal(TOGGLE, toggle)
    run()


if __name__ == "__main__":
    main()
