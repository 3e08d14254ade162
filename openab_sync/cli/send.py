"""`openab-sync send`: say something in a conversation, from a script or a CI job."""

from __future__ import annotations

import sys

import click

from .api import found, options, path_of

__all__ = ["command"]


@click.command("send")
@click.argument("conversation")
@click.argument("text")
@options
@click.option("--by", default="", metavar="NAME", help="In whose name; people see it.")
def command(*, conversation: str, text: str, config: str | None, url: str | None, by: str) -> None:
    """Say TEXT in CONVERSATION ("-": what is piped in): people there see it, and the agent answers.

    CONVERSATION is a name as `openab-sync sessions list` shows it, such as discord:1234. Exit 0 if it was accepted, 1
    if not. `openab-sync tail CONVERSATION --once` waits for the answer.
    """
    said = sys.stdin.read() if text == "-" else text
    if not said.strip():
        raise click.UsageError("The text is empty.")
    body = {"text": said, "by": by}
    sent = found(config, url).post(path_of(conversation, "message"), body)
    click.echo(sent["text"] or {"accepted": "Accepted."}.get(sent["state"], sent["state"].capitalize() + "."))
