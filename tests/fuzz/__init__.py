"""What reads foreign bytes, fed with bytes: one module a target, each with `one_input`, which raises what is broken.

`python -m tests.fuzz` lets atheris look for inputs (the environment `fuzz`); `tests/test_fuzz.py` feeds every target
with its corpus and needs nothing. Targets are imported by name and late: atheris has to be there first to see them.
"""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

__all__ = ["CORPUS", "TARGETS", "Target", "scene", "seeds", "target"]

Target = Callable[[bytes], None]
"""Takes any bytes; raises whatever they break."""

DISCORD = ("ids", "events") if importlib.util.find_spec("discord") else ()

TARGETS = ("wire", "peer", "config", "split", "tables", *DISCORD)

CORPUS = Path(__file__).parent / "corpus"


def target(name: str) -> Target:
    """Return the function of the target `name`."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "'audioop' is deprecated", DeprecationWarning)  # what discord.py imports
        found: Target = importlib.import_module(f"tests.fuzz.{name}").one_input
    return found


def scene(name: str) -> AbstractContextManager[None]:
    """What the target `name` wants to have open for many inputs: one that is fed without it opens it for each."""
    make: Callable[[], AbstractContextManager[None]]
    make = getattr(importlib.import_module(f"tests.fuzz.{name}"), "scene", nullcontext)
    return make()


def seeds(name: str) -> list[Path]:
    """Return the files that a target's search begins with."""
    return sorted((CORPUS / name).iterdir())
