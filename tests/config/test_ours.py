"""No agent is given what openab-sync itself logs in with: by no name, in no value, on no way."""

from __future__ import annotations

from pathlib import Path

import pytest

from openab_sync.config import load
from openab_sync.config.document import parse
from openab_sync.config.ours import Ours, of_document, refusal
from openab_sync.errors import ConfigError

TOKEN = "bot-token-of-ours"
DISCORD = '[discord]\nbot_token = "${MY_BOT}"\nallow_all_users = true\n'
ENVIRON = {"MY_BOT": TOKEN, "COPY": TOKEN, "BURIED": f"x={TOKEN};", "DISCORD_BOT_TOKEN": "another", "KEY": "agents-own"}


def problem(folder: Path, text: str, without: tuple[str, ...] = ()) -> ConfigError:
    file = folder / "config.toml"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load(file, ENVIRON, without=without)
    assert TOKEN not in str(caught.value)
    return caught.value


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("MY_BOT", "own"),  # the configuration says that it is ours
        ("DISCORD_BOT_TOKEN", "own"),  # everybody's name for it
        ("COPY", "holds a secret"),  # another name, the same value
        ("BURIED", "holds a secret"),
    ],
)
def test_a_variable_of_ours_cannot_be_inherited_under_any_name(tmp_path: Path, name: str, word: str) -> None:
    error = problem(tmp_path, f'{DISCORD}[agent]\ninherit_env = ["KEY", "{name}"]\n')
    assert error.key == "agent.inherit_env[1]" and error.line == 5
    assert name in error.message and word in error.message


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('[agent]\nenv = { A = "${COPY}" }', "agent.env.A"),
        (f'[agent]\nenv = {{ A = "{TOKEN}" }}', "agent.env.A"),
        ('[agent]\ncommand = "x"\nargs = ["--token=${MY_BOT}"]', "agent.args[0]"),
        ('[[agent.mcp_servers]]\nname = "m"\ncommand = "m"\nargs = ["${MY_BOT}"]', "agent.mcp_servers[0].args[0]"),
        ('[[agent.mcp_servers]]\nname = "m"\ncommand = "m"\nenv = { A = "${MY_BOT}" }', "agent.mcp_servers[0].env.A"),
        (
            '[[agent.mcp_servers]]\nname = "m"\ntype = "http"\nurl = "https://a.org/"\nheaders.A = "Bot ${MY_BOT}"',
            "agent.mcp_servers[0].headers.A",
        ),
        (
            '[[agent.mcp_servers]]\nname = "m"\ntype = "http"\nurl = "https://a.org/?t=${MY_BOT}"',
            "agent.mcp_servers[0].url",
        ),
    ],
)
def test_no_other_way_leads_a_token_of_ours_to_the_agent(tmp_path: Path, text: str, key: str) -> None:
    assert problem(tmp_path, f"{DISCORD}{text}\n").key == key


def test_what_is_ours_stays_so_where_its_section_is_not_used(tmp_path: Path) -> None:
    """`openab-sync chat` does not look into [discord]."""
    error = problem(tmp_path, f'{DISCORD}[agent]\ninherit_env = ["COPY"]\n', without=("discord",))
    assert error.key == "agent.inherit_env[0]"


def test_the_password_of_a_proxy_is_ours_too() -> None:
    text = '[discord]\nbot_token = "literally-this"\nproxy = "http://me:p%40ssword@proxy:1"\n'
    ours = of_document(parse("test", text.encode()).data, {})
    assert ours.is_in("literally-this") and ours.is_in("p@ssword") and ours.is_in("x p%40ssword x")
    assert "ssword" not in repr(ours)


def test_a_key_that_the_agent_shares_with_a_speech_service_is_not_ours(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('[stt]\napi_key = "${KEY}"\n[agent]\ninherit_env = ["KEY"]\n')
    assert load(file, ENVIRON).config.agent.inherit_env == ("KEY",)


def test_a_short_secret_is_found_as_a_whole_and_not_in_words() -> None:
    ours = Ours(values=frozenset({"abc"}))
    assert ours.is_in("abc") and ours.is_in(" abc\n") and not ours.is_in("abcdef")


def test_the_finished_environment_is_looked_at_once_more() -> None:
    """Whatever way it took: LC_* is passed on without being named."""
    ours = Ours(values=frozenset({TOKEN}))
    error = refusal({"LANG": "C", "LC_X": f"{TOKEN}.UTF-8"}, ours)
    assert error is not None and error.key == "agent.env" and "LC_X" in error.message and TOKEN not in str(error)
    assert refusal({"LANG": "C"}, ours) is None
