"""`openab-sync tail`: watch a conversation as it grows."""

from __future__ import annotations

from urllib.parse import quote

import click

from .api import Api, Refused, found, options
from .telling import Teller

__all__ = ["command"]


@click.command("tail")
@click.argument("conversation")
@options
@click.option("--once", is_flag=True, help="Leave when the turn that runs, or the last one, is over.")
def command(*, conversation: str, config: str | None, url: str | None, once: bool) -> None:
    """Print what is said and done in CONVERSATION, from its last turn on, as it happens; Ctrl-C ends it.

    With --once: exit 0 if the turn ended well, 1 if not, or if no session is there, or it ends.
    """
    api = found(config, url)
    outcome = _follow(api, conversation, once=once)
    raise SystemExit(0 if outcome == "done" else 1)


def _follow(api: Api, conversation: str, *, once: bool) -> str:
    """Tell what comes; return how the last turn that was seen ended."""
    teller, first, outcome = Teller(), 0, ""
    for name, data in api.events(f"/api/events?conversation={quote(conversation, safe='')}"):
        if name == "house" and conversation not in {row["key"] for row in data["sessions"]}:
            if once and conversation not in {row["key"] for row in data["waiting"]}:
                raise Refused(f"{conversation} has no session, and nothing waits for one there.")
            click.echo(f"{conversation} has no session yet: waiting for one.", err=True)
        if name == "gone" and data["key"] == conversation:
            click.echo("The session has ended.", err=True)
            if once:
                break
            teller, first = Teller(), 0  # the next one counts its turns anew
        if name != "turns":
            continue
        first = first or data["turns"][-1]["number"]
        for turn in data["turns"]:
            if turn["number"] >= first:
                click.echo(teller.tell(turn), nl=False)
                outcome = turn["outcome"]
        if once and outcome:
            break
    return outcome
