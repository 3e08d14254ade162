"""No thread of a running house is the first to use a type of msgspec's.

msgspec examines a type when it is first used, and two threads that examine one at the same time end the process
(seen with 0.22 when two agents started at once, under a switch interval of 1 µs). So each is examined by the import of
the module that has it.
"""

from __future__ import annotations

import ast
import functools
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "openab_sync"
TAKES_TYPE = {"fit": 1, "_body": 0}  # functions of ours that are handed a type, and where
PROBE = """
import contextlib, importlib, sys
import msgspec
import openab_sync.service
kinds = {use: eval(use.partition(" ")[2], vars(importlib.import_module(use.partition(" ")[0]))) for use in sys.argv[1:]}
for use, kind in kinds.items():
    seen = set()
    sys.setprofile(lambda frame, event, _: seen.add(frame.f_code.co_name))
    with contextlib.suppress(msgspec.ValidationError):
        msgspec.convert({}, kind)
    sys.setprofile(None)
    if "get_class_annotations" in seen:
        print(use)
"""


@functools.cache
def calls() -> list[tuple[Path, ast.Call]]:
    """All calls in the package."""
    trees = [(path, ast.parse(path.read_text("utf-8"))) for path in sorted(PACKAGE.rglob("*.py"))]
    return [(path, node) for path, tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]


def uses() -> Iterator[str]:
    """Each type that threads convert to: the module, and how that calls the type."""
    for path, node in calls():
        module = ".".join(("openab_sync", *path.relative_to(PACKAGE).with_suffix("").parts))
        if isinstance(node.func, ast.Name) and node.func.id in TAKES_TYPE:
            yield f"{module} {ast.unparse(node.args[TAKES_TYPE[node.func.id]])}"


def unknown(*uses: str) -> list[str]:
    """Those that are examined at their first use, in a process of its own that has all modules of a house."""
    command = [sys.executable, "-c", PROBE, *uses]
    run = subprocess.run(command, capture_output=True, text=True, check=True, cwd=PACKAGE.parent)
    return run.stdout.splitlines()


def test_every_type_is_examined_before_there_are_threads() -> None:
    found = sorted(set(uses()))
    assert "openab_sync.acp.peer answers.InitializeResult" in found
    assert len(found) > 8
    assert unknown(*found) == []


def test_a_type_that_nobody_has_examined_is_noticed() -> None:
    assert unknown("openab_sync.status.shapes House") == ["openab_sync.status.shapes House"]


def test_notes_of_the_journal_and_lines_of_agents_have_readers_of_their_own() -> None:
    """A type given to `json.decode` is examined at its first use; nobody gives one but `_body`."""
    given = [
        (path.name, ast.unparse(keyword.value))
        for path, node in calls()
        for keyword in node.keywords
        if keyword.arg == "type" and ast.unparse(node.func).endswith("json.decode")
    ]
    assert given == [("changing.py", "kind")]
