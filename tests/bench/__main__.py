"""`python -m tests.bench [SCENARIO …]`: print the figures. See README.rst beside this file."""

from __future__ import annotations

import argparse
import fnmatch
import json
import os
import platform
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.bench.load import agent_command
from tests.bench.report import describe
from tests.bench.runner import BenchError, Runner, Samples
from tests.bench.scenario import Scenario
from tests.bench.scenarios import SCENARIOS

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print; return the exit code: 1 if a scenario could not be measured, whatever the figures are."""
    options = _parser().parse_args(argv)
    scenarios = _chosen(options.scenario)
    if not scenarios:
        print(f"No such scenario. There are: {', '.join(one.name for one in SCENARIOS)}", file=sys.stderr)
        return 2
    pairs = options.pairs or (1 if options.quick else 5)
    with tempfile.TemporaryDirectory(prefix="openab-bench-") as folder:
        command = agent_command(Path(folder))
        about = _about(command, pairs, quick=options.quick)
        print(about, end="\n\n", flush=True)
        with Runner(command, keep=options.quick) as runner:
            results = _measure(runner, scenarios, pairs, quick=options.quick)
    if options.json:
        Path(options.json).write_text(json.dumps({"about": about, "results": results}, indent=1), encoding="utf-8")
    return 0 if len(results) == len(scenarios) else 1


def _measure(runner: Runner, scenarios: Sequence[Scenario], pairs: int, *, quick: bool) -> dict[str, Samples]:
    """Print each scenario as soon as it has been measured; one that cannot be is named and left out."""
    results: dict[str, Samples] = {}
    for scenario in scenarios:
        try:
            samples = runner.run(scenario.small() if quick else scenario, pairs)
        except BenchError as error:
            print(error, file=sys.stderr, flush=True)
            continue
        results[scenario.name] = samples
        print(describe(scenario, samples, with_targets=not quick), end="\n\n", flush=True)
    return results


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("scenario", nargs="*", help="names, * allowed (default: all)")
    parser.add_argument("--json", metavar="FILE", help="write every sample there as well")
    parser.add_argument("--quick", action="store_true", help="so small that it only shows that everything works")
    parser.add_argument("--pairs", type=int, metavar="N", help="how often everyone is measured (default 5; quick: 1)")
    return parser


def _chosen(patterns: Sequence[str]) -> list[Scenario]:
    wanted = patterns or ["*"]
    return [one for one in SCENARIOS if any(fnmatch.fnmatchcase(one.name, pattern) for pattern in wanted)]


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
