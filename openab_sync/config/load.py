"""Where the configuration comes from: a file, a URL, or nowhere; and what is odd about it though valid.

The order: what was asked for explicitly > `$OPENAB_SYNC_CONFIG` > `./config.toml` > the user's configuration folder >
built-in defaults. This room reads bytes and finds words for what can go wrong there; what they mean is judged by
`document.py` and `check.py`. Blocks for as long as a disk or, for a URL, `_FETCH_SECS` allow; no thread, no state.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

from ..clock import Deadline, SystemClock
from ..errors import ConfigError
from .check import check
from .document import Document, parse
from .files import filled
from .ours import HINT, given_away, of_document
from .schema import Config, DiscordConfig
from .secrets import secrets

if TYPE_CHECKING:
    from http.client import HTTPResponse

__all__ = ["Loaded", "load"]

# As OpenAB limits them; the size holds for files too, so that a wrong path (/dev/zero, a video) ends soon.
_FETCH_SECS = 10.0
_MAX_BYTES = 1024 * 1024

# Of two names of variables, by difflib: a letter or a word is wrong. ANTHROPIC_API_KEY and OPENAI_API_KEY are two.
_ALIKE = 0.85

_FILE_NAME = "config.toml"


class Loaded(msgspec.Struct, frozen=True, kw_only=True):
    """A configuration, where it was read (None: nowhere, all defaults) and one sentence for each oddity in it.

    `secrets` are the values in it that came from the environment and must not be logged or shown.
    """

    config: Config
    warnings: tuple[str, ...] = ()
    path: str | None = None
    secrets: frozenset[str] = frozenset()

    def __repr__(self) -> str:
        return f"<Loaded {self.path} warnings={len(self.warnings)} secrets={len(self.secrets)}>"


def load(source: str | os.PathLike[str] | None, environ: Mapping[str, str], *, without: Collection[str] = ()) -> Loaded:
    """Return the configuration found at `source` (a path or an http(s) URL) or, without one, in the usual places.

    `environ` fills in `${NAME}` and may name the file in OPENAB_SYNC_CONFIG. `without` names sections that the caller
    does not use: they are not looked into and stay at their defaults. Any thread; may block (disk; up to about 10 s for
    a URL). Raise ConfigError, a single sentence, for whatever is wrong.
    """
    found = os.fspath(source) if source is not None else _usual_place(environ)
    if found is None:
        return Loaded(config=Config())
    if found.startswith(("http://", "https://")):
        name = _without_secrets(found)
        document = parse(name, _fetch(found, name))
    else:
        name = found
        document = parse(name, _read(found))
    config, warnings = check(document, environ, without)
    _check_preset(config, document)
    read = filled(config, document)
    config = read.config
    if found_out := given_away(config.agent, environ, of_document(document.data, environ)):
        raise document.error(*found_out, HINT)
    misspelt = _misspelt(config.agent.inherit_env, environ)
    oddities = (*warnings, *read.warnings, *_oddities(config), *misspelt, *_oddities_of_source(found))
    hidden = secrets(document.data, environ) | read.secrets
    return Loaded(config=config, warnings=oddities, path=name, secrets=hidden)


def _usual_place(environ: Mapping[str, str]) -> str | None:
    named = environ.get("OPENAB_SYNC_CONFIG")
    if named:
        return named if "://" in named else os.path.expanduser(named)
    if os.path.isfile(_FILE_NAME):
        return _FILE_NAME
    import platformdirs  # not needed by those who name their file

    file = platformdirs.user_config_path("openab-sync") / _FILE_NAME
    return str(file) if os.path.isfile(file) else None


def _check_preset(config: Config, document: Document) -> None:
    if config.agent.preset is None:
        return
    from .agents import presets, unknown_preset  # reads package data: only for those who use a preset

    if config.agent.preset not in presets():
        complaint = unknown_preset(config.agent.preset)
        raise document.error(("agent", "preset"), complaint.message, complaint.hint)


# ---- bytes ----


def _read(name: str) -> bytes:
    if "://" in name:
        raise ConfigError(
            "cannot be read: only files, http:// and https:// are understood", file=_without_secrets(name)
        )
    try:
        with open(name, "rb") as file:
            raw = file.read(_MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise ConfigError("there is no such file", file=name) from error
    except IsADirectoryError as error:
        raise ConfigError("is a folder, not a file", file=name) from error
    except PermissionError as error:
        raise ConfigError("may not be read by this user", file=name) from error
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", file=name) from error
    except ValueError as error:  # a null byte
        raise ConfigError("is not the name of a file", file=repr(name)) from error
    return _within_limit(raw, name)


def _fetch(url: str, name: str) -> bytes:
    # Slow to import, and most configurations are files.
    import http.client
    import urllib.error
    import urllib.request

    try:
        request = urllib.request.Request(url, headers={"User-Agent": "openab-sync"})
        with urllib.request.urlopen(request, timeout=_FETCH_SECS) as answer:
            if url.startswith("https://") and not answer.url.startswith("https://"):
                raise ConfigError("leads from https:// to an address without it", file=name)
            raw = _receive(answer, name)
            promised = answer.headers.get("Content-Length")
    except urllib.error.HTTPError as error:
        with error:
            raise ConfigError(f"the server answered {error.code} {error.reason}", file=name) from error
    except TimeoutError as error:
        raise ConfigError(f"no answer within {_FETCH_SECS:g} s", file=name) from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise ConfigError(f"cannot be fetched: {reason or type(error).__name__}", file=name) from error
    _within_limit(raw, name)
    if promised is not None and promised != str(len(raw)):
        raise ConfigError("cannot be fetched: the answer is incomplete", file=name)
    return raw


def _receive(answer: HTTPResponse, name: str) -> bytes:
    # Piece by piece: a server that drips must not hold us longer than one that is silent.
    deadline = Deadline(SystemClock(), _FETCH_SECS)
    raw = b""
    while len(raw) <= _MAX_BYTES and (piece := answer.read1(65536)):
        raw += piece
        if deadline.expired:
            raise ConfigError(f"not whole within {_FETCH_SECS:g} s", file=name)
    return raw


def _within_limit(raw: bytes, name: str) -> bytes:
    if len(raw) > _MAX_BYTES:
        raise ConfigError("is larger than 1 MiB: not a configuration", file=name)
    return raw


def _without_secrets(url: str) -> str:
    """A URL may carry a password before its host and a token in its query: people see neither."""
    scheme, _, rest = url.partition("://")
    address = rest.partition("?")[0].partition("#")[0]
    host, slash, path = address.partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"


# ---- valid, but odd ----


def _oddities(config: Config) -> Iterator[str]:
    pool = config.pool
    if pool.liveness_check_secs >= pool.prompt_hard_timeout_secs:
        yield "pool.liveness_check_secs is not below pool.prompt_hard_timeout_secs: a dead agent may go unnoticed"
    if pool.hung_grace_secs <= pool.cancel_grace_secs:
        yield "pool.hung_grace_secs is not above pool.cancel_grace_secs: turns lose their room while being cancelled"
    if config.discord is not None:
        yield from _oddities_of_discord(config.discord)


def _oddities_of_discord(discord: DiscordConfig) -> Iterator[str]:
    if discord.allow_all_users and (discord.allowed_users or discord.allowed_roles):
        yield "discord.allow_all_users = true: allowed_users and allowed_roles shut nobody out"
    if not (discord.admits_all_channels or discord.allowed_channels or discord.allow_dm):
        yield "discord.allow_all_channels = false and allowed_channels is empty: the bot listens nowhere"
    if discord.allow_all_channels and discord.allowed_channels:
        yield "discord.allow_all_channels = true: allowed_channels shuts no channel out"
    if discord.api_url.startswith("http://") and not _is_here(discord.api_url):
        yield "discord.api_url is plain http: anybody on the way may read the bot's token"


def _is_here(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    return host in ("localhost", "::1") or host.startswith("127.")


def _misspelt(names: Collection[str], environ: Mapping[str, str]) -> Iterator[str]:
    """Names that are not set are left out in silence; but for those that look like one that is."""
    known = {name.upper(): name for name in environ if name not in names}
    for name in dict.fromkeys(names):
        near = () if name in environ else difflib.get_close_matches(name.upper(), known, n=1, cutoff=_ALIKE)
        if near:
            yield f"agent.inherit_env: {name} is not set; did you mean {known[near[0]]}?"


def _oddities_of_source(found: str) -> Iterator[str]:
    if found.startswith("http://"):
        yield "the configuration came over plain http: anybody on the way may read and change it"
