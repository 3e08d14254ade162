"""`/metrics`: the house in figures, as Prometheus reads them.

What happens is told by the house as it happens, and waits in a queue (`core.figures.Figures`) until somebody takes it
in: the pulse every few seconds, a scrape at once. How things are is read from snapshots when it is asked for. The
library's locks are taken by the status server's threads alone.
"""

from __future__ import annotations

from collections import Counter as Count
from collections.abc import Iterator, Mapping

from flask import Blueprint, Response
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from ..core.figures import Figure
from ..core.state import State
from ..version import VERSION
from .guard import Access
from .health import not_ready, unheard
from .routes import Route, serve
from .sources import Sources

__all__ = ["Metrics", "metrics"]

TYPE = "text/plain; version=0.0.4; charset=utf-8"

TURNS = (0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1200, 1800, 3600)  # seconds
WAITS = (0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 600, 1800)
SHORT = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)

# What is timed: the figure, its name and what it says, the name of its label ("": none), its buckets.
TIMED = (
    (Figure.TURN, "openab_turn_seconds", "How long turns took, by how they ended.", "outcome", TURNS),
    (Figure.FIRST_TEXT, "openab_first_text_seconds", "From a prompt to its first text.", "", WAITS),
    (Figure.QUEUE_WAIT, "openab_queue_wait_seconds", "From a message to its turn.", "", WAITS),
    (Figure.PERMISSION_WAIT, "openab_permission_wait_seconds", "From a question to its decision.", "", WAITS),
    (Figure.RATE_LIMIT_WAIT, "openab_rate_limit_wait_seconds", "That requests were held back.", "platform", WAITS),
    (Figure.LOOP_LAG, "openab_loop_lag_seconds", "That an event loop came late.", "platform", SHORT),
    (Figure.JOURNAL_COMMIT, "openab_journal_commit_seconds", "Until changes were on the disk.", "", SHORT),
)
COUNTED = (
    (Figure.TOKENS, "openab_tokens", "Tokens that agents have written.", ""),
    (Figure.COST, "openab_cost", "What agents say they have cost.", "currency"),
    (Figure.CRASH, "openab_crashes", "Sessions that ended by a fault.", "cause"),
    (Figure.EDIT, "openab_edits", "Messages of ours that were changed.", "platform"),
    (Figure.REST_FAULT, "openab_rest_faults", "Requests that a chat service refused, or that were lost.", "status"),
)


class Metrics(Collector):
    """The figures of one house."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._registry = CollectorRegistry()
        self._timed = {
            figure: Histogram(name, says, [label] if label else [], buckets=buckets, registry=self._registry)
            for figure, name, says, label, buckets in TIMED
        }
        self._counted = {
            figure: Counter(name, says, [label] if label else [], registry=self._registry)
            for figure, name, says, label in COUNTED
        }
        self._registry.register(self)
        ProcessCollector(registry=self._registry)

    def take_in(self) -> None:
        """Take in what has been told since the last time. Any thread of the status server."""
        labelled = {row[0] for row in (*TIMED, *COUNTED) if row[3]}
        for figure, value, label in self._sources.figures.take():
            names = (label,) if figure in labelled else ()
            if figure in self._timed:
                timed = self._timed[figure]
                (timed.labels(*names) if names else timed).observe(value)
            else:
                counted = self._counted[figure]
                (counted.labels(*names) if names else counted).inc(value)

    def text(self) -> bytes:
        """Return everything, in Prometheus' own form."""
        self.take_in()
        return generate_latest(self._registry)

    def describe(self) -> list[Metric]:
        """Nothing is asked for at the registration: the house may not be there yet."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield how things are now."""
        house, held = self._sources.broker.snapshot(), self._sources.memory()
        states = Count(str(session.state) for session in house.sessions)
        every = {str(state): states[state] for state in State}
        yield _by("openab_sessions", "Sessions by their state.", "state", every)
        yield _one("openab_conversations_waiting", "Conversations that wait for a free agent.", len(house.waiting))
        messages = sum(session.inbox for session in house.sessions)
        yield _one("openab_messages_waiting", "Messages that wait for a turn.", messages)
        questions = sum(session.questions for session in house.sessions)
        yield _one("openab_questions_open", "Questions that people are asked.", questions)
        rss = {one.conversation.key: held[one.pid] for one in house.sessions if one.pid in held and one.pid is not None}
        says = "What an agent holds in memory, with all that it has started."
        yield _by("openab_agent_resident_bytes", says, "conversation", rss)
        context = {one.conversation.key: one.usage.used for one in house.sessions if one.usage.used is not None}
        yield _by("openab_context_tokens", "Tokens in an agent's context.", "conversation", context)
        yield from self._of_platforms()
        yield _one("openab_healthy", "1 while every thread is heard of.", not unheard(self._sources))
        yield _one("openab_ready", "1 while people can write to us.", not any(True for _ in not_ready(self._sources)))
        yield _by("openab_build_info", "Which version this is.", "version", {VERSION: 1})

    def _of_platforms(self) -> Iterator[Metric]:
        presences = self._sources.presences()
        latency = {one.platform: one.latency for one in presences if one.latency is not None}
        yield _by("openab_gateway_latency_seconds", "Until a chat service answers a heartbeat.", "platform", latency)
        again = CounterMetricFamily("openab_gateway_reconnects", "Connections after the first.", labels=["platform"])
        for one in presences:
            again.add_metric([one.platform], one.reconnects)
        yield again


def _one(name: str, says: str, value: float) -> Metric:
    return GaugeMetricFamily(name, says, value=float(value))


def _by(name: str, says: str, label: str, values: Mapping[str, float]) -> Metric:
    found = GaugeMetricFamily(name, says, labels=[label])
    for key, value in values.items():
        found.add_metric([key], float(value))
    return found


def metrics(found: Metrics) -> Blueprint:
    """Return the route."""
    pages = Blueprint("metrics", __name__)

    @serve(pages, Route("GET", "/metrics", Access.STATE, "Figures, as Prometheus reads them", "text/plain"))
    def text() -> Response:
        return Response(found.text(), content_type=TYPE)

    return pages
