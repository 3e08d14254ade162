"""Figures, as Prometheus reads them."""

from __future__ import annotations

from dataclasses import replace

from prometheus_client.parser import text_string_to_metric_families

from openab_sync.core.figures import Figure
from openab_sync.core.presence import Presence
from openab_sync.core.state import State
from openab_sync.status.metrics import COUNTED, TIMED, Metrics, metrics
from openab_sync.status.sources import Sources
from tests.core.bed import Bed
from tests.fakes.clock import FakeClock
from tests.status.scene import ANYWHERE, KEY, Scene, no_broker
from tests.status.test_looking import sources
from tests.waiting import until

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def scraped(found: Metrics) -> Samples:
    """Every sample by its name and labels."""
    families = text_string_to_metric_families(found.text().decode())
    return {(one.name, tuple(sorted(one.labels.items()))): one.value for family in families for one in family.samples}


def test_every_figure_has_a_metric_and_each_is_taken_in_once() -> None:
    assert {row[0] for row in (*TIMED, *COUNTED)} == set(Figure)
    known = Sources(no_broker(), FakeClock())
    for figure in Figure:
        known.figures(figure, 2.0, "some" if any(row[0] is figure and row[3] for row in (*TIMED, *COUNTED)) else "")
    found = Metrics(known)
    for _ in range(2):
        seen = scraped(found)
        for _, name, _, label, _ in TIMED:
            assert seen[f"{name}_sum", ((label, "some"),) if label else ()] == 2.0
        for _, name, _, label in COUNTED:
            assert seen[f"{name}_total", ((label, "some"),) if label else ()] == 2.0


def test_how_the_house_is_stands_there_as_it_is_now() -> None:
    with Bed() as bed:
        presences = [Presence("test", latency=0.04, reconnects=3), Presence("quiet", "it is away")]
        known = replace(sources(bed), presences=lambda: presences, memory=lambda: {bed.snapshot().pid or 0: 4096})
        found = Metrics(known)
        bed.ask("say hello\nusage")
        bed.until_state(State.IDLE)
        bed.say("hang")
        bed.until_state(State.BUSY)
        bed.say("second")
        until(lambda: bed.snapshot().inbox == 1)
        seen = scraped(found)
        assert seen["openab_sessions", (("state", "busy"),)] == 1
        assert seen["openab_sessions", (("state", "idle"),)] == 0
        assert seen["openab_messages_waiting", ()] == 1
        assert seen["openab_agent_resident_bytes", (("conversation", "test:1"),)] == 4096
        assert seen["openab_context_tokens", (("conversation", "test:1"),)] == 1200
        assert seen["openab_gateway_latency_seconds", (("platform", "test"),)] == 0.04
        assert seen["openab_gateway_reconnects_total", (("platform", "test"),)] == 3
        assert (seen["openab_healthy", ()], seen["openab_ready", ()]) == (1, 0)
        assert seen["process_resident_memory_bytes", ()] > 1_000_000
        bed.command("cancel-all")


def test_it_is_there_for_a_scraper_on_this_machine_and_elsewhere_with_a_key() -> None:
    known = Sources(no_broker(), FakeClock())
    answer = Scene.make(known, blueprints=[metrics(Metrics(known))]).get("/metrics")
    assert answer.status_code == 200 and answer.content_type.startswith("text/plain; version=")
    scene = Scene.make(known, ANYWHERE, blueprints=[metrics(Metrics(known))])
    assert [scene.get("/metrics").status_code, scene.get("/metrics", **KEY).status_code] == [401, 200]
