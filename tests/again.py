"""`python -m tests.again [--times N] [ARGUMENT …]`: the stress tests over and over, each round with other dice.

Each round is a pytest of its own under `OPENAB_STRESS`, which has its number in `OPENAB_ROUND`. It runs all tests with
the marker `stress`, or those that the ARGUMENTs say. Rounds that fail are shown, and the others go on; ends with 1 if
one has failed.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

__all__ = ["main"]

ROOT = Path(__file__).parents[1]
TESTS = ("-m", "stress", "--timeout=100", "-q")


def main(argv: Sequence[str] | None = None) -> int:
    """Run and print; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.again", description=__doc__)
    parser.add_argument("--times", type=int, default=50, metavar="N", help="how many rounds (default 50)")
    options, more = parser.parse_known_args(argv)
    more = more or _files()
    failed = [number for number in range(1, options.times + 1) if not _is_passed(number, options.times, more)]
    _say(f"{options.times - len(failed)} of {options.times} rounds passed")
    return 1 if failed else 0


def _files() -> list[str]:
    """The files in which such tests are: to look through all of them would take longer than the tests."""
    return [str(path) for path in sorted(ROOT.glob("tests/**/test_*.py")) if "mark.stress\n" in path.read_text("utf-8")]


def _is_passed(number: int, times: int, more: Sequence[str]) -> bool:
    command = [sys.executable, "-m", "pytest", *TESTS, *more]
    environ = {**os.environ, "OPENAB_STRESS": "1", "OPENAB_ROUND": str(number)}
    began = time.monotonic()
    run = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True)
    if run.returncode:
        _say(run.stdout + run.stderr)
    word = "failed" if run.returncode else "passed"
    _say(f"round {number} of {times} {word} in {time.monotonic() - began:.0f} s")
    return run.returncode == 0


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201  # what this program is for


if __name__ == "__main__":
    sys.exit(main())
