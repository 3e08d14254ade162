"""What is said before a subcommand holds for it, unless it is said otherwise behind it."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from openab_sync.cli import program as ours
from openab_sync.cli.outer import outer

WHERE = click.option("-c", "--config", envvar="TEST_CONFIG", callback=outer)


@click.group()
@WHERE
def program(*, config: str | None) -> None:
    """A group with an option that its command has, too."""


@program.command("show")
@WHERE
def show(*, config: str | None) -> None:
    """Say what was meant."""
    click.echo(config)


@pytest.mark.parametrize(
    ("arguments", "environ", "meant"),
    [
        (["show"], {}, ""),
        (["show", "-c", "behind"], {}, "behind"),
        (["-c", "before", "show"], {}, "before"),
        (["-c", "before", "show", "-c", "behind"], {}, "behind"),
        (["-c", "before", "show"], {"TEST_CONFIG": "around"}, "before"),
        (["show"], {"TEST_CONFIG": "around"}, "around"),
    ],
)
def test_the_nearest_word_counts(arguments: list[str], environ: dict[str, str], meant: str) -> None:
    assert CliRunner(env=environ).invoke(program, arguments).output == f"{meant}\n"


def test_every_group_takes_what_all_of_its_commands_take() -> None:
    groups = [found for name in ours.list_commands(NOWHERE) if isinstance(found := command(name), click.Group)]
    assert groups
    for group in groups:
        shared = set.intersection(*(options(one) for one in group.commands.values()))
        assert shared <= options(group), group.name


NOWHERE = click.Context(ours)


def command(name: str) -> click.Command | None:
    return ours.get_command(NOWHERE, name)


def options(one: click.Command) -> set[str]:
    """The options whose word may stand on either side."""
    return {flag for option in one.params if option.callback is outer for flag in option.opts}
