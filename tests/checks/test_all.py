"""All checks, one after the other."""

from __future__ import annotations

from pathlib import Path

from openab_sync.checks.all import check_all
from openab_sync.config import load


def test_everything_is_looked_at_and_one_failure_hides_no_other(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(
        f'[agent]\ncommand = "no-such-agent"\n[store]\npath = "{tmp_path / "state"}"\n[status]\nlisten = ""\n'
    )
    findings = list(check_all(load(file, {}), {"PATH": "/nowhere"}))
    assert [one.what for one in findings] == ["config", "store", "status", "descriptors", "agent", "discord"]
    assert [one.level for one in findings][-2:] == ["fail", "fail"]
    assert "setup" in findings[-1].todo
    assert not (tmp_path / "state").exists()
