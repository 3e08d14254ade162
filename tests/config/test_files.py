"""Secrets in files: read when the configuration is, known to whoever hides secrets, and nothing else is a reference."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from openab_sync.config import Loaded, load
from openab_sync.errors import ConfigError


@pytest.fixture
def key(tmp_path: Path) -> Path:
    file = tmp_path / "key"
    file.write_text("secret-of-the-file\n")
    file.chmod(0o600)
    return file


def loaded(folder: Path, text: str, **environ: str) -> Loaded:
    file = folder / "config.toml"
    file.write_text(text)
    return load(file, environ)


def problem(folder: Path, place: object) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        loaded(folder, f'[agent]\nenv = {{ KEY = "file:{place}" }}\n')
    assert caught.value.key == "agent.env.KEY" and caught.value.line == 2
    return caught.value


def test_a_variable_is_what_its_file_holds_without_the_line_end(tmp_path: Path, key: Path) -> None:
    found = loaded(tmp_path, f'[agent]\nenv = {{ KEY = "file:{key}" }}\n')
    assert found.config.agent.env == {"KEY": "secret-of-the-file"}
    assert found.secrets == {"secret-of-the-file"} and found.warnings == ()
    assert "secret-of" not in repr(found) + repr(found.config)


def test_the_name_of_a_file_may_come_from_a_variable_and_from_home(
    tmp_path: Path, key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """systemd puts its credentials into $CREDENTIALS_DIRECTORY."""
    monkeypatch.setenv("HOME", str(tmp_path))
    text = '[agent]\nenv = { A = "file:${CREDENTIALS_DIRECTORY}/key", B = "file:~/key" }\n'
    env = loaded(tmp_path, text, CREDENTIALS_DIRECTORY=str(tmp_path)).config.agent.env
    assert env == {"A": "secret-of-the-file", "B": "secret-of-the-file"}


def test_tool_servers_have_files_too(tmp_path: Path, key: Path) -> None:
    text = (
        f'[[agent.mcp_servers]]\nname = "a"\ncommand = "a"\nenv = {{ K = "file:{key}" }}\n'
        f'[[agent.mcp_servers]]\nname = "b"\ntype = "http"\nurl = "https://b.org"\nheaders = {{ K = "file:{key}" }}\n'
    )
    one, two = loaded(tmp_path, text).config.agent.mcp_servers
    assert one.env["K"] == two.headers["K"] == "secret-of-the-file"


def test_a_value_that_happens_to_begin_so_is_a_value(tmp_path: Path) -> None:
    found = loaded(tmp_path, '[agent]\nenv = { A = "${PLACE}" }\nargs = ["file:/x"]\ncommand = "c"\n', PLACE="file:/x")
    assert found.config.agent.env == {"A": "file:/x"} and found.config.agent.args == ("file:/x",)


@pytest.mark.parametrize("mode", [0o604, 0o622, 0o644])
def test_a_file_that_others_may_read_is_warned_of(tmp_path: Path, key: Path, mode: int) -> None:
    key.chmod(mode)
    (warning,) = loaded(tmp_path, f'[agent]\nenv = {{ KEY = "file:{key}" }}\n').warnings
    assert str(key) in warning and f"{mode:o}" in warning and "secret" not in warning


def test_a_file_that_cannot_be_a_secret_is_an_error(tmp_path: Path, key: Path) -> None:
    assert "No such file" in problem(tmp_path, tmp_path / "nowhere").message
    assert "is not a file" in problem(tmp_path, tmp_path).message
    key.write_bytes(b"\n")
    assert "is empty" in problem(tmp_path, key).message
    key.write_bytes(b"\xff\xfe")
    assert "UTF-8" in problem(tmp_path, key).message
    key.write_bytes(b"a\0b")
    assert "null" in problem(tmp_path, key).message
    key.write_bytes(b"x" * 70_000)
    assert "64 KiB" in problem(tmp_path, key).message


def test_nobody_waits_for_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert "is not a file" in problem(tmp_path, tmp_path / "pipe").message


def test_a_token_of_ours_in_a_file_is_refused_like_any_other(tmp_path: Path, key: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, f'[discord]\nbot_token = "secret-of-the-file"\n[agent]\nenv = {{ KEY = "file:{key}" }}\n')
    assert caught.value.key == "agent.env.KEY"
