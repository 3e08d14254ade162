"""`openab-sync sessions`: list them, look at one, stop its turn, reset it. Over the API of a running service."""

from __future__ import annotations

import json
from typing import Any

import click

from .api import found, options, path_of
from .telling import told

__all__ = ["command"]


@click.group("sessions")
@options
def command(*, config: str | None, url: str | None) -> None:
    """See the sessions of a running openab-sync, and stop or reset them."""


@command.command("list")
@options
@click.option("--json", "as_json", is_flag=True, help="Print JSON: an object for each session.")
def show_all(*, config: str | None, url: str | None, as_json: bool) -> None:
    """List the sessions: conversation, state, agent, process, how many messages wait."""
    rows = found(config, url).get("/api/sessions")
    if as_json:
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    for row in rows:
        click.echo(f"{row['key']}\t{row['state']}\t{row['agent']}\t{row['pid'] or ''}\t{row['queue']}")
    if not rows:
        click.echo("No agent is running.", err=True)


@command.command("show")
@click.argument("conversation")
@options
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show_one(*, conversation: str, config: str | None, url: str | None, as_json: bool) -> None:
    """Show one session and what its last turns have said and done."""
    page = found(config, url).get(path_of(conversation))
    if as_json:
        click.echo(json.dumps(page, indent=2, ensure_ascii=False))
        return
    click.echo("\n".join(_facts(page["session"])))
    for turn in page["turns"]:
        click.echo(told(turn))
    for one in page["waiting"]:
        click.echo(f"waits: {one['by']}: {one['text']}")


@command.command("cancel")
@click.argument("conversation")
@options
def cancel(*, conversation: str, config: str | None, url: str | None) -> None:
    """Stop the running turn."""
    click.echo(found(config, url).post(path_of(conversation, "cancel"))["text"])


@command.command("reset")
@click.argument("conversation")
@options
def reset(*, conversation: str, config: str | None, url: str | None) -> None:
    """End the agent and forget its session: the next message starts a new one."""
    click.echo(found(config, url).post(path_of(conversation, "reset"))["text"])


def _facts(row: dict[str, Any]) -> list[str]:
    usage = row["usage"]
    facts = {
        "conversation": row["key"], "state": row["state"], "title": row["title"], "agent": row["agent"],
        "folder": row["cwd"], "process": row["pid"], "doing": row["tool"], "queue": row["queue"],
        "turns": usage["turns"], "context": usage["context"],
        "cost": None if usage["cost"] is None else f"{usage['cost']} {usage['currency']}",
    }  # fmt: skip
    return [f"{name:<13}{value}" for name, value in facts.items() if value not in (None, "", 0)]
