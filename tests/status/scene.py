"""A site for tests: a guard with a known token, and a client that knocks as a browser or a program would."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from openab_sync.app import App
from openab_sync.config.schema import Config
from openab_sync.core.broker import Broker
from openab_sync.status.guard import Guard
from openab_sync.status.listen import Address
from openab_sync.status.site import make_site
from openab_sync.status.sources import Sources
from tests.fakes.clock import FakeClock

__all__ = ["HERE", "KEY", "TOKEN", "Scene", "no_broker"]

TOKEN = "a-token-of-the-tests"
KEY = {"Authorization": f"Bearer {TOKEN}"}
HERE = Address("127.0.0.1", 8787)
ANYWHERE = Address("0.0.0.0", 8787)


def no_broker() -> Broker:
    """The front desk of a house in which nothing was started."""
    return App(Config(), {}, environ=os.environ).broker


@dataclass
class Scene:
    """A site and who knocks at it."""

    site: Flask
    guard: Guard
    client: FlaskClient

    @staticmethod
    def make(sources: Sources | None = None, address: Address = HERE, **more: Any) -> Scene:
        clock = FakeClock()
        guard = Guard(TOKEN, address, clock, names=["status.example"])
        site = make_site(sources or Sources(no_broker(), clock), guard, **more)
        return Scene(site, guard, site.test_client())

    def get(self, path: str, **headers: str) -> TestResponse:
        return self.ask("GET", path, **headers)

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> TestResponse:
        """Knock; `_` in a header's name stands for `-`."""
        named = {"Host": "localhost:8787", **{name.replace("_", "-"): value for name, value in headers.items()}}
        return self.client.open(path, method=method, headers=named, json=body)

    def enter(self) -> str:
        """Follow a link, as a browser: the client has the cookie then. Return the token for changes."""
        link = self.guard.make_link()
        assert self.get(link.removeprefix(self.guard.address.url)).status_code == 200
        return str(self.get("/api/me").json["changes"])  # type: ignore[index]  # it is an object
