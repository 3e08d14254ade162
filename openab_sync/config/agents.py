"""The agents we know by name, and what an `[agent]` section comes to.

What is known about each agent (command, how to install it and log in, when it asks, its quirks) is data:
`openab_sync/agents/presets.toml`. Nothing is started, installed or asked here. Reads package data once; any thread.
"""

from __future__ import annotations

import difflib
import functools
import importlib.resources
import os
import re
import shutil
import sys
import tomllib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

import msgspec

from ..errors import ConfigError
from .schema import AgentConfig

__all__ = ["DEMO", "Preset", "identity", "installed", "preset_of_program", "presets", "resolve", "unknown_preset"]

# The built-in agent: always there, needs no network.
DEMO = "demo"

# Stands for the interpreter that runs us.
_PYTHON = "{python}"

# Programs that say nothing about which agent they run.
_RUNS_OTHERS = re.compile(
    r"python[\d.]*|node|npx|pnpm|yarn|bunx?|deno|uvx?|pipx|java|docker|podman|env|sudo|(?:ba|z|da)?sh"
)


class Preset(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is known about one agent."""

    name: str
    """The name to write: `preset = "NAME"`."""
    title: str
    """Its name for people."""
    command: str
    """Its program, looked for on PATH."""
    args: tuple[str, ...] = ()
    """Arguments that make it speak ACP on its pipes."""
    env: dict[str, str] = {}
    """Variables that it is given, unless `[agent] env` says otherwise."""
    install: str = ""
    """A shell command that installs it; empty for what is built in."""
    login: str = ""
    """A command, run in a terminal, that gets it its account; empty where there is none."""
    key_env: tuple[str, ...] = ()
    """Variables in which it looks for a key; name them in `inherit_env` or set them in `env`."""
    asks: Literal["default", "mode", "never", "unknown"] = "unknown"
    """Whether it asks before it acts: as it starts, only in `ask_mode`, never, or nobody has checked."""
    ask_mode: str | None = None
    """The id of the mode in which it asks before it acts, where it has such a mode."""
    quirks: tuple[str, ...] = ()
    """What one should know, a sentence each."""
    homepage: str = ""
    """Where its people write about it."""


@functools.cache
def presets() -> Mapping[str, Preset]:
    """Return all presets by name, the built-in demo agent first. Any thread; reads a file the first time."""
    text = importlib.resources.files("openab_sync.agents").joinpath("presets.toml").read_text("utf-8")
    tables = tomllib.loads(text)
    return MappingProxyType({name: msgspec.convert({"name": name, **table}, Preset) for name, table in tables.items()})


def resolve(agent: AgentConfig) -> AgentConfig:
    """Return `agent` ready to be started: preset, command, args, env and an absolute working folder filled in.

    What the section says wins over the preset; a command without args has none. With neither preset nor command it is
    the demo agent. Pure but for the first reading of the presets; resolving twice changes nothing. Raise ConfigError
    for an unknown preset.
    """
    folder = os.path.abspath(os.path.expanduser(agent.working_dir))
    name = agent.preset or (None if agent.command else DEMO)
    if name is None:
        return msgspec.structs.replace(agent, working_dir=folder)
    preset = _preset(name)
    return msgspec.structs.replace(
        agent,
        preset=name,
        command=agent.command or _program(preset),
        args=agent.args if agent.command else agent.args or preset.args,
        working_dir=folder,
        env={**preset.env, **agent.env},
    )


def identity(agent: AgentConfig) -> str:
    """Return what tells one agent from another, for `agent` as `resolve` returns it: what one remembers is its own.

    The preset's name, else the program's, with the first argument that is no option where the program only runs others.
    """
    if agent.preset:
        return agent.preset
    program = os.path.basename(agent.command)
    if not _RUNS_OTHERS.fullmatch(program):
        return program
    what = next((argument for argument in agent.args if not argument.startswith("-")), "")
    return f"{program} {what}".strip()


def installed(preset: Preset, path: str) -> str | None:
    """Return the file that `preset` would run, looked for in the folders of `path` (a PATH), or None."""
    return shutil.which(_program(preset), path=path)


def preset_of_program(command: str) -> Preset | None:
    """Return the preset whose program `command` is, by its name alone; None if it is nobody's."""
    name = os.path.basename(command)
    return next((preset for preset in presets().values() if name and preset.command == name), None)


def unknown_preset(name: str) -> ConfigError:
    """Return (not raise) the error that says that there is no preset `name`, and which one may be meant."""
    close = difflib.get_close_matches(name.lower(), presets(), n=1)
    hint = f"did you mean {close[0]}?" if close else f"there are: {', '.join(presets())}"
    return ConfigError(f'there is no preset "{name}"', key="agent.preset", hint=hint)


def _preset(name: str) -> Preset:
    try:
        return presets()[name]
    except KeyError:
        raise unknown_preset(name) from None


def _program(preset: Preset) -> str:
    return sys.executable if preset.command == _PYTHON else preset.command
