from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from openab_sync.cli.agents import command
from openab_sync.config.agents import presets


@pytest.fixture(autouse=True)
def bin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH with one agent on it."""
    file = tmp_path / "opencode"
    file.write_text("#!/bin/sh\n")
    file.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def ask(*arguments: str) -> Result:
    return CliRunner().invoke(command, list(arguments))


def test_all_agents_are_listed_and_those_that_are_there_marked(bin: Path) -> None:
    lines = {line[2:].split()[0]: line for line in ask().stdout.splitlines()[:-2]}
    assert list(lines) == list(presets())
    assert lines["opencode"].startswith("✔ ")
    assert lines["opencode"].endswith(str(bin / "opencode"))
    assert lines["demo"].startswith("✔ ")
    assert lines["gemini"].startswith("  gemini")
    assert "npm install" in lines["gemini"]


@pytest.mark.parametrize("name", presets())
def test_one_agent_is_shown_in_full(name: str) -> None:
    page = ask(name).stdout
    preset = presets()[name]
    assert page.startswith(f"{name}: {preset.title}\n")
    assert all(text in page for text in (preset.install, preset.login, *preset.quirks, *preset.key_env))
    assert "  asks     " in page


def test_programs_get_objects(bin: Path) -> None:
    objects = {item["name"]: item for item in json.loads(ask("--json").stdout)}
    assert list(objects) == list(presets())
    assert (objects["opencode"]["found"], objects["gemini"]["found"]) == (str(bin / "opencode"), None)
    assert objects["gemini"]["command"] == ["gemini", "--acp"]
    assert "{" not in objects["demo"]["command"][0]
    assert [item["name"] for item in json.loads(ask("gemini", "--json").stdout)] == ["gemini"]


def test_an_unknown_name_is_told_the_nearest() -> None:
    result = ask("gemni")
    assert str(result.exception) == 'agent.preset: there is no preset "gemni" (did you mean gemini?)'
