"""The table of pairs is complete: each has both orders, whose tests exist and really stop somebody at a point."""

from __future__ import annotations

import ast
import functools
import tomllib
from pathlib import Path

from tests.test_tables import cases_of

HERE = Path(__file__).parent
TESTS = HERE.parent
WANTED = {  # what was thought of first; more pairs are welcome
    "offer × evict",
    "offer × crash",
    "offer × close",
    "cancel × answer",
    "cancel × question",
    "reset × starting",
    "evict × answer",
    "timeout × late answer",
    "close × reply in flight",
    "resume × second message",
    "forget × answer",
    "arrears × new turn",
    "mending × new message",
    "reload × placing",
    "shutdown × accept",
    "edit × start",
    "delete × start",
}
POINTS = {"stopped", "awake", "hold", "fail", "Barrier", "wait"}  # what holds a thread, an operation, a request
OTHERWISE = {  # those in which nobody stands at a point, and why it is a race all the same
    "test_a_box_takes_nothing_more_once_a_reset_is_in_it": "a mailbox alone: what comes first is first",
    "test_the_janitor_costs_a_living_house_nothing": "the janitor goes round all the time",
    "test_what_is_written_while_it_leaves_is_answered_by_the_next_one_and_once": "the program, at a gate",
}


@functools.cache
def pairs() -> dict[str, dict[str, str | list[str]]]:
    return tomllib.loads((HERE / "races.toml").read_text(encoding="utf-8"))


def named() -> list[str]:
    return sorted(
        {test for pair in pairs().values() for proof in pair.values() if isinstance(proof, list) for test in proof}
    )


def test_no_pair_is_missing_and_each_has_both_orders() -> None:
    assert WANTED - pairs().keys() == set()
    assert {name: sorted(pair) for name, pair in pairs().items()} == {name: ["first", "second"] for name in pairs()}
    poor = [(name, proof) for name, pair in pairs().items() for proof in pair.values() if len(proof) == 0]
    poor += [
        (name, proof)
        for name, pair in pairs().items()
        for proof in pair.values()
        if isinstance(proof, str) and len(proof.split()) < 8
    ]
    assert poor == []


def test_every_test_that_is_named_exists_and_stops_somebody_at_a_point() -> None:
    assert [name for name in named() if name.partition("::")[2] not in cases_of(name.partition("::")[0])] == []
    assert [name for name in named() if name.partition("::")[2] not in OTHERWISE and not calls(name) & POINTS] == []


def test_one_test_for_both_orders_has_a_case_for_each_or_both_in_it() -> None:
    both = {pair["first"][0] for pair in pairs().values() if pair["first"] == pair["second"]}
    assert [name for name in sorted(both) if not (has_cases(name) or points_in(name) > 1)] == []


def test_every_race_is_in_the_table() -> None:
    """Or it is of three things, or of a bug of ours: then its file says what it is about."""
    files = [f"core/{path.name}" for path in sorted(HERE.glob("test_races_pairs.py"))]
    assert [f"{file}::{case}" for file in files for case in cases_of(file) if f"{file}::{case}" not in named()] == []


@functools.cache
def tree_of(name: str) -> ast.FunctionDef:
    file, _, case = name.partition("::")
    tree = ast.parse((TESTS / file).read_text(encoding="utf-8"))
    return next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == case)


def calls(name: str) -> set[str]:
    found = [node.func for node in ast.walk(tree_of(name)) if isinstance(node, ast.Call)]
    return {getattr(call, "id", "") or getattr(call, "attr", "") for call in found}


def points_in(name: str) -> int:
    found = [node.func for node in ast.walk(tree_of(name)) if isinstance(node, ast.Call)]
    return sum(getattr(call, "id", "") in POINTS for call in found)


def has_cases(name: str) -> bool:
    return any("parametrize" in ast.unparse(mark) for mark in tree_of(name).decorator_list)
