"""`openab-sync` whose state lies on a disk of two megabytes: `python -m tests.crash.small_disk run …`.

A real file system that can be really full, and that nobody else sees: a tmpfs in a mount namespace of its own, which
goes with the process. It becomes `openab-sync`, with the same pid. From outside the disk is `/proc/<pid>/root/…`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence

__all__ = ["can_be", "main"]

SIZE = "2m"
PLAIN, AS_ROOT = ("unshare", "--mount"), ("unshare", "--mount", "--map-root-user")
MOUNT = f'mount -t tmpfs -o size={SIZE} none "$OPENAB_SYNC_HOME" && exec "$@"'


def _way() -> Sequence[str] | None:
    """How a namespace is had here; None if it is not."""
    for way in (PLAIN, AS_ROOT):
        tried = subprocess.run([*way, "mount", "-t", "tmpfs", "none", "/mnt"], check=False, stderr=subprocess.DEVNULL)
        if tried.returncode == 0:
            return way
    return None


def can_be() -> bool:
    """Whether this machine has such disks (Linux, and root or namespaces for everybody)."""
    return sys.platform == "linux" and _way() is not None


def main(arguments: Sequence[str]) -> None:
    """Become `openab-sync` with these arguments."""
    way = _way()
    assert way is not None
    os.makedirs(os.environ["OPENAB_SYNC_HOME"], mode=0o700, exist_ok=True)
    program = [sys.executable, "-m", "openab_sync", *arguments]
    os.execvp(way[0], [*way, "sh", "-c", MOUNT, "sh", *program])


if __name__ == "__main__":
    main(sys.argv[1:])
