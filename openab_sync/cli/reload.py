"""`openab-sync reload`: has the service that uses a store read its configuration again, and tells what came of it."""

from __future__ import annotations

import os
import sys

import click

__all__ = ["command"]

PATIENCE = 20.0  # seconds; a configuration from a URL may take ten


@click.command("reload")
@click.option("-c", "--config", metavar="PATH|URL", help="Configuration, for its [store]; else the usual places.")
def command(config: str | None) -> None:
    """Have a running `openab-sync run` read its configuration again.

    Who may talk to it and where, limits, reactions, time-outs and log levels apply at once; what else has changed is
    named and waits for a restart. A configuration that cannot be used changes nothing. The service is found by its
    store. Exit 0 if it was read, 1 if not, 2 if there is no configuration here that tells where the store is.
    """
    from ..config import Config, load
    from ..errors import StoreError
    from ..store import ask, holder, store_folder

    # The service judges the other sections, and only it may have the variables that they name.
    others = [name for name in Config.__struct_fields__ if name != "store"]
    folder = store_folder(load(config, os.environ, without=others).config.store, os.environ)
    pid = holder(folder)
    if pid is None:
        raise StoreError("no openab-sync runs with this store", file=str(folder))
    is_well, text = ask(folder, pid, PATIENCE)
    click.echo(text, err=not is_well)
    sys.exit(0 if is_well else 1)
