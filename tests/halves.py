"""`python -m tests.halves [ARGUMENT…] -- COMMAND…`: run COMMAND, a pytest, on both halves of the tests at once.

The first half is what is started as a program of its own, from a chat or from a shell, and takes the longest; the
second is the rest, shown when both have ended. With an ARGUMENT there are no halves: COMMAND is run once, on what was
asked for. Ends with the status of the half that went worse. The environment `coverage` uses it: two cores, one account.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence

__all__ = ["main"]

FIRST = ("tests/cli", "tests/platforms")


def main(arguments: Sequence[str]) -> int:
    """Blocks until both have ended; the larger exit status. Raise ValueError if there is no `--`."""
    here = list(arguments).index("--")
    asked, command = arguments[:here], arguments[here + 1 :]
    if asked:
        return subprocess.run([*command, *asked], check=False).returncode
    rest = [f"--ignore={folder}" for folder in FIRST]
    with (
        tempfile.TemporaryFile() as shown_later,
        subprocess.Popen([*command, *rest], stdout=shown_later, stderr=subprocess.STDOUT) as second,
    ):
        try:
            first = subprocess.run([*command, *FIRST], check=False).returncode
        except BaseException:  # told to stop: not without the other
            second.terminate()
            raise
        statuses = [abs(first), abs(second.wait())]  # killed by a signal is a negative one
        shown_later.seek(0)
        sys.stdout.flush()
        shutil.copyfileobj(shown_later, sys.stdout.buffer)
        sys.stdout.buffer.flush()
    return max(statuses)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
