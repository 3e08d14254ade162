"""The description of the API: complete, and true as far as a fuzzer can tell that knows nothing but the description."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import hypothesis
import pytest
import schemathesis
from hypothesis import HealthCheck, settings

from openab_sync.status.feed import Feed, Stream, events
from openab_sync.status.guard import Guard
from openab_sync.status.openapi import describe, routes_of
from openab_sync.status.site import make_site
from openab_sync.status.sources import Sources
from tests.core.bed import Bed
from tests.fakes.clock import FakeClock
from tests.status.scene import ANYWHERE, HERE, KEY, TOKEN, Scene, no_broker
from tests.status.test_looking import sources

HEADERS = {**KEY, "Host": "localhost"}
EXAMPLES = 15  # requests of each kind to each route

# Looked at once, to know the routes; which house is behind them does not matter for that.
DOCUMENT: dict[str, Any] = (
    Scene.make(blueprints=[events(Feed(Sources(no_broker(), FakeClock())))]).get("/api/openapi.json").json or {}
)
OPERATIONS = [(path, method) for path, methods in DOCUMENT["paths"].items() for method in methods]


class BriefFeed(Feed):
    """Streams that end at once: a fuzzer waits for the end."""

    def listen(self, conversation: str = "") -> Stream | None:
        stream = super().listen(conversation)
        if stream is not None:
            stream.queue.put(None)
        return stream


@contextmanager
def described() -> Iterator[Any]:
    """The API of a house with one conversation, as the fuzzer sees it."""
    with Bed(quota={"person": {"messages_per_minute": 0}}) as bed:  # a fuzzer writes faster than people
        bed.ask("say hello")
        known = sources(bed)
        feed = BriefFeed(known)
        site = make_site(known, Guard(TOKEN, HERE, FakeClock()), [events(feed)])
        yield schemathesis.openapi.from_wsgi("/api/openapi.json", site, headers=HEADERS)


def test_every_route_of_ours_is_in_it_with_its_answers() -> None:
    scene = Scene.make()
    paths = scene.get("/api/openapi.json").json["paths"]  # type: ignore[index]  # it is an object
    ours = {(route.rule.replace("<", "{").replace(">", "}"), route.method.lower()) for route in routes_of(scene.site)}
    assert ours == {(path, method) for path, methods in paths.items() for method in methods}
    assert len(ours) == len(list(scene.site.url_map.iter_rules()))
    assert all(operation["responses"] for methods in paths.values() for operation in methods.values())


def test_what_needs_a_key_depends_on_who_can_come_in() -> None:
    scene = Scene.make()
    routes = routes_of(scene.site)
    here, anywhere = (describe(routes, is_loopback=is_loopback)["paths"] for is_loopback in (True, False))
    assert here["/api/sessions"]["get"]["security"] == []
    assert anywhere["/api/sessions"]["get"]["security"] == [{"token": []}, {"cookie": []}]
    assert anywhere["/healthz"]["get"]["security"] == []
    assert Scene.make(address=ANYWHERE).get("/api/openapi.json").status_code == 401


@pytest.mark.slow
@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_a_fuzzer_finds_no_fault(path: str, method: str) -> None:
    with described() as schema:
        operation = schema[path][method.upper()]

        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        )
        @hypothesis.given(case=operation.as_strategy())
        def attempt(case: Any) -> None:
            case.call_and_validate(headers=HEADERS)

        attempt()
