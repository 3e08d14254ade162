from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from openab_sync import cli
from openab_sync.cli import main, program
from openab_sync.errors import AgentGone, ConfigError


@click.command("broken")
@click.argument("how")
def broken(*, how: str) -> None:
    """Fails as it is told to."""
    errors: dict[str, BaseException] = {
        "config": ConfigError("is odd", file="a.toml", line=3, key="agent.command"),
        "agent": AgentGone("the agent ended"),
        "interrupt": KeyboardInterrupt(),
        "pipe": BrokenPipeError(32, "Broken pipe"),
        "bug": ZeroDivisionError("ours"),
    }
    raise errors[how]


@pytest.fixture(autouse=True)
def with_a_broken_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "get_command", lambda _ctx, name: broken if name == "broken" else None)
    monkeypatch.setattr("openab_sync.cli.logs.set_up", lambda *, debug: None)


@pytest.mark.parametrize(
    ("how", "code", "text"),
    [
        ("config", 2, "openab-sync: a.toml:3: agent.command: is odd\n"),
        ("agent", 1, "openab-sync: the agent ended\n"),
        ("interrupt", 130, ""),
        ("pipe", 1, ""),
    ],
)
def test_an_error_is_a_sentence_and_an_exit_code(how: str, code: int, text: str) -> None:
    result = CliRunner().invoke(program, ["broken", how])
    assert (result.exit_code, result.stdout, result.stderr) == (code, "", text)


def test_with_debug_an_error_shows_where_it_comes_from() -> None:
    result = CliRunner().invoke(program, ["--debug", "broken", "agent"])
    assert "Traceback" in result.stderr
    assert result.stderr.endswith("openab-sync: the agent ended\n")


def test_a_bug_is_not_hidden() -> None:
    assert isinstance(CliRunner().invoke(program, ["broken", "bug"]).exception, ZeroDivisionError)


def test_an_unknown_command_is_a_usage_error() -> None:
    result = CliRunner().invoke(program, ["nothing"])
    assert (result.exit_code, "No such command 'nothing'.\n" in result.stderr) == (2, True)


def test_a_misspelt_command_is_told_its_right_name() -> None:
    result = CliRunner().invoke(program, ["statsu"])
    assert (result.exit_code, "No such command 'statsu'. Did you mean status?\n" in result.stderr) == (2, True)


def test_main_ends_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["openab-sync", "broken", "agent"])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 1


def test_help_knows_every_command_without_importing_it() -> None:
    result = CliRunner().invoke(program, ["--help"])
    assert all(f"  {name} " in result.stdout and text in result.stdout for name, (_, text) in cli.COMMANDS.items())


def test_every_command_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    context = click.Context(program)
    commands = [program.get_command(context, name) for name in cli.COMMANDS]
    assert [command.name for command in commands if command is not None] == [*cli.COMMANDS]
    assert program.list_commands(context) == [*cli.COMMANDS]
    assert program.get_command(context, "nothing") is None
