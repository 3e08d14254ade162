"""`openab-sync status`: what every session is doing, once, as a live table, or as JSON; and the way into the page."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from .api import Api, found, options

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

__all__ = ["command"]

PAUSE = 1.0  # seconds between two looks
WIDE = 140  # columns where nobody says how many there are


@click.command("status")
@options
@click.option("--watch", is_flag=True, help="Go on looking until Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON; with --watch a line for each look.")
@click.option("--link", is_flag=True, help="Print a link into the page instead: it works once, within ten minutes.")
def command(*, config: str | None, url: str | None, watch: bool, as_json: bool, link: bool) -> None:
    """Show what a running openab-sync is doing.

    Exit 0 if people can write to it, 1 if they cannot or nobody answers.
    """
    api = found(config, url)
    if link:
        click.echo(api.post("/api/link")["url"])
        return
    if not watch:
        seen = _look(api)
        _show(seen, as_json=as_json)
        sys.exit(0 if seen["ready"]["ready"] else 1)
    if as_json:
        _repeat(lambda: click.echo(json.dumps(_look(api), ensure_ascii=False)))
    else:
        _watch(api)


def _look(api: Api) -> dict[str, Any]:
    """Everything at once. Raise OpenabError."""
    return {
        "health": api.ask("GET", "/healthz", at_ease=True)[1],
        "ready": api.ask("GET", "/readyz", at_ease=True)[1],
        "sessions": api.get("/api/sessions"),
        "waiting": [row["key"] for row in api.get("/api/conversations") if row["state"] == "waiting"],
    }


def _show(seen: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(seen, indent=2, ensure_ascii=False))
        return
    console = _console()
    for line in _reasons(seen):
        console.print(line, markup=False, highlight=False)
    console.print(_table(seen))


def _console() -> Console:
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else WIDE)


def _repeat(act: Callable[[], object]) -> None:
    never = threading.Event()
    while True:
        act()
        never.wait(PAUSE)  # Ctrl-C ends it


def _watch(api: Api) -> None:
    from rich.console import Group
    from rich.live import Live
    from rich.text import Text

    with Live(console=_console(), auto_refresh=False) as live:

        def draw() -> None:
            seen = _look(api)
            live.update(Group(*map(Text, _reasons(seen)), _table(seen)), refresh=True)

        _repeat(draw)


def _reasons(seen: dict[str, Any]) -> list[str]:
    if seen["ready"]["ready"] and seen["health"]["ok"]:
        return ["✔ ready"]
    return [f"✘ {reason}" for reason in [*seen["health"]["reasons"], *seen["ready"]["reasons"]]]


def _table(seen: dict[str, Any]) -> Table:
    """The sessions, a row each, and those who wait below."""
    from rich.table import Table
    from rich.text import Text

    table = Table(*("conversation", "state", "agent", "for", "doing", "queue", "tokens", "cost", "memory"), box=None)
    for row in seen["sessions"]:
        table.add_row(*map(Text, _cells(row)), style=_STYLES.get(row["state"], ""))
    for key in seen["waiting"]:
        table.add_row(Text(key), Text("waits for a free agent"))
    if not seen["sessions"] and not seen["waiting"]:
        table.caption = "No agent is running."
    return table


_STYLES = {"busy": "bold green", "cancelling": "yellow", "closing": "dim", "closed": "dim"}


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    usage = row["usage"]
    seconds = row["turn_seconds"] if row["turn_seconds"] is not None else row["idle_seconds"]
    asks = f"{row['questions']} question{'s' if row['questions'] > 1 else ''} open" if row["questions"] else ""
    return (
        row["key"],
        row["state"],
        row["agent"],
        _span(seconds),
        (asks or row["tool"] or row["title"])[:60],
        str(row["queue"] or ""),
        "" if usage["context"] is None else f"{usage['context']:,}",
        "" if usage["cost"] is None else f"{usage['cost']:.2f} {usage['currency']}".strip(),
        "" if row["rss"] is None else f"{row['rss'] / 2**20:.0f} MiB",
    )


def _span(seconds: float) -> str:
    """Say how long in a few characters."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 3600 else f"{seconds / 3600:.1f} h"
