"""The way to a running openab-sync: its address and its key, found or given, and what it answers.

Found are those of the store that the configuration names; given are they by `--url` and the environment, for a service
elsewhere. Blocks, with a limit; every fault is one sentence.
"""

from __future__ import annotations

import http.client
import json
import os
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

import click

from ..errors import ConfigError, OpenabError
from .outer import outer

__all__ = ["Api", "found", "options", "path_of"]

PATIENCE = 20.0  # seconds for an answer: a chat service may have to take a message first
SILENCE = 60.0  # seconds without a line in a stream, which says every 15 s that it is there

F = TypeVar("F", bound=Callable[..., Any])


class Unreachable(OpenabError):
    """Nobody answers there."""


class Refused(OpenabError):
    """The answer is no."""


class Api:
    """The API of one service."""

    def __init__(self, url: str, token: str) -> None:
        """Raise ConfigError if `url` is none."""
        parts = urlsplit(url if "//" in url else f"http://{url}")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ConfigError(f"{url} is no address", hint="for example --url http://127.0.0.1:8787")
        self.url = url
        self._token = token
        self._is_secure = parts.scheme == "https"
        self._host, self._port, self._root = parts.hostname, parts.port, parts.path.rstrip("/")

    def get(self, path: str) -> Any:
        """Return what is there. Raise OpenabError."""
        return self.ask("GET", path)[1]

    def post(self, path: str, body: object = None) -> Any:
        """Have something changed; return what came of it. Raise OpenabError."""
        return self.ask("POST", path, body)[1]

    def ask(self, method: str, path: str, body: object = None, *, at_ease: bool = False) -> tuple[int, Any]:
        """Return the code and the data of an answer; a refusal is raised, unless `at_ease`. Raise OpenabError."""
        with closing(self._connect(PATIENCE)) as connection:
            answer = self._request(connection, method, path, body)
            try:
                raw = answer.read()
                data = json.loads(raw) if raw else None
            except (OSError, http.client.HTTPException, ValueError) as error:
                why = str(error) or "no JSON"
                raise Unreachable(f"What answers at {self.url} is no openab-sync: {why}.") from error
            if answer.status >= 400 and not at_ease:
                raise Refused(_sentence(data, answer.status))
            return answer.status, data

    def events(self, path: str) -> Iterator[tuple[str, Any]]:
        """Yield what a stream tells, each event's name and data, until it ends. Blocks. Raise OpenabError."""
        with closing(self._connect(SILENCE)) as connection:
            answer = self._request(connection, "GET", path, None)
            if answer.status != 200:
                raise Refused(_sentence(json.loads(answer.read() or b"null"), answer.status))
            name = ""
            for line in self._lines(answer):
                kind, _, rest = line.partition(": ")
                name = rest if kind == "event" else name
                if kind == "data":
                    yield name, json.loads(rest)

    def _lines(self, answer: http.client.HTTPResponse) -> Iterator[str]:
        try:
            while line := answer.readline():
                yield line.decode().rstrip("\n")
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable(f"The connection to {self.url} was lost: {error}.") from error

    def _connect(self, timeout: float) -> http.client.HTTPConnection:
        if self._is_secure:
            return http.client.HTTPSConnection(self._host, self._port, timeout=timeout)
        return http.client.HTTPConnection(self._host, self._port, timeout=timeout)

    def _request(
        self, connection: http.client.HTTPConnection, method: str, path: str, body: object
    ) -> http.client.HTTPResponse:
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        if body is not None:
            headers["Content-Type"] = "application/json"
        try:
            connection.request(method, self._root + path, None if body is None else json.dumps(body), headers)
            return connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            hint = "Is `openab-sync run` running, with [status] listen?"
            raise Unreachable(f"Nobody answers at {self.url}: {error}. {hint}") from error


def options(command: F) -> F:
    """Give a command, or a group of them, the options that say where the service is."""
    variable, says = "OPENAB_SYNC_STATUS_URL", "Configuration, for its [status] and [store]."
    where = click.option("--url", metavar="URL", envvar=variable, callback=outer, help="A service elsewhere.")
    whose = click.option("-c", "--config", metavar="PATH|URL", callback=outer, help=says)
    return whose(where(command))


def found(config: str | None, url: str | None) -> Api:
    """Return the service that is meant. Blocks (disk). Raise OpenabError.

    Its key is $OPENAB_SYNC_STATUS_TOKEN, else that of the configuration or the store: no other machine is shown those.
    """
    token = os.environ.get("OPENAB_SYNC_STATUS_TOKEN", "")
    if url and (token or not _is_here(url)):
        return Api(url, token)
    from ..config import Config, load
    from ..store import store_folder
    from ..store.keys import STATUS_KEY, read_note

    others = [name for name in Config.__struct_fields__ if name not in ("store", "status")]
    settings = load(config, os.environ, without=others).config
    folder = store_folder(settings.store, os.environ)
    there = url or read_note(folder, "status.address")
    if not there and not settings.status.listen:
        raise ConfigError('there is no status server: listen is ""', key="status.listen")
    key = token or settings.status.token or read_note(folder, STATUS_KEY) or ""
    return Api(there or settings.status.listen, key)


def _is_here(url: str) -> bool:
    host = urlsplit(url if "//" in url else f"http://{url}").hostname or ""
    return host in ("localhost", "::1") or host.startswith("127.")


def path_of(conversation: str, verb: str = "") -> str:
    """Return where a conversation is in the API."""
    return f"/api/sessions/{quote(conversation, safe='')}{'/' + verb if verb else ''}"


def _sentence(data: object, code: int) -> str:
    said = data.get("error") if isinstance(data, dict) else None
    return str(said) if said else f"The answer was {code}."
