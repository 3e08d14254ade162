"""One figure of many: what a part of them does not exceed."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["quantile"]


def quantile(values: Sequence[float], part: float) -> float:
    """Return the smallest value that at least `part` of the others do not exceed; 0.5 is about the median."""
    return sorted(values)[min(len(values) - 1, int(len(values) * part))]
