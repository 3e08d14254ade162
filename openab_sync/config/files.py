"""Secrets in files: `"file:/run/secrets/key"` in `[agent] env`, or in a tool server's env or headers, is what is in it.

So that a key stands neither in the configuration nor in our own environment. Only what is written there as a reference
is one: a variable's value that happens to begin with `file:` is a value. Blocks as a disk does; any thread.
"""

from __future__ import annotations

import os
import stat

import msgspec

from .document import Document
from .lines import Path
from .schema import AgentConfig, Config, McpServer

__all__ = ["filled"]

_PREFIX = "file:"
_MOST = 64 * 1024  # bytes: a key, not a book
_TOO_OPEN = stat.S_IWGRP | stat.S_IROTH | stat.S_IWOTH


class Filled(msgspec.Struct, frozen=True, kw_only=True):
    """A configuration with its files read, what was in them, and a sentence for each that others can read."""

    config: Config
    secrets: frozenset[str]
    warnings: tuple[str, ...]

    def __repr__(self) -> str:
        return f"<Filled secrets={len(self.secrets)}>"


def filled(config: Config, document: Document) -> Filled:
    """Return `config` with what its files hold, a line end at their end left out.

    Raise ConfigError naming key and line for a file that cannot be read, is empty, or is no text.
    """
    reader = _Reader(document)
    agent = config.agent
    servers = tuple(
        msgspec.structs.replace(
            server,
            env=reader.table(server.env, ("agent", "mcp_servers", index, "env")),
            headers=reader.table(server.headers, ("agent", "mcp_servers", index, "headers")),
        )
        for index, server in enumerate(agent.mcp_servers)
    )
    env = reader.table(agent.env, ("agent", "env"))
    if reader.secrets:
        config = msgspec.structs.replace(config, agent=_with(agent, env, servers))
    return Filled(config=config, secrets=frozenset(reader.secrets), warnings=tuple(reader.warnings))


def _with(agent: AgentConfig, env: dict[str, str], servers: tuple[McpServer, ...]) -> AgentConfig:
    return msgspec.structs.replace(agent, env=env, mcp_servers=servers)


class _Reader:
    def __init__(self, document: Document) -> None:
        self._document = document
        self.secrets: set[str] = set()
        self.warnings: list[str] = []

    def table(self, values: dict[str, str], path: Path) -> dict[str, str]:
        return {name: self._value(value, (*path, name)) for name, value in values.items()}

    def _value(self, value: str, path: Path) -> str:
        if not _written(self._document, path).startswith(_PREFIX):
            return value
        secret = self._read(value.removeprefix(_PREFIX), path)
        self.secrets.add(secret)
        return secret

    def _read(self, name: str, path: Path) -> str:
        place = os.path.expanduser(name)
        try:
            # Not waited for: a pipe has no end that we could know of.
            descriptor = os.open(place, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not the name of a file"
            raise self._document.error(path, f"{place} cannot be read: {reason}") from error
        try:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                raise self._document.error(path, f"{place} is not a file")
            with open(descriptor, "rb", closefd=False) as file:
                raw = file.read(_MOST + 1)
        finally:
            os.close(descriptor)
        if found.st_mode & _TOO_OPEN:
            mode = stat.S_IMODE(found.st_mode)
            self.warnings.append(f"{place} may be read or changed by others (mode {mode:o}): chmod 600 it")
        return self._text(raw, place, path)

    def _text(self, raw: bytes, place: str, path: Path) -> str:
        if len(raw) > _MOST:
            raise self._document.error(path, f"{place} is larger than {_MOST // 1024} KiB: not a secret")
        try:
            text = raw.decode()
        except UnicodeDecodeError as error:
            raise self._document.error(path, f"{place} is not UTF-8 text") from error
        text = text.removesuffix("\n").removesuffix("\r")
        if not text:
            raise self._document.error(path, f"{place} is empty")
        if "\0" in text:
            raise self._document.error(path, f"{place} holds a null character")
        return text


def _written(document: Document, path: Path) -> str:
    """Return what the document says at `path`, "" if that is no text."""
    found: object = document.data
    for part in path:
        if isinstance(found, dict) and isinstance(part, str):
            found = found.get(part)
        elif isinstance(found, list) and isinstance(part, int):
            found = found[part]
        else:
            return ""
    return found if isinstance(found, str) else ""
