"""`openab-sync run`: serves the chat services that are configured, until it is told to stop.

Everything heavy is imported when it runs: `--help` and a configuration that cannot be used are there at once.
"""

from __future__ import annotations

import os
import sys

import click

from .logs import log_options, serve, with_options

__all__ = ["command"]


@click.command("run")
@click.option("-c", "--config", metavar="PATH|URL", help="Configuration; without it the usual places are looked at.")
@click.option("--shard", metavar="N/COUNT", help="Serve this shard of so many, instead of what [discord] says.")
@log_options
def command(
    config: str | None, shard: str | None, log_format: str | None, log_file: str | None, log_levels: tuple[str, ...]
) -> None:
    """Put the agent on Discord, as `[discord]` in the configuration says.

    Runs until SIGINT or SIGTERM. Running turns get their grace; a second signal ends them at once. SIGHUP, and
    `openab-sync reload`, have the configuration read again; SIGUSR1 logs what every thread and session is doing. Exit 0
    if all ended well, 1 if not, 2 if the configuration cannot be used, as Discord may say, too: a wrong token, a
    missing intent. Where there is a status server it goes on showing that until the signal.
    """
    from msgspec import structs

    from ..config import Config, load
    from ..config.discord import sharded
    from ..config.hidden import secrets_of
    from ..text.redact import Redactor

    def asked_for(config: Config) -> Config:
        found = sharded(config, shard) if shard is not None else config
        return structs.replace(found, log=with_options(found.log, log_format, log_file, log_levels))

    loaded = load(config, os.environ)
    served = asked_for(loaded.config)
    for warning in loaded.warnings:
        click.echo(f"openab-sync: {warning}", err=True)
    from ..service import run

    def read() -> Config:
        return asked_for(load(config, os.environ).config)

    serve(Redactor(secrets_of(served, os.environ, loaded.secrets)), served.log)
    login = [sys.executable, "-m", "openab_sync", "login", "--json", *(["-c", config] if config else [])]
    sys.exit(run(served, os.environ, secrets=loaded.secrets, tell=_tell, read=read, login=login))


def _tell(sentence: str) -> None:
    click.echo(f"openab-sync: {sentence}", err=True)
