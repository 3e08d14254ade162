"""`openab-sync agents`: the agents that are known by name, and whether they are installed here. Starts nothing."""

from __future__ import annotations

import json
import os
import shlex
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ..config.agents import Preset

__all__ = ["command"]


@click.command("agents")
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON: an object for each agent.")
def command(*, name: str | None, as_json: bool) -> None:
    """List the agents that are known by name, or show all that is known about NAME.

    Those found on PATH are marked. Use one with `openab-sync chat --agent NAME`.
    """
    from ..config.agents import installed, presets, unknown_preset

    if name is not None and name not in presets():
        raise unknown_preset(name)
    path = os.environ.get("PATH", os.defpath)
    chosen = [preset for preset in presets().values() if name in {None, preset.name}]
    found = [(preset, installed(preset, path)) for preset in chosen]
    if as_json:
        click.echo(json.dumps([_object(preset, file) for preset, file in found], indent=2, ensure_ascii=False))
    elif name is not None:
        click.echo("\n".join(_page(preset, file) for preset, file in found))
    else:
        click.echo("\n".join(_line(preset, file) for preset, file in found))
        click.echo("\n✔ found on PATH. More about one: openab-sync agents NAME")


def _line(preset: Preset, file: str | None) -> str:
    mark = "✔" if file else " "
    return f"{mark} {preset.name:<11} {preset.title:<22} {file or preset.install}"


def _page(preset: Preset, file: str | None) -> str:
    rows = [
        ("runs", shlex.join([file or preset.command, *preset.args])),
        ("found", file or "no"),
        ("install", preset.install),
        ("log in", preset.login),
        ("keys", ", ".join(preset.key_env)),
        ("asks", _asking(preset)),
        ("home", preset.homepage),
    ]
    lines = [f"{preset.name}: {preset.title}", *(f"  {name:<8} {value}" for name, value in rows if value)]
    return "\n".join([*lines, *(f"  - {quirk}" for quirk in preset.quirks)])


def _asking(preset: Preset) -> str:
    """Whether it asks before it acts, as a sentence."""
    match preset.asks:
        case "default":
            return "before it acts, as it starts"
        case "mode":
            return f"before it acts in mode {preset.ask_mode}, into which it is put where people are to be asked"
        case "never":
            return "never before it acts"
        case "unknown":
            return "not known"


def _object(preset: Preset, file: str | None) -> dict[str, object]:
    return {
        "name": preset.name,
        "title": preset.title,
        "command": [file if file and preset.command.startswith("{") else preset.command, *preset.args],
        "found": file,
        "install": preset.install,
        "login": preset.login,
        "key_env": list(preset.key_env),
        "asks": preset.asks,
        "ask_mode": preset.ask_mode,
        "quirks": list(preset.quirks),
        "homepage": preset.homepage,
    }
