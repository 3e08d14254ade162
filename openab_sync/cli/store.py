"""`openab-sync store`: looks after the folder in which a service keeps its state."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from .outer import outer

__all__ = ["command"]

CONFIG = click.option(
    "-c",
    "--config",
    metavar="PATH|URL",
    callback=outer,
    help="Configuration that names the store; else the usual places.",
)


def _folder(config: str | None) -> Path:
    """Return the folder that a configuration means. Nothing but `[store]` of it is looked into."""
    from ..config import Config, load
    from ..store import store_folder

    others = [name for name in Config.__struct_fields__ if name != "store"]
    return store_folder(load(config, os.environ, without=others).config.store, os.environ)


@click.group("store", context_settings={"help_option_names": ["-h", "--help"]})
@CONFIG
def command(*, config: str | None) -> None:
    """Look after what `openab-sync run` keeps on the disk."""


@command.command("check")
@CONFIG
def check(config: str | None) -> None:
    """Say whether the store is whole, how large it is, who uses it, and who may look into it.

    It only reads, and may be called while a service runs. Exit 0 if all is well, 1 if something is not.
    """
    from ..store.upkeep import check as findings

    folder, well = _folder(config), True
    click.echo(folder)
    for finding in findings(folder):
        well = well and finding.is_well
        click.echo(f"{'✓' if finding.is_well else '✗'} {finding.text}")
    sys.exit(0 if well else 1)


@command.command("vacuum")
@CONFIG
def vacuum(config: str | None) -> None:
    """Give back the room of what was deleted. No service may use the store meanwhile."""
    from ..store.upkeep import vacuum as rebuild

    before, after = rebuild(_folder(config))
    click.echo(f"{before / 1024:.0f} KiB before, {after / 1024:.0f} KiB now.")


@command.command("backup")
@CONFIG
@click.argument("target", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path))
def backup(config: str | None, *, target: Path) -> None:
    """Copy the journal, as it is now, to a new FILE that only you may read.

    It only reads, and may be called while a service runs. Everything is in it: keep it as private as the store.
    """
    from ..store.upkeep import backup as copied

    size = copied(_folder(config), target.absolute())
    click.echo(f"{target}: {size / 1024:.0f} KiB.")


@command.command("export")
@CONFIG
@click.option("--session-ids", is_flag=True, help="With the ids by which an agent's sessions can be gone on with.")
def export(config: str | None, *, session_ids: bool) -> None:
    """Write everything that is kept to stdout: an object of JSON a line, a line a row.

    It only reads, and may be called while a service runs. Texts of people and agents are in it.
    """
    from ..store.upkeep import export as lines

    for line in lines(_folder(config), credentials=session_ids):
        click.echo(line)
