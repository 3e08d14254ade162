"""`openab-sync` as its users start it: a process of its own, in a home of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PATIENCE = 20.0 * float(os.environ.get("OPENAB_TEST_SLOWDOWN", "1"))  # seconds until a test gives up


def environment(home: Path, **more: str) -> dict[str, str]:
    """An environment in which nothing of this machine's owner is read or written."""
    ours = {"HOME": str(home), "OPENAB_SYNC_HOME": str(home / "state"), "NO_COLOR": "1"}
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "OPENAB_SYNC"))}
    return kept | ours | more


@dataclass(frozen=True)
class Ended:
    """How a process ended."""

    code: int
    out: str
    err: str


def run(home: Path, *arguments: str, stdin: str | bytes | None = None, **more: str) -> Ended:
    """Run it to its end. Without `stdin` there is none: /dev/null."""
    data = stdin.encode() if isinstance(stdin, str) else stdin
    with subprocess.Popen(
        [sys.executable, "-m", "openab_sync", *arguments],
        cwd=ROOT,
        env=environment(home, **more),
        stdin=subprocess.DEVNULL if data is None else subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        out, err = process.communicate(data, timeout=PATIENCE)
    return Ended(process.returncode, out.decode(), err.decode())
