"""`openab-sync check`: is everything ready? Each line says how something is and, where it is not well, what to do."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ..checks import Finding

__all__ = ["command", "show"]

MARKS = {"ok": ("ok  ", "green"), "warn": ("warn", "yellow"), "fail": ("FAIL", "red")}


@click.command("check")
@click.option("-c", "--config", metavar="PATH|URL", help="Configuration; without it the usual places are looked at.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: an object for each finding, one a line.")
def command(*, config: str | None, as_json: bool) -> None:
    """Look at everything that `run` needs, and say what to do about what is not well.

    The configuration and who may read it, the store, the status server's port, descriptors; the agent is started and
    shaken hands with; Discord is visited: token, intents, servers, permissions, clock. Nothing is changed. Exit 0 if
    it can be run, 1 if something has to be mended, 2 for a configuration that cannot be read.
    """
    from ..checks.all import check_all
    from ..config import load

    loaded = load(config, os.environ)
    failed = False
    for finding in check_all(loaded, os.environ):
        failed = failed or finding.level == "fail"
        click.echo(json.dumps(dataclasses.asdict(finding), ensure_ascii=False) if as_json else show(finding))
    sys.exit(1 if failed else 0)


def show(finding: Finding) -> str:
    """Return a finding as a line or two for a terminal."""
    from ..text.clean import plain

    mark, colour = MARKS[finding.level]
    todo = f"\n{'':20}→ {plain(finding.todo)}" if finding.todo else ""
    return f"{click.style(mark, fg=colour)}  {finding.what:<12}  {plain(finding.text)}{todo}"
