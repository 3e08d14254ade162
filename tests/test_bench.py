"""The benchmarks work, all of them. Never how fast: that is for people to look at."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import docutils.core
import docutils.nodes
import pytest
from PIL import Image

from tests.bench.__main__ import main
from tests.bench.load import HERE, agent_command
from tests.bench.report import describe, judge
from tests.bench.results import Results
from tests.bench.runner import Samples
from tests.bench.scenario import METRICS, Scenario, Target
from tests.bench.scenarios import SCENARIOS
from tests.bench.table import BEGIN, COLUMNS
from tests.bench.table import END as TABLE_END

ROOT = Path(__file__).parent.parent
IS_CORE = bool(os.environ.get("OPENAB_CORE"))  # the Discord library is not there


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Not measured by coverage: what it costs is not what is shown here, and others show that the package works."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_PROCESS_")}
    command = [sys.executable, "-m", "tests.bench", *arguments]
    return subprocess.run(command, cwd=ROOT, env=plain, capture_output=True, text=True)


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
    guide = (ROOT / "README.rst").read_text(encoding="utf-8")
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


# ---- the Rust original ----


def test_every_scenario_says_what_the_rust_original_does_there_or_why_it_cannot() -> None:
    assert [one.name for one in SCENARIOS if not one.upstream] == []


@pytest.mark.slow
@pytest.mark.timeout(200)
def test_another_program_is_driven_over_its_gateway(tmp_path: Path) -> None:
    program = tmp_path / "openab"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m tests.bench.stand_in "$@"\n')
    program.chmod(0o755)
    names = ("flood", "draw-4k", "churn", "help", "first-alone", *(() if IS_CORE else ("told",)))
    run = bench("--quick", "--upstream", str(program), "--json", str(tmp_path / "figures.json"), *names)
    assert run.returncode == 0, run.stderr
    assert "upstream: not measured, for it shows text by edits" in run.stdout
    results = json.loads((tmp_path / "figures.json").read_text(encoding="utf-8"))["results"]
    assert {name for name in names if "upstream" in results[name]} == set(names) - {"first-alone"}


def test_a_program_that_is_not_there_is_a_usage_error() -> None:
    assert bench("--upstream", "/no/such/openab", "flood").returncode == 2


# ---- results in a file, a table and a picture ----


def measured(tmp_path: Path) -> Path:
    """A file as `--json` writes it, with a figure for everything that is listed."""
    one = iter(range(1, 100_000))
    found = {
        scenario.name: {
            who.name: [{metric: float(next(one)) for metric in scenario.metrics} for _ in range(5)]
            for who in scenario.contestants
        }
        for scenario in SCENARIOS
    }
    file = tmp_path / "figures.json"
    Results("a machine; 5 pairs", found).save(file)
    return file


def test_results_are_printed_from_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--from", str(measured(tmp_path)), "told"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("a machine; 5 pairs\n\ntold: ") and "flood" not in out


def test_a_file_of_something_else_is_a_usage_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "other.json").write_text("[]")
    assert main(["--from", str(tmp_path / "other.json")]) == 2
    assert "was not written by --json" in capsys.readouterr().err


def test_a_table_takes_its_place_in_a_document(tmp_path: Path) -> None:
    document = tmp_path / "README.rst"
    document.write_text(f"Before.\n\n{BEGIN}\n\nof yesterday\n\n{TABLE_END}\n\nBehind.\n")
    for _ in range(2):  # the second one takes the first one's place
        assert main(["--from", str(measured(tmp_path)), "--table", str(document)]) == 0
        text = document.read_text(encoding="utf-8")
        rows = table_in(text)
        assert text.startswith("Before.\n\n") and text.endswith("\n\nBehind.\n") and "yesterday" not in text
        assert [row[0] for row in rows[1:]] == [one.name for one in SCENARIOS for _ in one.metrics]


def test_a_document_without_a_place_is_a_usage_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "README.rst").write_text("nothing\n")
    assert main(["--from", str(measured(tmp_path)), "--table", str(tmp_path / "README.rst")]) == 2
    assert "has no place for a table" in capsys.readouterr().err


def table_in(text: str) -> list[list[str]]:
    """The rows of the table at its place in a document."""
    inside = text.partition(BEGIN)[2].partition(TABLE_END)[0]
    tree = docutils.core.publish_doctree(inside, settings_overrides={"report_level": 5})
    return [[entry.astext() for entry in row.findall(docutils.nodes.entry)] for row in tree.findall(docutils.nodes.row)]


def test_the_results_in_the_manual_are_made_of_what_the_command_prints() -> None:
    head, *rows = table_in((HERE / "README.rst").read_text(encoding="utf-8"))
    assert tuple(head) == COLUMNS
    listed = [(one.name, METRICS[metric].title) for one in SCENARIOS for metric in one.metrics]
    shown = [(row[0], row[1]) for row in rows]
    assert shown == [row for row in listed if row in set(shown)]


@pytest.mark.slow
def test_results_are_drawn_as_a_small_picture(tmp_path: Path) -> None:
    run = bench("--from", str(measured(tmp_path)), "--plot", str(tmp_path))  # matplotlib keeps its fonts open
    assert run.returncode == 0, run.stderr
    picture = tmp_path / "figures.png"
    with Image.open(picture) as image:
        assert image.format == "PNG" and image.width > 800
    assert picture.stat().st_size < 100_000
    assert (ROOT / "conf" / "figures.png").stat().st_size < 100_000


def test_what_matters_most_is_measured_first_and_nothing_is_begun_too_late(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--quick", "--minutes", "0", "line-2k", "flood"]) == 0
    assert "After 0 minutes there was no time for: flood, line-2k" in capsys.readouterr().out
