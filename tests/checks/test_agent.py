"""What `check` says of agents, each a real process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from openab_sync.checks import Finding, agent
from openab_sync.checks.agent import check_agent
from openab_sync.config.schema import Config
from openab_sync.errors import ConfigError
from tests.fakes import fake_agent


def found(*flags: str, **agent: Any) -> list[Finding]:
    program, *args = fake_agent(*flags)
    section = agent or {"command": program, "args": args}
    return list(check_agent(msgspec.convert({"agent": section}, Config), {"PATH": "/nowhere"}))


def test_an_agent_that_works_is_described() -> None:
    findings = found("--options")
    assert {one.level for one in findings} == {"ok"}
    text = "\n".join(one.text for one in findings)
    assert "began a session in" in text and "it can: load" in text and "model: " in text and "mode: " in text


def test_an_agent_that_forgets_is_a_warning() -> None:
    [warning] = [one for one in found("--no-load") if one.level == "warn"]
    assert "cannot take up earlier sessions" in warning.text and warning.todo


def test_an_agent_that_is_not_installed_says_how_to_install_it() -> None:
    [finding] = found(preset="opencode")
    assert finding.level == "fail" and "npm install" in finding.todo


def test_an_agent_that_wants_a_login_is_a_failure_with_its_ways() -> None:
    [finding] = found("--auth")
    assert finding.level == "fail" and "log in" in finding.text


def test_a_folder_that_is_not_there_is_a_failure(tmp_path: Path) -> None:
    program, *args = fake_agent()
    [finding] = found(command=program, args=args, working_dir=str(tmp_path / "gone"))
    assert finding.level == "fail" and "does not exist" in finding.text and "[agent]" in finding.todo


def test_an_agent_that_ends_at_once_is_a_failure_with_its_last_words() -> None:
    [finding] = found("--die-at-start")
    assert finding.level == "fail" and "fatal: no licence found" in finding.text and finding.todo


def test_an_agent_that_takes_its_time_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent, "SLOW", 0.0)
    [slow] = [one for one in found() if "began a session" in one.text]
    assert slow.level == "warn" and slow.todo


def test_an_agent_nobody_knows_is_for_the_caller_to_tell() -> None:
    with pytest.raises(ConfigError, match="no preset"):
        found(preset="no-such-agent")
