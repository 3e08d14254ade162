"""The lists in README.rst: every row is there, has a test or a reason, and every test named in one exists."""

from __future__ import annotations

import ast
import functools
import re
from pathlib import Path

import docutils.core
import docutils.nodes

from tests.faults import matrix

HERE = Path(__file__).parent
README = HERE / "README.rst"

# Letter → how many rows that list has; they are numbered from 1 without a gap.
REPORTED = {"A": 20, "B": 19, "C": 11, "D": 12, "E": 23, "F": 20, "G": 14, "H": 11, "I": 9, "J": 13, "K": 11}
OTHERS = {"R": 16, "V": 10, "S": 6, "T": 11, "M": 15, "Q": 15, "N": 7, "W": 10, "U": 22, "X": 22}
LISTS = REPORTED | OTHERS


def test_no_row_is_missing_and_none_is_there_twice() -> None:
    wanted = [f"{letter}{number}" for letter, most in LISTS.items() for number in range(1, most + 1)]
    assert sorted(row for row, _, _ in rows()) == sorted(wanted)


def test_every_row_says_what_it_is_about_and_names_a_test_or_a_reason() -> None:
    poor = [row for row, what, proof in rows() if len(what.split()) < 3 or not (named_in(proof) or reason_in(proof))]
    assert poor == []


def test_every_test_that_is_named_exists() -> None:
    named = {test for _, _, proof in rows() for test in named_in(proof)}
    assert len(named) > 100
    assert sorted(test for test in named if test.partition("::")[2] not in cases_of(test.partition("::")[0])) == []


def test_every_test_of_a_reported_fault_is_in_a_list() -> None:
    """Those of the matrix are in `faults/matrix.toml`."""
    named = {test for _, _, proof in rows() for test in named_in(proof)} | matrix.named()
    files = [f"faults/{path.name}" for path in sorted((HERE / "faults").glob("test_*.py"))]
    files = [file for file in files if file not in {"faults/test_matrix.py", "faults/test_invariants.py"}]
    assert [f"{file}::{test}" for file in files for test in cases_of(file) if f"{file}::{test}" not in named] == []


# What agents and people that mean harm were to be tried with, and the row that says so.
TRIED = {
    "lies about ids": "X1",
    "asks when its turn has ended": "X2",
    "a thousand questions": "X3",
    "titles of ten megabytes": "X4",
    "names files elsewhere": "X5",
    "control characters": "X7",
    "pings everybody": "X8",
    "forks children": "X9",
    "ignores the end of its stdin, a cancel and SIGTERM": "X10",
    "forge the ids of buttons": "X14",
    "stale buttons, and those of others": "X15",
    "only look like the bot's": "X16",
    "zip bombs, and names with ../": "X18",
    "pictures that grow when they are decoded": "X19",
    "flood a thread with messages": "X20",
}


def test_everything_that_was_to_be_tried_is_in_the_list_of_the_hostile() -> None:
    about = {row: what for row, what, proof in rows() if named_in(proof)}
    assert [(row, words) for words, row in TRIED.items() if words not in about[row].replace("’", "'")] == []


def test_every_test_of_the_hostile_is_in_that_list() -> None:
    named = {test for row, _, proof in rows() if row.startswith("X") for test in named_in(proof)}
    files = [
        "hostile/test_villain.py",
        "hostile/test_telltale.py",
        "hostile/test_terminal.py",
        "platforms/discord/test_hostile.py",
    ]
    assert [f"{file}::{test}" for file in files for test in cases_of(file) if f"{file}::{test}" not in named] == []


@functools.cache
def rows() -> list[tuple[str, str, str]]:
    """Each row of each list: its name, what it is about, the source of what proves it."""
    settings = {"report_level": 5, "_disable_config": True, "input_encoding": "utf-8"}
    tree = docutils.core.publish_doctree(README.read_text(encoding="utf-8"), settings_overrides=settings)
    found = []
    for row in tree.findall(docutils.nodes.row):
        cells = [cell.astext() for cell in row.children]
        if len(cells) == 3 and re.fullmatch(r"[A-Z]\d+", cells[0]):
            found.append((cells[0], cells[1], cells[2]))
    return found


def named_in(proof: str) -> list[str]:
    return re.findall(r"[\w/]+\.py::\w+", proof)


def reason_in(proof: str) -> bool:
    return len(re.sub(r"[\w/]+\.py::\w+", "", proof).split()) >= 5


@functools.cache
def cases_of(file: str) -> list[str]:
    """The names of the tests in a file of this folder; none if it is not there."""
    path = HERE / file
    if not path.is_file():
        return []
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]
