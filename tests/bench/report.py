"""Samples to text: medians, spread, ratios, and what they say about the targets. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from tests.bench.runner import Samples
from tests.bench.scenario import METRICS, Scenario, Target

__all__ = ["column", "describe", "judge", "number", "ratios", "spread", "values"]

NOISY = 1.5
"""Largest over smallest sample from which on a figure is called noisy."""


def describe(scenario: Scenario, samples: Samples, *, with_targets: bool = True) -> str:
    """Return the scenario's rows."""
    lines = [f"{scenario.name}: {scenario.title}"]
    for metric in scenario.metrics:
        cells = [f"{name} {spread(metric, column(samples, name, metric))}" for name in samples]
        lines.append(f"  {METRICS[metric].title:18} {'   '.join(cells)}")
        others = [name for name in samples if name != "ours" and _is_comparable(samples, name, metric)]
        if others:
            compared = "   ".join(f"{_ratio(median(ratios(samples, metric, name)))} × {name}" for name in others)
            lines.append(f"  {'':18} ours is {compared}")
    for target in scenario.targets if with_targets else ():
        found = values(samples, target)
        seen = _ratio(median(found)) if target.against else number(target.metric, median(found))
        lines.append(f"  target {METRICS[target.metric].title} {target}: {seen}, {judge(target, found)}")
    return "\n".join(lines)


def judge(target: Target, found: Sequence[float]) -> str:
    """Say whether the target is met. Of five pairs one may say otherwise; if more do, nobody can tell."""
    met = sum(target.is_met(value) for value in found)
    doubts = len(found) // 5
    if met >= len(found) - doubts:
        return "met"
    return "missed" if met <= doubts else "too noisy to tell"


def values(samples: Samples, target: Target) -> list[float]:
    """Return what the target is about: our figures, or their ratios, pair by pair."""
    if target.against:
        return ratios(samples, target.metric, target.against)
    return column(samples, "ours", target.metric)


def ratios(samples: Samples, metric: str, against: str) -> list[float]:
    """Return ours over theirs, pair by pair."""
    pairs = zip(column(samples, "ours", metric), column(samples, against, metric), strict=True)
    return [ours / theirs if theirs else float("inf") for ours, theirs in pairs]


def column(samples: Samples, name: str, metric: str) -> list[float]:
    """Return one contestant's samples of one figure."""
    return [figures[metric] for figures in samples[name]]


def number(metric: str, value: float) -> str:
    """Return a figure as people read it."""
    form = METRICS[metric]
    return f"{value / 1000:,.{form.places}f} k" if form.thousands else f"{value:,.{form.places}f}"


def _is_comparable(samples: Samples, name: str, metric: str) -> bool:
    return all(value > 0 for value in column(samples, name, metric))


def _ratio(value: float) -> str:
    return f"{value:.1f}" if value >= 3 else f"{value:.2f}" if value >= 0.1 else f"{value:.3f}"


def spread(metric: str, found: Sequence[float]) -> str:
    """Return the median of these, in brackets the smallest and the largest, and whether they lie far apart."""
    if len(found) == 1:
        return number(metric, found[0])
    low, high = min(found), max(found)
    noisy = ", noisy" if low > 0 and high / low > NOISY else ""
    return f"{number(metric, median(found))} ({number(metric, low)}–{number(metric, high)}{noisy})"
