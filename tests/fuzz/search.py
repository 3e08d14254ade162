"""One target under atheris, in a process of its own: libFuzzer ends the process that it has run in."""

from __future__ import annotations

import importlib
import sys
from typing import Any

from tests.fuzz import scene, target

__all__ = ["search"]

# Whose branches are followed: ours, and the reader of TOML. What C does (msgspec) cannot be seen.
FOLLOWED = ["openab_sync", "tomllib"]


def search(name: str, options: list[str]) -> None:
    """Feed the target `name` until libFuzzer's `options` say that it is enough. Does not return."""
    atheris: Any = importlib.import_module("atheris")  # in the environment `fuzz` only; it has no types
    with atheris.instrument_imports(include=FOLLOWED):
        one_input = target(name)
    atheris.Setup([sys.argv[0], *options], one_input)
    with scene(name):
        atheris.Fuzz()


if __name__ == "__main__":
    search(sys.argv[1], sys.argv[2:])
