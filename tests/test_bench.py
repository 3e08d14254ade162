"""The benchmarks work, all of them. Never how fast: that is for people to look at."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.load import HERE, agent_command
from tests.bench.report import describe, judge
from tests.bench.runner import Samples
from tests.bench.scenario import METRICS, Scenario, Target
from tests.bench.scenarios import SCENARIOS

ROOT = Path(__file__).parent.parent
IS_CORE = bool(os.environ.get("OPENAB_CORE"))  # the Discord library is not there


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "tests.bench", *arguments], cwd=ROOT, capture_output=True, text=True)


def _is_on_discord(scenario: Scenario) -> bool:
    return bool({one.side for one in scenario.contestants} & {"discord", "run", "bot", "held", "refused"})


def _kind(scenario: Scenario) -> object:
    """What of scenarios that differ by their sizes alone is the same: one of them shows that all work."""
    if not any(one.side == "run" for one in scenario.contestants):
        return scenario.small().contestants
    return tuple((one.name, one.side, one.task.job) for one in scenario.contestants)


@pytest.mark.slow
@pytest.mark.timeout(300)  # it starts two hundred agents one after the other
def test_every_scenario_prints_its_figures(tmp_path: Path) -> None:
    scenarios = list({_kind(one): one for one in SCENARIOS if not (IS_CORE and _is_on_discord(one))}.values())
    run = bench("--quick", "--json", str(tmp_path / "figures.json"), *(one.name for one in scenarios))
    assert run.returncode == 0, run.stderr
    for scenario in scenarios:
        assert f"\n{scenario.name}: " in run.stdout
    results = json.loads((tmp_path / "figures.json").read_text(encoding="utf-8"))["results"]
    for scenario in scenarios:
        measured = {name: set(samples[0]) for name, samples in results[scenario.name].items()}
        assert list(measured) == [one.name for one in scenario.contestants]
        assert all(figures >= set(scenario.metrics) for figures in measured.values())


def test_the_sizing_table_names_scenarios_and_figures_that_there_are() -> None:
    guide = (ROOT / "conf" / "OPERATING.rst").read_text(encoding="utf-8")
    table = guide[guide.index("How large a machine") : guide.index("What an agent takes")]
    rows = re.findall(r"``([a-z0-9-]+)`` +(\S.*?)  ", table)
    known = {one.name: {METRICS[metric].title for metric in one.metrics} for one in SCENARIOS}
    assert len(rows) >= 7
    for name, figures in rows:
        assert {figure for figure in figures.split("; ") if not figure.endswith(";")} <= known[name], name


def test_a_scenario_that_does_not_exist_is_a_usage_error() -> None:
    run = bench("no-such-thing")
    assert run.returncode == 2
    assert "flood" in run.stderr


@pytest.mark.parametrize("name", ["agent.py", "C"])
def test_both_agents_say_the_same(name: str, tmp_path: Path) -> None:
    command = agent_command(tmp_path) if name == "C" else (sys.executable, str(HERE / "agent.py"))
    order = '{"jsonrpc":"2.0","id":3,"method":"session/prompt","params":{"prompt":[{"type":"text","text":"%s"}]}}\n'
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as agent:
        assert agent.stdin is not None and agent.stdout is not None
        agent.stdin.write(order % "stream 20 7 0 mixed")
        agent.stdin.flush()
        lines = [json.loads(agent.stdout.readline()) for _ in range(22)]
        agent.stdin.close()
        assert agent.stdout.read() == ""
    kinds = [line["params"]["update"]["sessionUpdate"].removeprefix("agent_") for line in lines[:10]]
    assert kinds == [
        *["message_chunk"] * 4,
        *["thought_chunk"] * 2,
        "message_chunk",
        "tool_call",
        *["tool_call_update"] * 2,
    ]
    assert lines[0]["params"]["update"]["content"] == {"type": "text", "text": "word wo"}
    assert lines[20]["params"]["update"]["content"]["text"] == "END"
    assert lines[21] == {"jsonrpc": "2.0", "id": 3, "result": {"stopReason": "end_turn"}}


def samples(**rates: list[float]) -> Samples:
    return {name: [{"rate": rate} for rate in values] for name, values in rates.items()}


def test_a_ratio_is_taken_pair_by_pair() -> None:
    scenario = Scenario("x", "something", (), ("rate",), (Target("rate", 2, "sdk", at_least=True),))
    text = describe(scenario, samples(ours=[4000, 40_000, 6000], sdk=[1000, 10_000, 1000]))
    assert "ours 6.0 k (4.0 k–40.0 k, noisy)" in text
    assert "ours is 4.0 × sdk" in text
    assert "≥ 2 × sdk: 4.0, met" in text


@pytest.mark.parametrize(
    ("found", "verdict"),
    [([1, 1, 1, 1, 9], "met"), ([9, 9, 9, 9, 1], "missed"), ([1, 1, 1, 9, 9], "too noisy to tell"), ([9], "missed")],
)
def test_one_pair_in_five_may_say_otherwise(found: list[float], verdict: str) -> None:
    assert judge(Target("p99", 3), found) == verdict
