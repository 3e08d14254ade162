"""The benchmark of acceptance measures what it says (its figures are the machine's)."""

from __future__ import annotations

from pathlib import Path

from tests.bench.journal import measure


def test_many_at_once_share_a_commit(tmp_path: Path) -> None:
    rate, median, late, group = measure(tmp_path, threads=20, messages=200)
    assert rate > 0 and 0 < median <= late
    assert group > 1
