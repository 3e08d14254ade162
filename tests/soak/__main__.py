"""`python -m tests.soak [KIND …] [--minutes N]`: people who do everything, for as long as one likes; then the account.

    killed   openab-sync run on the fake Discord, killed every 20 to 40 seconds
    steady   the same program and the same weather, never killed: its memory, threads and descriptors must stay flat
    house    the house alone, in this process, with commands, resets and the witness of the locks; flat as well

Ends with 1 if a message was lost or doubled, something was left behind or goes on growing, or another promise broken.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.soak.gauge import Reading, slopes
from tests.soak.saying import say

__all__ = ["main"]

KINDS = ("killed", "steady", "house")


def main(argv: Sequence[str] | None = None) -> int:
    """Run and print; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.soak", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=f"of {', '.join(KINDS)} (default: all, in this order)")
    parser.add_argument("--minutes", type=float, default=20.0, metavar="N", help="how long each (default 20)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="other people (default 1)")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="a picture of what the last KIND has cost")
    parser.add_argument("--log", type=Path, metavar="FILE", help="where all that the program has logged is kept")
    options = parser.parse_args(argv)
    if unknown := set(options.kinds) - {*KINDS}:
        parser.error(f"there is no kind {', '.join(sorted(unknown))}; there are: {', '.join(KINDS)}")
    kinds: list[str] = options.kinds or [*KINDS]
    faults: list[str] = []
    readings: list[Reading] = []
    for kind in kinds:
        say(f"==> {kind}, {options.minutes:g} minutes")
        found, readings = _run(kind, options.minutes * 60, options.seed, options.log)
        for name, slope in slopes(readings).items():
            say(f"{name}: {slope:+.1f} an hour in the second half")
        say("\n".join(found) or "All is accounted for.")
        faults += found
    if options.plot:
        _plot(readings, kinds[-1], options.plot)
    return 1 if faults else 0


def _run(kind: str, seconds: float, seed: int, log: Path | None) -> tuple[list[str], list[Reading]]:
    """Imported late: the house alone needs neither the Discord library nor the fake of it."""
    if kind == "house":
        from tests.soak import house

        return house.run(seconds, seed)
    from tests.soak import program

    return program.run(seconds, seed, log, is_killed=kind == "killed")


def _plot(readings: Sequence[Reading], kind: str, file: Path) -> None:
    from tests.soak.plot import plot  # needs matplotlib

    plot(readings, f"soak, {kind}: {readings[-1].at / 60:.0f} min", file)


if __name__ == "__main__":
    sys.exit(main())
