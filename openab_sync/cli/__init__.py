"""The command line: one file a command, loaded when it is called; errors become a sentence and an exit code.

0: fine · 1: it failed at run time · 2: usage or configuration · 130: Ctrl-C. Answers go to stdout, reasons to stderr.
Nothing heavy is imported here: `--help` must be there at once.
"""

from __future__ import annotations

import errno
import importlib
import os
import sys
import traceback
from typing import Any

import click

from .. import __version__
from ..errors import OpenabError

__all__ = ["main", "program"]

# Name: (module here, what `--help` says). The help is kept here so that it costs no import.
COMMANDS = {
    "demo": ("demo", "Talk to an agent on a page in your browser."),
    "run": ("run", "Serve a chat service: people there talk to agents here."),
    "store": ("store", "Look after what a service keeps on the disk: check, vacuum, export."),
    "reload": ("reload", "Have a running service read its configuration again."),
    "setup": ("setup", "Set up a bot on Discord, step by step."),
    "login": ("login", "Log the agent in, with its own login."),
    "check": ("check", "Look whether everything is ready to run."),
    "chat": ("chat", "Talk to an agent in this terminal, or once with -p."),
    "agents": ("agents", "List the agents that are known by name."),
    "status": ("status", "Show what a running service is doing, as a live table with --watch."),
    "sessions": ("sessions", "See the sessions of a running service, stop or reset them."),
    "send": ("send", "Say something in a conversation of a running service."),
    "tail": ("tail", "Watch a conversation of a running service as it grows."),
    "audit": ("audit", "Show who asked for what, and who decided."),
}


UNWRITABLE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF}
"""What a full disk, or a stdout that is none, is called."""


class _Program(click.Group):
    """A group whose commands are imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(f".{COMMANDS[cmd_name][0]}", __name__).command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; one that is misspelt is answered with the nearest right name."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            import difflib  # only for those who misspell

            if near := difflib.get_close_matches(args[0], COMMANDS, n=1):
                raise click.UsageError(f"{error.message} Did you mean {near[0]}?", ctx) from None
            raise

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; what we can say in a sentence is said, with a traceback only if it was asked for."""
        try:
            return super().invoke(ctx)
        except OpenabError as error:
            if ctx.params.get("debug"):
                traceback.print_exc()
            click.echo(f"openab-sync: {error}", err=True)
            ctx.exit(error.exit_code)
        except KeyboardInterrupt:
            ctx.exit(130)


@click.group(cls=_Program, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "-V", "--version", prog_name="openab-sync")
@click.option("--debug", is_flag=True, help="Log everything to stderr, and show where an error comes from.")
def program(*, debug: bool) -> None:
    """A bridge between chat services and coding agents that speak the Agent Client Protocol."""
    from .logs import set_up

    set_up(debug=debug)


def main() -> None:
    """Run the command line of this process and exit.

    A pipe that nobody reads any more ends it quietly, with 1; output that cannot be written ends it with 1 and why.
    """
    try:
        program.main(prog_name="openab-sync")
    except OSError as error:
        if error.errno not in UNWRITABLE:
            raise
        _drop_output()
        click.echo(f"openab-sync: cannot write: {os.strerror(error.errno)}", err=True)
        sys.exit(1)


def _drop_output() -> None:
    """Send what is still buffered for stdout nowhere: else it fails once more as the interpreter ends."""
    if sys.stdout is not None:
        with open(os.devnull, "wb") as sink:
            os.dup2(sink.fileno(), sys.stdout.fileno())
