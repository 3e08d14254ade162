"""Which values that a document takes from the environment must never be logged or shown.

Looked for in the document as it was written: what has become a `Config` no longer tells where its strings come from.
Judges by names and places only; hiding is the business of `text.redact`, which ignores what is shorter than 8
characters. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ..text.redact import looks_secret
from .lines import Path

__all__ = ["REFERENCE", "secrets", "strings"]

REFERENCE = re.compile(r"\$\$\{|\$\{([^}]*)\}")
"""`${NAME}`, with its name; `$${` is a literal `${`."""

# What the agent and its tool servers are started, reached and logged in with.
_HANDED_ON = frozenset({"args", "env", "headers", "url"})
# Known to everybody on the machine: hiding them would make holes in innocent text.
_HARMLESS = frozenset({"HOME", "HOSTNAME", "LANG", "LOGNAME", "PATH", "PWD", "SHELL", "TERM", "TMPDIR", "USER"})


def secrets(data: Mapping[str, object], environ: Mapping[str, str]) -> frozenset[str]:
    """Return the values of the variables in `data` (a TOML document) that are secret.

    A variable is if its name says so (TOKEN, KEY …), wherever it stands. In what is handed to the agent or to a tool
    server (args, env, headers, url) every variable is, but for paths and those that are no secret on any machine.
    """
    found = ((path, name) for path, text in strings(data, ()) for name in REFERENCE.findall(text))
    return frozenset(environ[name] for path, name in found if name in environ and _is_secret(name, environ[name], path))


def _is_secret(name: str, value: str, path: Path) -> bool:
    if looks_secret(name):
        return True
    is_handed_on = path[:1] == ("agent",) and not _HANDED_ON.isdisjoint(path)
    return is_handed_on and name not in _HARMLESS and not value.startswith(("/", "~", "."))


def strings(value: object, path: Path) -> Iterator[tuple[Path, str]]:
    """Yield every string in a piece of a document, with its place."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from strings(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from strings(item, (*path, index))
