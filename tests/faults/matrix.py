"""Reads matrix.toml: what can fail at which seam, and which test shows that it does no harm at which moment."""

from __future__ import annotations

import functools
import itertools
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["MOMENTS", "Cell", "cells", "named"]

MOMENTS = ("starting", "idle", "busy", "cancelling", "question", "delivering", "closing")
"""What a conversation is at; of the house itself, it is starting and closing."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A fault at a moment: the tests that bring it about, or the reason why there is none."""

    seam: str
    fault: str
    moment: str
    tests: tuple[str, ...] = ()
    reason: str = ""

    def __str__(self) -> str:
        return f"{self.seam}: {self.fault}, {self.moment}"


@functools.cache
def cells() -> tuple[Cell, ...]:
    """All that the table says. `*` in a test's name stands for the moment; `rest` for all moments without a key."""
    table = tomllib.loads(Path(__file__).with_name("matrix.toml").read_text(encoding="utf-8"))
    rows = [(seam, fault, row) for seam, faults in table.items() for fault, row in faults.items()]
    return tuple(itertools.chain.from_iterable(itertools.starmap(_cells_of, rows)))


def named() -> set[str]:
    """All tests that the table names, without their cases."""
    return {test.partition("[")[0] for cell in cells() for test in cell.tests}


def _cells_of(seam: str, fault: str, row: dict[str, str | list[str]]) -> Iterator[Cell]:
    keyed = {moment for moments in row for moment in moments.split()}
    rest = [moment for moment in MOMENTS if moment not in keyed]
    for moments, proof in row.items():
        for moment in rest if moments == "rest" else moments.split():
            if isinstance(proof, str):
                yield Cell(seam, fault, moment, reason=proof)
            else:
                yield Cell(seam, fault, moment, tuple(test.replace("*", moment) for test in proof))
