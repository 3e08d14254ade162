"""What of a document must never be shown: told by the names of variables, and by the places where they stand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from openab_sync.config import load
from openab_sync.config.document import parse
from openab_sync.config.secrets import secrets

ENVIRON = {"MY_TOKEN": "value-token", "WORD": "value-word", "FOLDER": "/srv/folder", "USER": "administrator"}


def found(text: str) -> set[str]:
    return set(secrets(parse("test", text.encode()).data, ENVIRON))


@pytest.mark.parametrize(
    "text",
    [
        '[agent]\nargs = ["--key", "${WORD}"]',
        '[agent]\nargs = ["--key=${WORD}"]',
        '[agent]\nenv = {KEY = "${WORD}"}',
        '[[agent.mcp_servers]]\nargs = ["${WORD}"]',
        '[[agent.mcp_servers]]\nenv = {A = "${WORD}"}',
        '[[agent.mcp_servers]]\nurl = "https://example.org/${WORD}/sse"',
        '[[agent.mcp_servers]]\nheaders.Authorization = "Bearer ${WORD}"',
    ],
)
def test_what_is_handed_to_an_agent_is_secret(text: str) -> None:
    assert found(text) == {"value-word"}


@pytest.mark.parametrize(
    "text",
    [
        '[agent]\nargs = ["--root", "${FOLDER}", "--as", "${USER}"]',
        '[agent]\nworking_dir = "${WORD}"',
        '[agent]\nargs = ["$${WORD}", "${NOT_SET}", "WORD"]',
        '[pool]\ndefault_config_options = {model = "${WORD}"}',
        "[pool]\nmax_sessions = 3",
    ],
)
def test_paths_and_words_and_what_stays_here_are_not(text: str) -> None:
    assert found(text) == set()


def test_a_variable_that_is_called_secret_is_one_wherever_it_stands() -> None:
    assert found('[cron]\nany = [{thing = "${MY_TOKEN}${WORD}"}]') == {"value-token"}


def load_text(folder: Path, text: str, **environ: str) -> Any:
    file = folder / "config.toml"
    file.write_text(text)
    return load(file, environ)


def test_a_loaded_configuration_knows_its_secrets_and_does_not_show_them(tmp_path: Path) -> None:
    loaded = load_text(tmp_path, '[agent]\ncommand = "x"\nargs = ["${WORD}"]', **ENVIRON)
    assert loaded.secrets == {"value-word"}
    assert "value-word" not in repr(loaded) + str(loaded.config)
    assert repr(loaded).endswith("config.toml warnings=0 secrets=1>")


# Names that are not set.


@pytest.mark.parametrize(
    ("asked", "meant"),
    [("OPENAI_API_KEI", "OPENAI_API_KEY"), ("OPENAI_APIKEY", "OPENAI_API_KEY"), ("openai_api_key", "OPENAI_API_KEY")],
)
def test_a_misspelt_variable_is_told_once_with_the_one_that_is_meant(tmp_path: Path, asked: str, meant: str) -> None:
    text = f'[agent]\ninherit_env = ["{asked}", "{asked}"]'
    [warning] = load_text(tmp_path, text, OPENAI_API_KEY="x", PATH="/bin").warnings
    assert warning == f"agent.inherit_env: {asked} is not set; did you mean {meant}?"


@pytest.mark.parametrize("names", ['"GEMINI_API_KEY"', '"NOT_SET"', '"OPENAI_API_KEY", "OPENAI_API_KEY_2"'])
def test_a_variable_that_is_just_not_there_is_left_out_in_silence(tmp_path: Path, names: str) -> None:
    """FIELD C7: nobody has them all."""
    assert load_text(tmp_path, f"[agent]\ninherit_env = [{names}]", OPENAI_API_KEY="x").warnings == ()
