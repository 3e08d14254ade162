"""The description of the API: complete, and true as far as a fuzzer can tell that knows nothing but the description."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import hypothesis
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from openab_sync.status.feed import Feed, Stream, events
from openab_sync.status.guard import Guard
from openab_sync.status.metrics import Metrics, metrics
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
NOBODY = Sources(no_broker(), FakeClock())
DOCUMENT: dict[str, Any] = (
    Scene.make(blueprints=[events(Feed(NOBODY)), metrics(Metrics(NOBODY))]).get("/api/openapi.json").json or {}
)
FURTHEST = {"/enter/{secret}": 403, "/api/questions/{question}": 409}
"""How far somebody gets who guesses secrets, and what an agent offers; anywhere else it is a success."""

OPERATIONS = [(path, method) for path, methods in DOCUMENT["paths"].items() for method in methods]


class BriefFeed(Feed):
    """Streams that end at once: a fuzzer waits for the end."""

    def listen(self, conversation: str = "") -> Stream | None:
        stream = super().listen(conversation)
        if stream is not None:
            stream.queue.put(None)
        return stream


@contextmanager
def described() -> Iterator[tuple[Any, dict[str, str]]]:
    """The API of a house with a conversation and a question, as the fuzzer sees it.

    And what there is, by the name that it has in an address: guessed, it would never be found.
    """
    with Bed(quota={"person": {"messages_per_minute": 0}}) as bed:  # a fuzzer writes faster than people
        bed.ask("say hello")
        bed.say("ask", "2")
        there = {"key": "test:1", "question": bed.port.until_question().id}
        known = sources(bed)
        feed = BriefFeed(known)
        site = make_site(known, Guard(TOKEN, HERE, FakeClock()), [events(feed), metrics(Metrics(known))])
        yield schemathesis.openapi.from_wsgi("/api/openapi.json", site, headers=HEADERS), there
        bed.command("cancel-all", at="2")


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
    codes = set[int]()
    with described() as (schema, there):
        operation = schema[path][method.upper()]

        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        )
        @hypothesis.given(case=operation.as_strategy(), is_there=st.booleans())
        def attempt(case: Any, is_there: bool) -> None:
            if is_there:
                case.path_parameters.update({name: there[name] for name in case.path_parameters if name in there})
            codes.add(case.call_and_validate(headers=HEADERS).status_code)

        attempt()
    assert FURTHEST.get(path, 200) in {code - code % 100 if code < 300 else code for code in codes}
