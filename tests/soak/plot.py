"""A picture of what a soak has cost: memory, threads and descriptors over the time."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.soak.gauge import Reading, slopes

__all__ = ["plot"]

SIZE = 7.5, 5.2  # inches
DOTS = 80  # an inch
UNITS = {"memory": "MiB", "threads": "threads", "descriptors": "descriptors"}


def plot(readings: Sequence[Reading], title: str, file: Path) -> None:
    """Draw `readings` into `file` (PNG or SVG). Blocks. Needs matplotlib, which the extra `bench` brings."""
    pyplot: Any = importlib.import_module("matplotlib.figure")  # it has no types that mypy sees
    figure = pyplot.Figure(SIZE, DOTS, layout="constrained")
    minutes = [reading.at / 60 for reading in readings]
    grown = slopes(readings)
    for axes, (name, unit) in zip(figure.subplots(len(UNITS), sharex=True), UNITS.items(), strict=True):
        values = [getattr(reading, name) for reading in readings]
        axes.plot(minutes, values, linewidth=1)
        axes.set_ylim(0, 1.15 * max(*values, 1))  # some room above: a flat line is not the frame's
        axes.set_ylabel(unit)
        axes.grid(alpha=0.3)
        if name in grown:
            axes.set_title(f"{name}: {grown[name]:+.1f} an hour in the second half", fontsize=9, loc="left")
    axes.set_xlabel("minutes")
    figure.suptitle(title, fontsize=10)
    figure.savefig(file)
