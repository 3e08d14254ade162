"""`openab-sync audit`: who asked for what, what was let in or refused, and who decided. Only reads.

A line for an entry, or with --json an object; the oldest first.
"""

from __future__ import annotations

import os
import re
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ..store.audit import Entry

__all__ = ["command"]

UNITS = {"m": 60.0, "h": 3600.0, "d": 86400.0, "w": 7 * 86400.0}
KINDS = ("message", "refused", "permission", "command", "limit", "configuration", "service", "retention")


def _moment(_ctx: click.Context, _param: click.Parameter, text: str) -> float:
    """Read a moment: `30m`, `12h`, `7d` ago, or a date, perhaps with a time of the day (this machine's time zone)."""
    if not text:
        return 0.0
    if match := re.fullmatch(r"(\d{1,6})([mhdw])", text):
        return time.time() - int(match[1]) * UNITS[match[2]]
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError, OSError) as error:
        said = f"{text!r} is neither an age (30m, 12h, 7d, 2w) nor a date (2026-01-31, 2026-01-31T12:00)"
        raise click.BadParameter(said) from error


@click.command("audit")
@click.option("-c", "--config", metavar="PATH|URL", help="Configuration that names the store; else the usual places.")
@click.option(
    "--since", callback=_moment, default="", metavar="WHEN", help="Only from then on: 30m, 12h, 7d, 2w, or 2026-01-31."
)
@click.option("--person", default="", metavar="WHO", help="Only what this person (an id or a name) did.")
@click.option("--conversation", default="", metavar="ID", help="Only of this conversation (discord:ID, or the ID).")
@click.option("--kind", type=click.Choice(KINDS), default=None, help="Only entries of this kind.")
@click.option("-n", "--last", type=click.IntRange(1), default=None, help="Only the last so many of them.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: an object a line.")
def command(
    *,
    config: str | None,
    since: float,
    person: str,
    conversation: str,
    kind: str | None,
    last: int | None,
    as_json: bool,
) -> None:
    """Show who asked for what, what was let in or refused, and who decided.

    It only reads, and may be called while a broker runs.
    """
    from ..config import load
    from ..store import Wanted, read_audit, store_folder

    # The rest of the configuration may need variables that only the service has.
    folder = store_folder(load(config, os.environ, without=("agent", "discord")).config.store, os.environ)
    for entry in read_audit(folder, Wanted(since, person, conversation, kind or "", last or 0)):
        click.echo(entry.line() if as_json else _line(entry))


def _line(entry: Entry) -> str:
    """When, what, who, where, and the rest as `name=value`."""
    from ..text.clean import one_line

    when = datetime.fromtimestamp(entry.at, UTC).astimezone().isoformat(" ", "seconds")
    who = f"{entry.name or '?'} ({entry.person})" if entry.person else "-"
    words = [f"{name}={_word(value)}" for name, value in entry.details.items() if value not in ("", [], None)]
    return one_line(f"{when} {entry.kind} {who} {entry.conversation or '-'} {' '.join(words)}", 2000)


def _word(value: object) -> str:
    """A detail in one word or in quotes; of options their names."""
    import json

    if isinstance(value, list):
        names = [str(item.get("name", item)) if isinstance(item, dict) else str(item) for item in value]
        return json.dumps(" | ".join(names), ensure_ascii=False)
    text = str(value)
    return text if re.fullmatch(r"[\w.:/@-]+", text) else json.dumps(text, ensure_ascii=False)
