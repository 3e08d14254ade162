"""Which configuration holds where somebody talks to an agent by hand: what is configured, and what was asked for.

Shared by `chat` and `demo`. Their own options win over the file; chat services are left out of it, so that their
secrets need not be there.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

if TYPE_CHECKING:
    from ..config.schema import Config

__all__ = ["Mode", "chosen"]

Mode = Literal["ask", "allow", "deny"]


def chosen(
    source: str | None, *, agent: str | None = None, cwd: Path | None = None, mode: Mode | None = None
) -> tuple[Config, frozenset[str]]:
    """Return the configuration with what the command line changes in it, and the secrets that were filled in.

    Its warnings are told. Raise ConfigError.
    """
    import msgspec

    from ..config import load
    from ..config.agents import resolve

    loaded = load(source, os.environ, without=("discord",))
    for warning in loaded.warnings:
        click.echo(f"openab-sync: {warning}", err=True)
    config = loaded.config
    wanted, permissions = config.agent, config.permissions
    if agent is not None:  # another agent than the one configured: that one's program is not its
        wanted = msgspec.structs.replace(wanted, preset=agent, command="", args=())
    if cwd is not None:
        wanted = msgspec.structs.replace(wanted, working_dir=str(cwd.absolute()))
    if mode is not None:
        permissions = msgspec.structs.replace(permissions, mode=mode)
    # Who leaves does not want to wait for what still runs: it is cancelled at once.
    pool = msgspec.structs.replace(config.pool, shutdown_grace_secs=0.0)
    config = msgspec.structs.replace(config, agent=resolve(wanted), permissions=permissions, pool=pool)
    return config, loaded.secrets
