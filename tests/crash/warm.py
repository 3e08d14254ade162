"""A process that has imported everything, and forks a broker for each line that it reads: `python -m tests.crash.warm`.

What takes a broker a second of computing, importing, is done once for all of them; each is a process of its own all the
same, with its own environment, and dies its own death. One at a time: a line of JSON in (`point`, `arguments`,
`environ`, `log`), the pid out, and when it has ended its exit code.
"""

from __future__ import annotations

import functools
import importlib
import json
import os
import sys
import uuid
from typing import Any

from openab_sync.cli import main
from openab_sync.platforms.discord import platform
from tests.crash.points import POINTS, arm

__all__: list[str] = []

ROOMS = ("openab_sync.acp.environment", "openab_sync.service")


def broker(point: str, arguments: list[str], environ: dict[str, str], log: str) -> None:
    """Be a broker, in a process that was just forked. Does not return."""
    code = 70
    try:
        os.environ.clear()
        os.environ.update(environ)
        for number, target in ((0, os.open(os.devnull, os.O_RDONLY)), (1, os.open(log, os.O_WRONLY | os.O_CREAT))):
            os.dup2(target, number)
        os.dup2(1, 2)
        who = uuid.uuid4().hex
        for room in ROOMS:  # what each process makes for itself when it imports it
            module: Any = importlib.import_module(room)
            module.BROKER_ID = who
        arm(POINTS[point])
        sys.argv = ["openab-sync", *arguments]
        main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    finally:
        os._exit(code)


def serve() -> None:
    """Fork until nobody asks any more."""
    # What discord.py waits for guilds of which it was not told: two seconds, where nobody has more than one.
    module: Any = platform
    module.make_client = functools.partial(module.make_client, guild_ready_timeout=0.01)
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            broker(**json.loads(line))
        _say(pid)
        _, status = os.waitpid(pid, 0)
        _say(os.waitstatus_to_exitcode(status))


def _say(number: int) -> None:
    os.write(1, b"%d\n" % number)


if __name__ == "__main__":
    for name in ("openab_sync.store", "openab_sync.status", "openab_sync.core.orphans", *ROOMS):
        importlib.import_module(name)
    serve()
