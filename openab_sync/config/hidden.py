"""Which values nobody may see: what we log in with, and what agents and their tool servers are given to log in with.

Pure: what a configuration and an environment hold. Hiding them is the business of `text.redact`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from urllib.parse import unquote, urlsplit

from ..text.redact import looks_secret
from .agents import resolve
from .schema import AgentConfig, Config

__all__ = ["own_secrets", "secrets_of"]

_PLAIN = re.compile(r"[a-z]+://[^@\s?]*|[a-z0-9][a-z0-9.:/_-]*|[A-Z_]+|[0-9.,:]+")
# What a variable with a secret name may say without being one (`AUTH=required`).
_WORDS = frozenset({"disabled", "required", "optional", "password"})


def secrets_of(config: Config, environ: Mapping[str, str], more: Collection[str] = ()) -> list[str]:
    """Return the values that nobody may see: `more`, and what the configuration logs in with.

    Raise ConfigError for an agent that is not known.
    """
    known = [environ[name] for name in environ if looks_secret(name) and _is_worth_hiding(environ[name])]
    return [*more, *known, *_secrets(resolve(config.agent), environ), *own_secrets(config)]


def own_secrets(config: Config) -> list[str]:
    """Return what we log in with ourselves: no agent gets it."""
    discord = config.discord
    if discord is None:
        return [config.status.token]
    return [config.status.token, discord.bot_token, *_password(discord.proxy), *_password(discord.api_url)]


def _is_worth_hiding(value: str) -> bool:
    """Whether a variable with a secret name holds a secret: not where something is (a path, a socket), nor a number."""
    return not value.startswith(("/", "~", "./")) and not value.isdecimal() and value.lower() not in _WORDS


def _is_plain(value: str) -> bool:
    """Whether a value that stands in the configuration itself, under a name that tells nothing, is no secret.

    Settings are such: a model, a mode, an address, a folder. What is hidden is missing in every answer that speaks of
    it, so a key needs a name that says so, or to come from a variable or a file.
    """
    return not _is_worth_hiding(value) or _PLAIN.fullmatch(value) is not None


def _password(url: str) -> list[str]:
    """The password in an address, as it is written there and as it is sent."""
    password = urlsplit(url).password
    return [password, unquote(password)] if password else []


def _secrets(agent: AgentConfig, environ: Mapping[str, str]) -> list[str]:
    """Values that must not reach a log: what the agent and its tool servers are given to log in with.

    Headers and queries are secret in their parts, too: the token after `Bearer`, the value after `key=`.
    """
    values = [value for name, value in agent.env.items() if looks_secret(name) or not _is_plain(value)]
    values += [environ[name] for name in agent.inherit_env if name in environ and _is_worth_hiding(environ[name])]
    for server in agent.mcp_servers:
        query = server.url.partition("?")[2]
        values += [*server.env.values(), query, *(pair.partition("=")[2] for pair in query.split("&"))]
        values += [part for value in server.headers.values() for part in (value, *value.split())]
    return values
