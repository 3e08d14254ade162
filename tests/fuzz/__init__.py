"""What reads foreign bytes, fed with bytes: one module a target, each with `one_input`, which raises what is broken.

`python -m tests.fuzz` lets atheris look for inputs (the environment `fuzz`); `tests/test_fuzz.py` feeds every target
with its corpus and needs nothing. Targets are imported by name and late: atheris has to be there first to see them.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path

__all__ = ["CORPUS", "TARGETS", "Target", "seeds", "target"]

Target = Callable[[bytes], None]
"""Takes any bytes; raises whatever they break."""

TARGETS = ("wire", "peer", "config", "split", "tables")

CORPUS = Path(__file__).parent / "corpus"


def target(name: str) -> Target:
    """Return the function of the target `name`."""
    found: Target = importlib.import_module(f"tests.fuzz.{name}").one_input
    return found


def seeds(name: str) -> list[Path]:
    """Return the files that a target's search begins with."""
    return sorted((CORPUS / name).iterdir())
