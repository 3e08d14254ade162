from __future__ import annotations

from pathlib import Path

import pytest

from openab_sync.cli.choosing import chosen
from openab_sync.errors import ConfigError


def test_what_is_asked_for_wins_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('[agent]\ncommand = "mine"\nargs = ["x"]\n[permissions]\nmode = "deny"\n')
    config, _ = chosen(str(file))
    assert (config.agent.command, config.permissions.mode, config.pool.shutdown_grace_secs) == ("mine", "deny", 0.0)
    config, _ = chosen(str(file), agent="demo", cwd=tmp_path, mode="allow")
    assert (config.agent.preset, config.agent.args) == ("demo", ("-m", "openab_sync.agents.demo"))
    assert (config.agent.working_dir, config.permissions.mode) == (str(tmp_path), "allow")


def test_chat_services_and_their_secrets_are_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "config.toml"
    file.write_text('[discord]\nbot_token = "${NOWHERE_TO_BE_FOUND}"\n[pool]\nhung_grace_secs = 1\n')
    config, secrets = chosen(str(file))
    assert (config.discord, secrets) == (None, frozenset())
    assert capsys.readouterr().err.startswith("openab-sync: pool.hung_grace_secs")


def test_an_agent_that_is_not_known_is_a_sentence() -> None:
    with pytest.raises(ConfigError, match="nobody"):
        chosen(None, agent="nobody-knows-it")
