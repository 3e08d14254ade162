"""`openab-sync check`, as a program."""

from __future__ import annotations

import json
from pathlib import Path

from openab_sync.checks import Finding
from openab_sync.cli.check import show
from tests.cli.running import run


def test_it_looks_at_everything_and_fails_for_what_has_to_be_mended(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('[status]\nlisten = "127.0.0.1:0"\n')
    ended = run(tmp_path, "check", "-c", str(file))
    assert (ended.code, ended.err) == (1, "")
    lines = ended.out.splitlines()
    assert any(line.startswith("ok    agent") and "began a session" in line for line in lines)
    assert lines[-2].startswith("FAIL  discord") and lines[-1].strip().startswith("→")


def test_a_program_gets_objects(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('[status]\nlisten = ""\n')
    ended = run(tmp_path, "check", "--json", "-c", str(file))
    found = [json.loads(line) for line in ended.out.splitlines()]
    assert {tuple(item) for item in found} == {("level", "what", "text", "todo")}
    assert found[-1]["level"] == "fail"


def test_a_configuration_that_cannot_be_read_is_a_sentence(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text("[agent\n")
    ended = run(tmp_path, "check", "-c", str(file))
    assert (ended.code, ended.out, len(ended.err.splitlines())) == (2, "", 1)


def test_what_was_found_cannot_obey_the_terminal() -> None:
    line = show(Finding("warn", "agent", "colours \x1b[31m here", "do\x07 it"))
    assert "\x1b[31m" not in line.replace("\x1b[33m", "") and "\x07" not in line
