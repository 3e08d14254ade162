"""`openab-sync` as it is, but for its death: `python -m tests.crash.program POINT run -c FILE`."""

from __future__ import annotations

import functools
import sys
from typing import Any

from openab_sync.cli import main
from openab_sync.platforms.discord import platform
from tests.crash.points import POINTS, arm

__all__: list[str] = []

if __name__ == "__main__":
    # What discord.py waits for guilds of which it was not told: two seconds, where nobody has more than one.
    module: Any = platform
    module.make_client = functools.partial(module.make_client, guild_ready_timeout=0.01)
    arm(POINTS[sys.argv.pop(1)])
    main()
