"""The same tests over and over: each round has its number, and one that fails is shown and fails the whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.again import main

pytestmark = pytest.mark.slow

PROBE = """
import os, pytest

@pytest.mark.stress
def test_it():
    assert (os.environ["OPENAB_STRESS"], os.environ["OPENAB_ROUND"]) == ("1", "{}")
"""


def test_a_round_that_fails_is_shown_and_the_others_go_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    probe = tmp_path / "test_probe.py"
    probe.write_text(PROBE.format(2))
    assert main(["--times", "2", str(probe)]) == 1
    shown = capsys.readouterr().out
    assert "round 1 of 2 failed" in shown
    assert "FAILED" in shown
    assert "round 2 of 2 passed" in shown
    assert shown.endswith("1 of 2 rounds passed\n")


def test_rounds_that_pass_are_a_line_each(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    probe = tmp_path / "test_probe.py"
    probe.write_text(PROBE.format(1))
    assert main(["--times", "1", str(probe)]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[0].startswith("round 1 of 1 passed in ")
    assert shown[1:] == ["1 of 1 rounds passed"]
