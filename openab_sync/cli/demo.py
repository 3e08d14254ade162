"""`openab-sync demo`: the whole thing on this machine, in a browser. Nothing has to be configured.

Everything heavy is imported when it runs.
"""

from __future__ import annotations

import os
import sys
import webbrowser
from collections.abc import Callable
from pathlib import Path

import click

from .choosing import Mode, chosen

__all__ = ["command"]

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
DEMO = "demo"

# What the demo agent obeys, to be tried with a click: the name of a button, and what it says.
CHIPS = (
    ("Watch it write", "slow 5"),
    ("Let it edit a file", "edit"),
    ("Be asked", "ask"),
    ("See a plan", "plan"),
    ("A table and code", "table and code"),
    ("Let it crash", "crash"),
    ("What else?", "help"),
)


@click.command("demo")
@click.option("-c", "--config", metavar="PATH|URL", help="Configuration; without it the usual places are looked at.")
@click.option("--agent", metavar="NAME", help="An agent listed by `openab-sync agents`, instead of the demo agent.")
@click.option("--cwd", type=FOLDER, help="Where the agent works; without it, as configured or here.")
@click.option("--mode", type=click.Choice(["ask", "allow", "deny"]), help="Who decides when the agent asks to act.")
@click.option("--listen", metavar="HOST:PORT", help="Where the page is; without it, any free port of this machine.")
@click.option("--no-browser", is_flag=True, help="Only print the link, open no browser.")
def command(
    config: str | None, agent: str | None, cwd: Path | None, mode: Mode | None, listen: str | None, no_browser: bool
) -> None:
    """Talk to an agent on a page in your browser, in as many conversations at once as you like.

    Needs no token, no account and no network: without --agent it is the built-in demo agent. Nothing is kept. Runs
    until Ctrl-C.
    """
    import msgspec

    from ..config.schema import StatusConfig
    from ..errors import ConfigError

    configured, secrets = chosen(config, agent=agent or DEMO, cwd=cwd, mode=mode)
    try:
        status = StatusConfig(listen=listen or "127.0.0.1:0")
    except ValueError as error:
        raise ConfigError(str(error), key="--listen") from error
    configured = msgspec.structs.replace(configured, status=status)
    from ..service import demo

    chips = CHIPS if configured.agent.preset == DEMO else ()
    sys.exit(demo(configured, os.environ, secrets=secrets, chips=chips, greet=_greeter(is_asked=not no_browser)))


def _greeter(*, is_asked: bool) -> Callable[[str, Callable[[], str]], None]:
    """What tells people where the page is, and opens it where there is a browser to be seen."""

    def greet(agent: str, link: Callable[[], str]) -> None:
        click.echo(f"You talk to {agent}. Open this link; it works once, within ten minutes:\n\n    {link()}\n")
        click.echo("Ctrl-C ends it.")
        sys.stdout.flush()
        if is_asked and _has_screen():
            webbrowser.open(link())  # another one: the printed link is for another browser

    return greet


def _has_screen() -> bool:
    """Whether a browser would open in a window of its own, and somebody sits in front of it."""
    shown = sys.platform == "darwin" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    return shown and sys.stdout.isatty()
