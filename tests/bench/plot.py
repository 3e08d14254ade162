"""Results as one picture: a panel for each kind of figure, a row for each scenario, ours beside the others.

Scales are logarithmic, so that a step to the side is a ratio. A line through a mark is what its samples span; a short
upright line is the target, where it is a figure of ours alone. matplotlib comes with the extra `bench`.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from tests.bench.report import column
from tests.bench.results import Results
from tests.bench.runner import Samples
from tests.bench.scenario import METRICS, Scenario

__all__ = ["NAME", "draw"]

NAME = "figures.png"
INK, PAPER, RULE = "#24292f", "#fbfbfa", "#d8dade"  # of its own, so that it is read on light pages and on dark ones
WIDTH, ROW, AROUND = 11.0, 0.215, 0.95  # inches: the picture, a row, what a panel has around its rows
SMALL = 7.5  # points
COLOURS = 256  # of which the picture is made: it stays small


@dataclass(frozen=True, slots=True)
class _Panel:
    """A kind of figure: its heading, the metrics that belong to it, and what brings each to its unit."""

    title: str
    units: dict[str, float]


@dataclass(frozen=True, slots=True)
class _Mark:
    shape: str
    colour: str
    size: float


PANELS = (
    (
        _Panel("notifications a second: right is better", {"rate": 1}),
        _Panel("latency in ms (p99, or until ready): left is better", {"p99": 1, "ready": 1}),
        _Panel("seconds: left is better", {"wall": 1, "start": 1}),
    ),
    (
        _Panel("CPU ms for 1,000 notifications: left is better", {"cpu": 1}),
        _Panel("memory in MiB (a session's in KiB): left is better", {"rss": 1, "peak": 1, "kept": 1, "each": 1}),
        _Panel("accepted messages a second: right is better", {"accepted": 1}),
    ),
)
"""By column of the picture."""

MARKS = {
    "ours": _Mark("o", "#0b6bcb", 36),
    "sdk": _Mark("s", "#d9730d", 22),
    "floor": _Mark("^", "#7d8590", 26),
    "upstream": _Mark("D", "#2f8f46", 22),
}
OTHER = _Mark("d", "#a475c9", 22)
LABELS = {"ours": "openab-sync", "sdk": "the official SDK", "floor": "bare pipes", "upstream": "the Rust original"}
Row = tuple[str, str, Scenario, Samples]


def draw(results: Results, scenarios: Sequence[Scenario], folder: Path) -> Path:
    """Draw what was measured of these scenarios; return the picture. Raise ImportError without matplotlib, OSError."""
    import matplotlib as mpl

    mpl.use("agg")
    mpl.rcParams.update({"font.size": SMALL, "text.color": INK, "axes.labelcolor": INK, "axes.edgecolor": RULE})
    from matplotlib.figure import Figure

    rows = [[_rows(panel, results, scenarios) for panel in panels] for panels in PANELS]
    heights = [[AROUND + ROW * len(found) for found in some if found] for some in rows]
    height = max(sum(some) for some in heights) + 0.7
    figure = Figure(figsize=(WIDTH, height), facecolor=PAPER)
    for at, (panels, some) in enumerate(zip(PANELS, rows, strict=True)):
        top = height - 0.7
        for panel, found in zip(panels, some, strict=True):
            if found:
                tall = AROUND + ROW * len(found)
                box = ((0.16 + 0.5 * at), (top - tall + 0.45) / height, 0.32, (tall - AROUND + 0.1) / height)
                _fill(figure.add_axes(box), panel, found)
                top -= tall
    there = {name for one in scenarios for name in results.samples.get(one.name, ())}
    _sign(figure, results.about, height, there)
    return _save(figure, folder / NAME)


def _rows(panel: _Panel, results: Results, scenarios: Sequence[Scenario]) -> list[Row]:
    """One for each figure of the panel's kind; a name of its own where a scenario has several."""
    found: list[Row] = []
    for one in scenarios:
        metrics = [metric for metric in one.metrics if metric in panel.units]
        for metric in metrics if one.name in results.samples else ():
            name = one.name if len(metrics) == 1 else f"{one.name}, {METRICS[metric].title.removesuffix(' MiB')}"
            found.append((name, metric, one, results.samples[one.name]))
    return found


def _fill(axes: Any, panel: _Panel, rows: Sequence[Row]) -> None:
    from matplotlib.ticker import LogLocator, NullFormatter

    axes.set_facecolor(PAPER)
    axes.set_xscale("log")
    axes.set_title(panel.title, loc="left", fontsize=SMALL + 1.5, fontweight="bold")
    for at, (_, metric, scenario, samples) in enumerate(rows):
        for name in sorted(samples, key=lambda name: name == "ours"):  # ours on top
            mark, values = MARKS.get(name, OTHER), [value for value in column(samples, name, metric) if value > 0]
            if values:
                axes.plot([min(values), max(values)], [at, at], color=mark.colour, linewidth=1.2, zorder=2)
                axes.scatter(median(values), at, marker=mark.shape, s=mark.size, color=mark.colour, zorder=3)
        for target in scenario.targets:
            if target.metric == metric and not target.against:
                axes.plot([target.limit] * 2, [at - 0.42, at + 0.42], color="#c4312e", linewidth=1.4, zorder=4)
    axes.set_yticks(range(len(rows)), [name for name, *_ in rows])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 3)))
    axes.xaxis.set_major_formatter(_plain)
    axes.xaxis.set_minor_formatter(NullFormatter())  # a short scale would have its own between ours
    axes.tick_params(length=0, colors=INK)
    axes.grid(color=RULE, linewidth=0.5)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)


def _plain(value: float, _: object = None) -> str:
    """A tick as people write it: 0.1, 30, 5 k, 2 M."""
    for limit, unit in ((1e6, " M"), (1e3, " k")):
        if value >= limit:
            return f"{value / limit:g}{unit}"
    return f"{value:g}"


def _sign(figure: Any, about: str, height: float, there: set[str]) -> None:
    """Who is who, and what it was measured on."""
    from matplotlib.lines import Line2D

    named = [(LABELS[name], mark) for name, mark in MARKS.items() if name in there]
    named += [("others: see the table", OTHER)] if there - MARKS.keys() else []
    handles = [
        Line2D([], [], linestyle="", marker=mark.shape, color=mark.colour, markersize=6, label=label)
        for label, mark in named
    ]
    handles.append(Line2D([], [], linestyle="", marker="|", color="#c4312e", markersize=10, label="target"))
    figure.legend(handles=handles, loc="upper left", bbox_to_anchor=(0.01, 1 - 0.08 / height), ncols=6, frameon=False)
    figure.text(0.985, 0.06 / height, about.split("\n", 1)[0], ha="right", fontsize=SMALL - 1)


def _save(figure: Any, file: Path) -> Path:
    from PIL import Image

    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", dpi=100, facecolor=PAPER)
    picture = Image.open(drawn).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    picture.save(file, optimize=True)
    return file
