"""The page on a real house: the app, its agents, and the status server on a port of its own.

`with page(tmp_path) as bed: bed.write("say hello")` is a message; requests carry the token. Leaving it stops everything
and checks that it ended.
"""

from __future__ import annotations

import json
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import msgspec

from openab_sync.app import App
from openab_sync.clock import SystemClock
from openab_sync.config.schema import Config
from openab_sync.core.ledger import UNWRITTEN, Journaled, Ledger
from openab_sync.core.port import ChatPort
from openab_sync.core.retention import Retention
from openab_sync.platforms.web.entries import Content, Words
from openab_sync.platforms.web.platform import Chips, Web
from openab_sync.status import Sources, Status
from openab_sync.store import Keeping, ReplyRow, Store, open_books
from tests.fakes import fake_agent
from tests.waiting import until

__all__ = ["DEMO", "Answer", "Bed", "page"]

DEMO = (sys.executable, "-m", "openab_sync.agents.demo")
PATIENCE = 10.0


@dataclass(frozen=True)
class Answer:
    """An answer of the server."""

    code: int
    body: bytes
    headers: dict[str, str]

    @property
    def data(self) -> Any:
        return json.loads(self.body)


@dataclass
class Bed:
    """A running page."""

    web: Web
    app: App
    status: Status
    folder: Path

    def ask(self, path: str, data: object = None, *, method: str = "", key: bool = True) -> Answer:
        """Send a request, with the token: bytes as they are, everything else as JSON."""
        body = data if isinstance(data, bytes) or data is None else json.dumps(data).encode()
        headers = {"Content-Type": "application/octet-stream" if isinstance(data, bytes) else "application/json"}
        if key:
            headers["Authorization"] = f"Bearer {self.token}"
        method = method or ("GET" if data is None else "POST")
        request = urllib.request.Request(self.status.address.url + path, body, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as response:
                return Answer(response.status, response.read(), dict(response.headers))
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, error.read(), dict(error.headers))

    @property
    def token(self) -> str:
        return (self.folder / "status.token").read_text(encoding="utf-8").strip()

    def write(self, text: str, key: str = "web:1", files: Sequence[str] = ()) -> Answer:
        """Write a message into a conversation."""
        return self.ask("/web/messages", {"conversation": key, "text": text, "files": list(files)})

    def look(self, key: str = "web:1") -> Any:
        """What a page that opens now is told."""
        return self.ask(f"/web/look?room={key}").data

    def contents(self, key: str = "web:1") -> list[Content]:
        room = self.web.hall.view.rooms.get(key)
        return [entry.content for entry in room.entries] if room is not None else []

    def text(self, key: str = "web:1") -> str:
        """All that the agent has said."""
        return "\n".join(item.text for item in self.contents(key) if isinstance(item, Words) and item.kind == "said")

    def until_text(self, text: str, key: str = "web:1") -> None:
        until(lambda: text in self.text(key), what=f"{text!r} in {key}")

    def upload(self, name: str, data: bytes, key: str = "web:1", piece: int = 512 * 1024) -> str:
        """Send a file in pieces; return its upload's id."""
        upload = self.ask("/web/uploads", {"conversation": key, "name": name}).data["upload"]
        for at in range(0, len(data), piece):
            assert self.ask(f"/web/uploads/{upload}", data[at : at + piece]).code == 200
        return str(upload)


@contextmanager
def page(
    folder: Path,
    *flags: str,
    command: Sequence[str] | None = None,
    seats: int = 6,
    agent: str = "Test agent",
    chips: Chips = (),
    ledger: Ledger = UNWRITTEN,
    store: Store | None = None,
    others: Mapping[str, ChatPort] = MappingProxyType({}),
    past: Sequence[ReplyRow] = (),
    **settings: dict[str, Any],
) -> Iterator[Bed]:
    """Run the page with the fault agent behind it, or with `command`; `others` are further platforms of the house.

    With a `store` it keeps what people say.
    """
    program, *args = command or fake_agent(*flags)
    (folder / "work").mkdir(exist_ok=True)
    section = {"command": program, "args": args, "working_dir": str(folder / "work")}
    pool = {"shutdown_grace_secs": 0, "cancel_grace_secs": 5, **settings.pop("pool", {})}
    config = msgspec.convert({"agent": section, "pool": pool, "status": {"listen": "127.0.0.1:0"}, **settings}, Config)
    web = Web(folder / "inbox", seats=seats, agent=agent, chips=chips)
    status = Status(config.status, folder)
    ports = {web.name: web.port, **others}
    retention = None
    if store is not None:
        books = open_books(store)
        ledger = Journaled(books.deliveries, books.replies)
        retention = Retention(Keeping(store), {web.name: web}, SystemClock(), lambda: 30)
    app = App(config, ports, environ=os.environ, ledger=ledger, retention=retention, faulted=web.faulted)
    app.start()
    status.start(Sources(app.broker, SystemClock(), ports), [web.start(app.broker, past)])
    try:
        yield Bed(web, app, status, folder)
    finally:
        ended = [app.stop(), web.stop(), status.stop()]
    assert all(ended), ended
