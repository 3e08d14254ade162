"""Results as a table in reStructuredText, and its place in a document. The document's figures are those of one run.

A row is one figure of one scenario: medians, in brackets the smallest and the largest sample of ours. *others* are
whoever else is measured there, by name.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

from tests.bench.report import column, judge, number, spread, values
from tests.bench.results import Results
from tests.bench.runner import Samples
from tests.bench.scenario import METRICS, Scenario

__all__ = ["BEGIN", "COLUMNS", "END", "put", "table"]

COLUMNS = ("scenario", "figure", "ours", "sdk", "floor", "others", "target", "verdict")
BEGIN = ".. What follows is written by: python -m tests.bench --from FILE --table tests/bench/README.rst"
END = ".. Here it ends."
NOTHING = "–"


def table(results: Results, scenarios: Sequence[Scenario]) -> str:
    """Return the results of these scenarios, in their order; what was not measured has no row."""
    found = [one for one in scenarios if one.name in results.samples]
    rows = [COLUMNS, *(row for one in found for row in _rows(one, results.samples[one.name]))]
    widths = [max(_width(row[at]) for row in rows) for at in range(len(COLUMNS))]
    ruler = "  ".join("=" * width for width in widths)
    lines = ["  ".join(_padded(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    head = ", ".join(results.about.split("\n", 1)[0].split("; "))
    return "\n".join([f"{head}:", "", ruler, lines[0], ruler, *lines[1:], ruler])


def put(text: str, file: Path) -> None:
    """Put a table into its place in a document. Raise OSError, or ValueError if there is no place for it."""
    old = file.read_text(encoding="utf-8")
    head, begin, rest = old.partition(BEGIN + "\n")
    _, end, tail = rest.partition("\n" + END)
    if not begin or not end:
        raise ValueError(f"{file} has no place for a table: a line {BEGIN!r}, and behind it {END!r}")
    file.write_text(f"{head}{begin}\n{text}\n{end}{tail}", encoding="utf-8")


def _rows(scenario: Scenario, samples: Samples) -> Iterator[tuple[str, ...]]:
    for metric in scenario.metrics:
        targets = [target for target in scenario.targets if target.metric == metric]
        verdicts = [judge(target, values(samples, target)) for target in targets]
        yield (
            f"``{scenario.name}``",
            METRICS[metric].title,
            spread(metric, column(samples, "ours", metric)),
            _median(samples, "sdk", metric),
            _median(samples, "floor", metric),
            ", ".join(f"{name} {_median(samples, name, metric)}" for name in samples if name not in COLUMNS) or NOTHING,
            ", ".join(str(target) for target in targets) or NOTHING,
            ", ".join(verdicts if len(set(verdicts)) > 1 else verdicts[:1]) or NOTHING,
        )


def _median(samples: Samples, name: str, metric: str) -> str:
    return number(metric, median(column(samples, name, metric))) if name in samples else NOTHING


def _width(text: str) -> int:
    """Columns that it takes, as docutils counts them."""
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    return len(text) + wide - sum(unicodedata.combining(character) > 0 for character in text)


def _padded(text: str, width: int) -> str:
    return text + " " * (width - _width(text))
