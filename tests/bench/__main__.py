"""`python -m tests.bench [SCENARIO …]`: print the figures. See README.rst beside this file."""

from __future__ import annotations

import argparse
import fnmatch
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.bench.load import agent_command
from tests.bench.plot import draw
from tests.bench.report import describe
from tests.bench.results import Results
from tests.bench.runner import BenchError, Runner, Samples
from tests.bench.scenario import Scenario
from tests.bench.scenarios import SCENARIOS
from tests.bench.table import put, table

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print; return the exit code: 1 if a scenario could not be measured, whatever the figures are."""
    options = _parser().parse_args(argv)
    scenarios = _chosen(options.scenario)
    if not scenarios:
        print(f"No such scenario. There are: {', '.join(one.name for one in SCENARIOS)}", file=sys.stderr)
        return 2
    if options.upstream and shutil.which(options.upstream) is None:
        print(f"{options.upstream} is no program.", file=sys.stderr)
        return 2
    try:
        if options.earlier:
            results, failed = _repeated(options, scenarios), False
        else:
            results, failed = _measured(options, scenarios)
        if options.json:
            results.save(Path(options.json))
        _show(options, results, scenarios)
    except (OSError, ValueError, ImportError) as error:
        print(error, file=sys.stderr)
        return 2
    return 1 if failed else 0


def _show(options: argparse.Namespace, results: Results, scenarios: Sequence[Scenario]) -> None:
    """Make of the results what was asked for, all in the order in which scenarios are listed."""
    listed = [one for one in SCENARIOS if one in scenarios]
    if options.table == "-":
        print(table(results, listed))
    elif options.table:
        put(table(results, listed), Path(options.table))
    if options.plot:
        try:
            print(draw(results, listed, Path(options.plot)))
        except ImportError as error:
            raise ImportError(f"a picture needs matplotlib ({error}): pip install '.[bench]'") from error


def _repeated(options: argparse.Namespace, scenarios: Sequence[Scenario]) -> Results:
    """Take results from a file; print them unless something else is made of them."""
    results = Results.load(Path(options.earlier))
    if not options.table and not options.plot:
        print(results.about, end="\n\n")
        for scenario in scenarios:
            if scenario.name in results.samples:
                print(describe(scenario, results.samples[scenario.name]), end="\n\n")
    return results


def _measured(options: argparse.Namespace, scenarios: Sequence[Scenario]) -> tuple[Results, bool]:
    """Measure; return what was, and whether something could not be."""
    pairs = options.pairs or (1 if options.quick else 5)
    with tempfile.TemporaryDirectory(prefix="openab-bench-") as folder:
        command = agent_command(Path(folder))
        about = _about(command, pairs, quick=options.quick)
        print(about, end="\n\n", flush=True)
        with Runner(command, keep=options.quick, upstream=options.upstream) as runner:
            samples, failed = _measure(runner, scenarios, pairs, options)
    return Results(about, samples), failed


def _measure(
    runner: Runner, scenarios: Sequence[Scenario], pairs: int, options: argparse.Namespace
) -> tuple[dict[str, Samples], bool]:
    """Print each scenario as soon as it has been measured; one that cannot be is named and left out."""
    found: dict[str, Samples] = {}
    failed, late, end = False, list[str](), time.monotonic() + options.minutes * 60
    for scenario in scenarios:
        if time.monotonic() >= end:
            late.append(scenario.name)
            continue
        try:
            samples = runner.run(_prepared(scenario, options), pairs)
        except BenchError as error:
            print(error, file=sys.stderr, flush=True)
            failed = True
            continue
        found[scenario.name] = samples
        print(describe(scenario, samples, with_targets=not options.quick), flush=True)
        if options.upstream and isinstance(scenario.upstream, str):
            print(f"  upstream: not measured, for {scenario.upstream}")
        print()
    if late:
        print(f"After {options.minutes:g} minutes there was no time for: {', '.join(late)}")
    return found, failed


def _prepared(scenario: Scenario, options: argparse.Namespace) -> Scenario:
    full = scenario.beside_upstream() if options.upstream else scenario
    return full.small() if options.quick else full


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("scenario", nargs="*", help="names, * allowed (default: all, what matters most first)")
    parser.add_argument("--json", metavar="FILE", help="write every sample there as well")
    parser.add_argument("--from", metavar="FILE", dest="earlier", help="measure nothing: take what --json has written")
    parser.add_argument(
        "--table",
        metavar="FILE",
        nargs="?",
        const="-",
        help="print the results as a table in reStructuredText, or put it into its place in a document",
    )
    parser.add_argument("--plot", metavar="DIR", help="draw the results there, as figures.png (needs matplotlib)")
    parser.add_argument("--upstream", metavar="PATH", default="", help="the Rust original's program, to measure it too")
    parser.add_argument("--quick", action="store_true", help="so small that it only shows that everything works")
    parser.add_argument("--pairs", type=int, metavar="N", help="how often everyone is measured (default 5; quick: 1)")
    parser.add_argument(
        "--minutes", type=float, default=15.0, metavar="N", help="begin nothing more after so many (default 15)"
    )
    return parser


def _chosen(patterns: Sequence[str]) -> list[Scenario]:
    wanted = patterns or ["*"]
    found = [one for one in SCENARIOS if any(fnmatch.fnmatchcase(one.name, pattern) for pattern in wanted)]
    return sorted(found, key=lambda one: one.rank)


def _about(command: Sequence[str], pairs: int, *, quick: bool) -> str:
    load = "Python (no compiler was found: fast sides wait for it)" if command[0] == sys.executable else "C"
    cores, busy = os.cpu_count() or 1, os.getloadavg()[0]
    text = f"{platform.machine()}, {cores} cores, Python {platform.python_version()}; {pairs} pairs; load agent: {load}"
    if quick:
        return text + "\nSo small that the figures mean nothing: this only shows that every scenario works."
    if busy > 0.3 * cores:
        text += f"\nThe machine is busy already (load {busy:.1f}): believe ratios and CPU, not times."
    return text


if __name__ == "__main__":
    sys.exit(main())
