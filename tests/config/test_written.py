"""What `setup` writes: a file that loads as what was chosen, whatever the names are, and a unit."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openab_sync.config import load
from openab_sync.config.written import Choice, unit, written

USER_UNIT = Path(__file__).parents[2] / "conf" / "systemd" / "openab-sync-user.service"
TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


def test_it_loads_as_what_was_chosen(tmp_path: Path) -> None:
    channels = (("7", "general"), ("8", "a\nb # c"))
    choice = Choice("a.literal.token", ("42",), channels, "demo", "/srv/my project", store="/var/state")
    file = tmp_path / "config.toml"
    file.write_text(written(choice), encoding="utf-8")
    loaded = load(file, {})
    assert loaded.config.discord is not None
    assert loaded.config.discord.bot_token == "a.literal.token"
    assert loaded.config.discord.allowed_users == ("42",)
    assert loaded.config.discord.allowed_channels == ("7", "8")
    assert (loaded.config.agent.preset, loaded.config.agent.working_dir) == ("demo", "/srv/my project")
    assert loaded.config.store.path == "/var/state"
    assert loaded.warnings == ()
    assert "literal" not in repr(choice)


def test_without_channels_it_listens_everywhere_and_a_token_may_be_a_variable(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(written(Choice("${DISCORD_BOT_TOKEN}", ("42",), api_url="http://127.0.0.1:1")), encoding="utf-8")
    discord = load(file, {"DISCORD_BOT_TOKEN": "from.the.environment"}).config.discord
    assert discord is not None
    assert (discord.bot_token, discord.admits_all_channels) == ("from.the.environment", True)


@given(TEXT, TEXT, TEXT)
def test_no_name_and_no_path_breaks_the_file(token: str, name: str, folder: str) -> None:
    data = tomllib.loads(written(Choice(token, ("1",), (("7", name),), folder=folder)))
    assert data["discord"]["allowed_channels"] == ["7"]
    assert data["agent"]["working_dir"].replace("$${", "${") == folder.replace("$${", "${")


def test_the_unit_is_the_one_that_is_documented() -> None:
    def lines(text: str) -> list[str]:
        kept = [line for line in text.splitlines() if line and not line.startswith("#")]
        return [line for line in kept if not line.startswith("ExecStart")]

    assert lines(unit(["/opt/openab-sync", "run"])) == lines(USER_UNIT.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("part", "written_as"),
    [("/a/b", "/a/b"), ("/a b", '"/a b"'), ("50%", '"50%%"'), ("$HOME", '"$$HOME"'), ('a"\\', '"a\\"\\\\"')],
)
def test_an_argument_stays_what_it_is(part: str, written_as: str) -> None:
    assert f"ExecStart=/p {written_as}\n" in unit(["/p", part])
