"""`python -m tests.fuzz [TARGET …] [--seconds N]`: look for inputs that break something."""

from __future__ import annotations

import argparse
import importlib.util
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.fuzz import CORPUS, TARGETS, target

__all__ = ["main"]

ROOT = Path(__file__).parents[2]
LIMITS = (  # bytes, seconds an input, MiB; and little talk
    "-max_len=4096",
    "-timeout=10",
    "-rss_limit_mb=2048",
    "-verbosity=0",
    "-print_final_stats=1",
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the targets one after another; return the exit code: 1 if one was broken, 2 if nothing could be run."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"of {', '.join(TARGETS)} (default: all)")
    parser.add_argument("--seconds", type=int, default=60, metavar="N", help="for each target (default 60)")
    parser.add_argument("--again", type=Path, metavar="FILE", help="feed one TARGET with what was found, no more")
    options = parser.parse_args(argv)
    if unknown := set(options.targets) - {*TARGETS}:
        parser.error(f"there is no target {', '.join(sorted(unknown))}; there are: {', '.join(TARGETS)}")
    if options.again:
        if len(options.targets) != 1:
            parser.error("--again wants one TARGET")
        target(options.targets[0])(options.again.read_bytes())
        return 0
    if importlib.util.find_spec("atheris") is None:
        parser.error("atheris is not installed here; `tox -e fuzz` brings it")
    broken = [name for name in options.targets or TARGETS if not _search(name, options.seconds)]
    return 1 if broken else 0


def _search(name: str, seconds: int) -> bool:
    """Look for `seconds`; say what was found and how to see it again. True if it was nothing."""
    found = Path(tempfile.mkdtemp(prefix=f"openab-fuzz-{name}-"))
    _say(f"==> {name}, {seconds} s")
    with tempfile.TemporaryDirectory() as grown:  # inputs that reach something new are written to the first folder
        folders = [grown, str(CORPUS / name)]
        limits = [*LIMITS, f"-max_total_time={seconds}", f"-artifact_prefix={found}/"]
        command = [sys.executable, "-m", "tests.fuzz.search", name, *limits, *folders]
        status = subprocess.run(command, cwd=ROOT).returncode
    files = sorted(found.iterdir())
    for file in files:
        _say(f"{name} is broken; see it again: python -m tests.fuzz {name} --again {file}")
    if not files:
        shutil.rmtree(found)
    return status == 0 and not files


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201  # what this program is for


if __name__ == "__main__":
    sys.exit(main())
