"""`/metrics` of the real program: each figure that is promised moves when that happens which it counts."""

from __future__ import annotations

import urllib.request
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.fakes import fake_agent
from tests.fakes.discord import Server
from tests.platforms.discord.e2e.service import Service, mention, service
from tests.platforms.discord.pressing import buttons
from tests.waiting import until

PATIENCE = 20.0

# Sample → how much more of it there has to be at least. What is timed counts how often.
MOVED = {
    "openab_turn_seconds_count": 4,
    "openab_first_text_seconds_count": 4,
    "openab_queue_wait_seconds_count": 4,
    "openab_permission_wait_seconds_count": 1,
    "openab_rate_limit_wait_seconds_count": 1,
    "openab_loop_lag_seconds_count": 1,
    "openab_journal_commit_seconds_count": 4,
    "openab_tokens_total": 5,
    "openab_cost_total": 0.25,
    "openab_crashes_total": 1,
    "openab_edits_total": 1,
    "openab_rest_faults_total": 2,
    "openab_gateway_reconnects_total": 1,
}


def figures(home: Path) -> dict[str, float]:
    """Every sample's sum over its labels; sessions by their state."""
    url = (home / "state" / "status.address").read_text().strip()
    with urllib.request.urlopen(f"{url}/metrics", timeout=PATIENCE) as answer:
        text = answer.read().decode()
    found: dict[str, float] = {}
    for sample in (one for family in text_string_to_metric_families(text) for one in family.samples):
        name = f"{sample.name}/{sample.labels['state']}" if sample.name == "openab_sessions" else sample.name
        found[name] = found.get(name, 0.0) + sample.value
    return found


@pytest.mark.slow
def test_every_figure_moves_when_that_happens_which_it_counts(server: Server, tmp_path: Path) -> None:
    program, *args = fake_agent()
    with service(tmp_path, server, agent={"command": program, "args": args}) as running:
        server.until_ready(PATIENCE)
        until(lambda: "status at" in running.log, PATIENCE)
        before = figures(tmp_path)
        talk(server)
        server.gateway.reconnect()
        until(lambda: figures(tmp_path)["openab_gateway_reconnects_total"] > 0, PATIENCE, "it is there again")
        until(lambda: not missing(before, figures(tmp_path)), PATIENCE, "every figure has moved")
        now = figures(tmp_path)
        assert now["openab_gateway_latency_seconds"] >= 0 and now["openab_context_tokens"] == 1200
        assert (now["openab_ready"], now["openab_healthy"]) == (1, 1)
        assert (before["openab_sessions/idle"], now["openab_sessions/idle"] > 0) == (0, True)
        end(running)


def talk(server: Server) -> None:
    """What is counted: turns, a question, an edit, a limit, a fault of Discord's, a death."""
    server.fail("POST", "/channels/*/messages/*/threads", status=429, retry_after=0.1)
    first = mention(server, "say one\nusage\ntokens")
    server.until_said("one", first, PATIENCE)
    server.fail("POST", "/channels/*/messages", status=503)
    asked = mention(server, "say two\nask\nsay three")
    server.until(lambda: [one for one in asked.history if "Allow once" in buttons(one)], PATIENCE, "a question")
    server.user("ann").click(next(one for one in asked.history if "Allow once" in buttons(one)), "Allow once")
    server.until_said("three", asked, PATIENCE)
    server.until_said("four", mention(server, "say four"), PATIENCE)
    dead = mention(server, "say five\ncrash")
    server.until(lambda: any("❌" in one or "⚠" in one for one in dead.texts), PATIENCE, "a death is told")


def missing(before: dict[str, float], now: dict[str, float]) -> list[str]:
    return [name for name, least in MOVED.items() if now.get(name, 0.0) - before.get(name, 0.0) < least]


def end(running: Service) -> None:
    running.signal()
    assert running.end() == 0, running.log
