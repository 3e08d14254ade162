"""What a tool call names: the commands, the files, and whatever else in its input is not understood.

An agent says what it is about to do in many places: locations, changes, the raw input. A rule that allows has to hold
for all of them, so all of them are collected, and what may be a path counts as one. Nothing is looked up on the disk
here: `Places` does that, for one working folder.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from ..acp import events as acp
from .tool import Tool

__all__ = ["Evidence", "Places", "evidence_of"]

_COMMANDS = frozenset({"command", "cmd", "script", "commands"})
_PATHS = ("path", "file", "dir", "folder", "source", "destination", "cwd")  # in the name of a member
_SHELLS = frozenset({"sh", "bash", "dash", "zsh", "ksh", "fish"})
_LONGEST = 4096  # characters of a path
_DEEPEST = 8  # levels of a raw input that are looked into


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one call names.

    `paths` holds `locations` and every other file that it may mean, as written. `is_clear` is false if the call
    speaks of more than files: commands, changes, addresses, or an input too deep to look into.
    """

    kind: str
    title: str
    locations: tuple[str, ...]
    paths: tuple[str, ...]
    commands: tuple[str, ...]
    is_clear: bool


@dataclass(frozen=True, slots=True)
class Places:
    """The working folder, and what paths come to in it. Looks at the disk: for the session's thread only."""

    folder: str

    def named(self, path: str) -> str:
        """Return a path as absolute, `.` and `..` worked out by its words alone."""
        text = os.path.expanduser(path.removeprefix("file://"))
        return os.path.normpath(os.path.join(self.folder, text))

    def real(self, path: str) -> str:
        """Return where a path leads in the end, be there anything or not."""
        return os.path.realpath(os.path.join(self.folder, os.path.expanduser(path.removeprefix("file://"))))

    def holds(self, path: str) -> bool:
        """Whether a path is absolute, written as it really is, there, and inside the working folder."""
        root = os.path.realpath(self.folder)
        if not os.path.isabs(path) or not os.path.isabs(self.folder) or root == "/" or "\0" in path:
            return False
        text = path.removesuffix("/")
        home = self.folder.rstrip("/")
        if text == home or text.startswith(home + "/"):  # the folder itself was configured: it may be a symlink
            text = root + text[len(home) :]
        try:
            there = os.path.realpath(text, strict=True)
        except (OSError, ValueError):
            return False
        return there == text and (text == root or text.startswith(root + "/"))


def evidence_of(tool: Tool) -> Evidence:
    """Return what a call names. Pure."""
    changes = [part.path for part in tool.content if isinstance(part, acp.Diff)]
    paths = dict.fromkeys((*tool.locations, *changes))
    commands: dict[str, None] = {}
    is_clear = not changes
    for name, value, depth in _members(tool.raw_input):
        if depth >= _DEEPEST:
            is_clear = False
        elif name.lower() in _COMMANDS:
            commands[_command(value)] = None
        elif isinstance(value, str):
            is_clear = is_clear and "://" not in value.removeprefix("file://")
            if _may_be_path(name, value):
                paths[value] = None
    return Evidence(
        tool.kind.strip().lower() or "other",
        tool.title,
        tool.locations,
        tuple(paths),
        tuple(command for command in commands if command),
        is_clear and not commands,
    )


def _members(value: object, name: str = "", depth: int = 0) -> Iterator[tuple[str, object, int]]:
    """Every member of a raw input with its name; a command is one, whatever it is made of."""
    if depth >= _DEEPEST or name.lower() in _COMMANDS:
        yield name, value, depth
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _members(item, str(key), depth + 1)
    elif isinstance(value, list):
        for item in value:
            yield from _members(item, name, depth + 1)
    else:
        yield name, value, depth


def _command(value: object) -> str:
    """Return a command as people would type it; what a shell is started for is the command."""
    if isinstance(value, str):
        return value.strip()
    words = [word for word in value if isinstance(word, str)] if isinstance(value, list) else []
    if not words or not isinstance(value, list) or len(words) < len(value):
        return str(value)
    shell, *rest = words
    if len(rest) == 2 and PurePosixPath(shell).name in _SHELLS and rest[0] in {"-c", "-lc"}:
        return rest[1].strip()
    return shlex.join(words)


def _may_be_path(name: str, value: str) -> bool:
    if not value or len(value) > _LONGEST or "\n" in value:
        return False
    if value.startswith(("/", "~", "file://")) or ".." in value.split("/"):
        return True
    return any(word in name.lower() for word in _PATHS)
