"""`openab-sync run` as far as it goes without a chat service; tests/platforms/discord/e2e goes further."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.running import run

TOKEN = "not.a.real.token"


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ("", "add [discord] with bot_token"),
        (f'[discord]\nbot_token = "{TOKEN}"\n', "allow_all_users = true"),
        ("[discord]\nallow_all_users = true\n", "bot_token"),
        ('[discord]\nbot_token = "${NOWHERE}"\nallow_all_users = true\n', "NOWHERE"),
    ],
)
def test_what_cannot_be_served_is_a_sentence_and_exit_code_2(tmp_path: Path, config: str, said: str) -> None:
    file = tmp_path / "config.toml"
    file.write_text(config)
    ended = run(tmp_path, "run", "-c", str(file))
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err and TOKEN not in ended.err
    assert len(ended.err.splitlines()) == 1


def test_without_a_configuration_it_says_what_to_add(tmp_path: Path) -> None:
    ended = run(tmp_path, "run", "-c", str(tmp_path / "nowhere.toml"))
    assert (ended.code, "there is no such file" in ended.err) == (2, True)


def test_oddities_of_the_configuration_are_told(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(f'[discord]\nbot_token = "{TOKEN}"\nallow_all_channels = false\n')
    ended = run(tmp_path, "run", "-c", str(file))
    assert ended.code == 2
    assert "the bot listens nowhere" in ended.err.splitlines()[0]
