"""Options of a group: `sessions -c FILE list` means what `sessions list -c FILE` means."""

from __future__ import annotations

from typing import Any

import click
from click.core import ParameterSource

__all__ = ["outer"]


def outer(ctx: click.Context, option: click.Parameter, value: Any) -> Any:
    """Return an option's value, or what was said before the subcommand if nothing was said behind it.

    The callback of an option that both a group and its subcommands have.
    """
    name = option.name or ""
    if ctx.parent is None or ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE:
        return value
    return ctx.parent.params.get(name) or value
