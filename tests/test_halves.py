"""Both halves of the tests are run, at once, and neither's failure is lost."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.halves import FIRST

ROOT = Path(__file__).parents[1]

# Tells what it was told, then waits for the other half: one after the other would not end.
TOLD = """
import os, pathlib, sys
from tests.waiting import until
here, (mine, other) = pathlib.Path(os.environ["HERE"]), "12" if "tests/cli" in sys.argv else "21"
print("half", mine, *sys.argv[1:], flush=True)
(here / mine).touch()
until((here / other).exists)
sys.exit(int(os.environ["STATUS_" + mine]))
"""


def halves(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.halves", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=25,
        check=False,
    )


@pytest.mark.parametrize(("first", "second", "both"), [(0, 0, 0), (1, 0, 1), (0, 1, 1), (0, 5, 5)])
def test_the_halves_run_at_once_and_the_worse_status_is_that_of_both(
    first: int, second: int, both: int, tmp_path: Path
) -> None:
    statuses = {"STATUS_1": str(first), "STATUS_2": str(second)}
    run = halves("--", sys.executable, "-c", TOLD, "-q", HERE=str(tmp_path), **statuses)
    assert run.returncode == both
    assert run.stdout.splitlines() == [
        "half 1 -q tests/cli tests/platforms",
        "half 2 -q --ignore=tests/cli --ignore=tests/platforms",
    ]


def test_a_half_that_is_killed_is_a_failure(tmp_path: Path) -> None:
    killed = "import os, signal, sys; 'tests/cli' in sys.argv or os.kill(os.getpid(), signal.SIGKILL)"
    assert halves("--", sys.executable, "-c", killed).returncode == 9


def test_what_was_asked_for_is_run_once() -> None:
    run = halves("tests/test_errors.py", "-x", "--", "echo", "pytest", "-q")
    assert (run.returncode, run.stdout) == (0, "pytest -q tests/test_errors.py -x\n")


def test_the_first_half_is_there() -> None:
    assert all((ROOT / folder).is_dir() for folder in FIRST)
