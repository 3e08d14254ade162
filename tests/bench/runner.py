"""Runs the workers in turn (A B A B …) and keeps what they measured."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.bench.scenario import Contestant, Scenario
from tests.bench.task import Figures, SideName

__all__ = ["BenchError", "Runner", "Samples"]

Samples = dict[str, list[Figures]]
"""By contestant: its figures, one for each pair."""

ROOT = Path(__file__).parent.parent.parent


class BenchError(Exception):
    """A worker failed; what it has said is on stderr."""


class Runner:
    """Has the contestants measured, each time in a fresh process, or with `keep` in one process a side."""

    def __init__(self, command: tuple[str, ...], *, keep: bool, upstream: str = "") -> None:
        self._command = command
        self._upstream = upstream
        self._keep = keep
        self._workers: dict[SideName, subprocess.Popen[str]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for side in list(self._workers):
            self._dismiss(side)

    def run(self, scenario: Scenario, pairs: int) -> Samples:
        """Measure everyone `pairs` times, one after the other. Raise BenchError."""
        samples: Samples = defaultdict(list)
        for _ in range(pairs):
            for contestant in scenario.contestants:
                samples[contestant.name].append(self._measure(scenario.name, contestant))
        return dict(samples)

    def _measure(self, scenario: str, contestant: Contestant) -> Figures:
        side = contestant.side
        worker = self._workers.get(side) or self._hire(side)
        assert worker.stdin is not None and worker.stdout is not None
        worker.stdin.write(contestant.task.dump(side, self._command, self._upstream) + "\n")
        worker.stdin.flush()
        answer = worker.stdout.readline()
        if not answer or not self._keep:
            self._dismiss(side)
        if not answer:
            raise BenchError(f"{scenario}: {contestant.name} could not be measured")
        figures: Figures = json.loads(answer)
        return figures

    def _hire(self, side: SideName) -> subprocess.Popen[str]:
        argv = [sys.executable, "-m", "tests.bench.worker"]
        worker = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        self._workers[side] = worker
        return worker

    def _dismiss(self, side: SideName) -> None:
        worker = self._workers.pop(side)
        for pipe in (worker.stdin, worker.stdout):
            if pipe is not None:
                pipe.close()
        try:
            worker.wait(10)
        except subprocess.TimeoutExpired:
            worker.kill()
            worker.wait()
