"""The table of faults is complete: each fault of each seam has, for each moment, a test that exists or a reason."""

from __future__ import annotations

import importlib.util
import warnings
from collections import Counter

from tests.faults.matrix import MOMENTS, cells, named
from tests.test_tables import cases_of

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
