"""The table of faults is complete: each fault of each seam has, for each moment, a test that exists or a reason."""

from __future__ import annotations

import ast
import importlib.util
import warnings
from collections import Counter
from pathlib import Path

from tests.faults.matrix import MOMENTS, cells, named
from tests.test_tables import cases_of

TESTS = Path(__file__).parents[1]
SEAMS = {
    "agent": {
        "crash",
        "garbage",
        "silence",
        "flood",
        "deaf stdin",
        "slow stdin",
        "huge line",
        "late text",
        "wrong ids",
        "duplicate ids",
        "never-ending load",
    },
    "REST": {"4xx", "429", "5xx", "latency", "reset", "lost reply"},
    "gateway": {"drop", "deaf", "invalid session", "replay"},
    "disk": {"full", "read-only", "slow fsync", "corrupt"},
    "clock": {"step"},
    "memory": {"limit"},
    "signals": {
        "SIGTERM",
        "SIGINT",
        "SIGHUP",
        "SIGUSR1",
        "SIGPIPE",
        "SIGKILL",
        "SIGKILL of the agent",
        "SIGSTOP of the agent",
    },
}


def test_no_seam_and_no_fault_is_missing() -> None:
    found = {seam: {cell.fault for cell in cells() if cell.seam == seam} for seam in {cell.seam for cell in cells()}}
    assert found == SEAMS


def test_every_cell_is_filled_once() -> None:
    wanted = [(seam, fault, moment) for seam, faults in SEAMS.items() for fault in faults for moment in MOMENTS]
    assert Counter((cell.seam, cell.fault, cell.moment) for cell in cells()) == Counter(wanted)


def test_every_cell_has_tests_or_a_reason() -> None:
    assert [str(cell) for cell in cells() if not cell.tests and len(cell.reason.split()) < 5] == []


JUDGED = {"faults/test_moments.py", "platforms/discord/test_moments.py", "platforms/discord/e2e/test_signals.py"}
# Cells whose tests do not hand an account to `invariants.check`, and why.
JUDGED_OTHERWISE = {
    "agent: never-ending load, cancelling": "nothing has begun: the message is taken back, which is all there is",
    "signals: SIGTERM, delivering": "the reply is looked at word by word, and after the next start by the crash table",
    "signals: SIGTERM, closing": "what the first signal waits for is what is looked at; it ends within its time",
    "signals: SIGHUP, idle": "no conversation takes part: the configuration is what is looked at",
    "signals: SIGHUP, closing": "it ends then as by SIGTERM; that it is noticed is what is looked at",
    "signals: SIGKILL, starting": "the crash table has an account of its own: crash/stage.py",
    "signals: SIGKILL, idle": "the agents that outlive it are looked at, and that they end",
    "signals: SIGKILL, busy": "the crash table has an account of its own: crash/stage.py",
    "signals: SIGKILL, cancelling": "the crash table has an account of its own: crash/stage.py",
    "signals: SIGKILL, question": "the crash table has an account of its own: crash/stage.py",
    "signals: SIGKILL, delivering": "the crash table has an account of its own: crash/stage.py",
    "signals: SIGKILL, closing": "the crash table has an account of its own: crash/stage.py",
}


def test_every_cell_is_judged_by_the_common_invariants_or_it_is_said_by_what_else() -> None:
    with_tests = [cell for cell in cells() if cell.tests]
    others = {str(cell) for cell in with_tests if not {test.partition("::")[0] for test in cell.tests} & JUDGED}
    assert others == {*JUDGED_OTHERWISE}
    assert len(with_tests) - len(others) > 150


def test_the_tests_that_count_as_judged_hand_in_an_account() -> None:
    """Each of them, or what it calls, ends in `check`."""
    for file in JUDGED:
        tree = ast.parse((TESTS / file).read_text(encoding="utf-8"))
        assert "tests.faults.invariants" in {node.module for node in tree.body if isinstance(node, ast.ImportFrom)}
        tests = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]
        assert [test.name for test in tests if not calls_check(test)] == []


def calls_check(test: ast.FunctionDef) -> bool:
    calls = [node.func for node in ast.walk(test) if isinstance(node, ast.Call)]
    return any("check" in {getattr(call, "id", ""), getattr(call, "attr", "")} for call in calls)


def test_every_test_that_a_cell_names_exists() -> None:
    assert sorted(name for name in named() if name.partition("::")[2] not in cases_of(name.partition("::")[0])) == []


def test_every_case_that_a_cell_names_exists() -> None:
    cases = [(str(cell), test) for cell in cells() for test in cell.tests if "[" in test]
    assert len(cases) > 60
    assert [(cell, test) for cell, test in cases if not is_case(test)] == []


def is_case(test: str) -> bool:
    file, _, rest = test.partition("::")
    if file.startswith("platforms/discord/") and importlib.util.find_spec("discord") is None:
        return True  # looked at where the library is
    name, _, case = rest.removesuffix("]").partition("[")
    with warnings.catch_warnings(action="ignore"):  # the Discord library's own, on some Pythons
        module = importlib.import_module(f"tests.{file.removesuffix('.py').replace('/', '.')}")
    return any(
        case in map(str, mark.args[1]) for mark in getattr(module, name).pytestmark if mark.name == "parametrize"
    )
