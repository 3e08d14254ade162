"""What is ours alone: tokens that we log in with, and that no agent is ever given (FIELD C5).

An agent can be handed variables, arguments and tool servers' settings. None of them may be, or hold, a secret of ours:
it is refused by name (a variable that our own sections take secrets from, or that everybody keeps such a token in)
and by value. Pure; looks at the document as it was written: a `Config` no longer tells which variable a text came from.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import unquote, urlsplit

from ..errors import ConfigError
from ..text.redact import looks_secret
from .document import is_secret
from .lines import Path
from .schema import AgentConfig
from .secrets import REFERENCE, strings

__all__ = ["HINT", "Ours", "given_away", "of_document", "refusal"]

# What bots' tokens are kept in, whether this configuration says so or not.
_KNOWN = frozenset({"DISCORD_BOT_TOKEN", "DISCORD_TOKEN", "SLACK_APP_TOKEN", "SLACK_BOT_TOKEN", "TELEGRAM_BOT_TOKEN"})
# The sections with which we log in to chat services, and which guard our own doors. A key of a speech service may well
# be the agent's as well.
_SECTIONS = frozenset(
    {"control_plane", "discord", "feishu", "gateway", "googlechat", "line", "lineworks", "slack", "status", "teams",
     "telegram", "wecom"}
)  # fmt: skip
# Of shorter values only a whole one is found: as a part they are in many a word.
_SHORTEST = 8

HINT = "an agent never gets what openab-sync itself logs in with"


class Ours:
    """Names of variables and values that are ours alone. Values are in no `repr`."""

    def __init__(self, names: frozenset[str] = frozenset(), values: frozenset[str] = frozenset()) -> None:
        self.names = names | _KNOWN
        self._values = frozenset(value.strip() for value in values if value.strip())

    def __repr__(self) -> str:
        return f"<Ours {sorted(self.names)}>"

    def is_in(self, text: str) -> bool:
        """Whether `text` is one of our secrets, or holds one."""
        return any(value in text if len(value) >= _SHORTEST else value == text.strip() for value in self._values)


def of_document(data: Mapping[str, object], environ: Mapping[str, str]) -> Ours:
    """Return what is ours alone in a document: the secrets of our own sections, used or not."""
    names: set[str] = set()
    values: set[str] = set()
    for path, text in strings(data, ()):
        if path[0] not in _SECTIONS:
            continue
        found = [name for name in REFERENCE.findall(text) if name]
        whole = REFERENCE.sub(lambda match: environ.get(match[1] or "", "") if match[1] else "${", text)
        if is_secret(path):
            names.update(found)
            values.add(whole)
        else:  # a secret by the name of its variable, or the password in an address
            names.update(name for name in found if looks_secret(name))
            values.update(_password(whole))
    values.update(environ[name] for name in names if name in environ)
    return Ours(frozenset(names), frozenset(values))


def given_away(agent: AgentConfig, environ: Mapping[str, str], ours: Ours) -> tuple[Path, str] | None:
    """Return where `agent` would be given something of ours, and a sentence about it; None if nowhere."""
    for index, name in enumerate(agent.inherit_env):
        path: Path = ("agent", "inherit_env", index)
        if name in ours.names:
            return path, f"{name} is openab-sync's own: it is not passed on to the agent"
        if name in environ and ours.is_in(environ[name]):
            return path, f"{name} holds a secret of openab-sync's own: it is not passed on to the agent"
    for place, value in _handed_on(agent):
        if ours.is_in(value):
            return place, "holds a secret of openab-sync's own: it is not passed on to the agent"
    return None


def refusal(env: Mapping[str, str], ours: Ours) -> ConfigError | None:
    """Return (not raise) the error that the finished environment of an agent holds something of ours; None if not.

    The last look, whatever way a value took there: LC_* and a preset's variables among them.
    """
    for name, value in env.items():
        if ours.is_in(value):
            message = f"{name} in the agent's environment holds a secret of openab-sync's own"
            return ConfigError(message, key="agent.env", hint=HINT)
    return None


def _handed_on(agent: AgentConfig) -> Iterator[tuple[Path, str]]:
    for name, value in agent.env.items():
        yield ("agent", "env", name), value
    for index, value in enumerate(agent.args):
        yield ("agent", "args", index), value
    for number, server in enumerate(agent.mcp_servers):
        at: Path = ("agent", "mcp_servers", number)
        yield (*at, "url"), server.url
        for index, value in enumerate(server.args):
            yield (*at, "args", index), value
        for name, value in server.env.items():
            yield (*at, "env", name), value
        for name, value in server.headers.items():
            yield (*at, "headers", name), value


def _password(text: str) -> list[str]:
    if "://" not in text:
        return []
    try:
        password = urlsplit(text).password
    except ValueError:  # no address after all: `check` complains where one is wanted
        return []
    return [password, unquote(password)] if password else []
