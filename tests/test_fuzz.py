"""The fuzz targets work: each holds for its corpus and for what a seed makes of it. Looking for more: `tox -e fuzz`."""

from __future__ import annotations

import importlib.util
import random
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.fuzz import CORPUS, TARGETS, scene, seeds, target
from tests.fuzz.__main__ import main

ROOT = Path(__file__).parents[1]
ROUNDS = 60
SLOW = {"events": 1}  # rounds of a target that has a whole house behind it
ONE_INPUT = {name: target(name) for name in TARGETS}  # at once: what they import warns on some Pythons
SEEDS = [pytest.param(name, path, id=f"{name}-{path.stem}") for name in TARGETS for path in seeds(name)]


def spoiled(data: bytes, dice: random.Random) -> bytes:
    """A copy with a few bytes changed, some lines swapped, and perhaps cut."""
    lines = data.split(b"\n")
    for _ in range(dice.randrange(3)):
        lines.insert(dice.randrange(len(lines)), lines.pop(dice.randrange(len(lines))))
    copy = bytearray(b"\n".join(lines))
    for _ in range(dice.randrange(6)):
        copy[dice.randrange(len(copy))] = dice.choice(b'\x00\n\r"{}[],:|`~= \xff0')
    return bytes(copy[: dice.choice((len(copy), dice.randrange(len(copy))))])


@pytest.mark.parametrize(("name", "path"), SEEDS)
def test_a_target_holds_for_its_corpus_and_near_it(name: str, path: Path) -> None:
    one_input, data = ONE_INPUT[name], path.read_bytes()
    dice = random.Random(f"{name} {path.name}")
    with scene(name):
        one_input(data)
        for _ in range(SLOW.get(name, ROUNDS)):
            one_input(spoiled(data, dice))


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_holds_for_nothing_and_for_noise(name: str) -> None:
    one_input, dice = ONE_INPUT[name], random.Random(name)
    with scene(name):
        one_input(b"")
        for _ in range(ROUNDS):
            one_input(dice.randbytes(dice.randrange(200)))


def test_the_corpus_is_small_and_each_target_has_one() -> None:
    assert {path.name for path in CORPUS.iterdir()} == {*TARGETS, "ids", "events"}
    assert all(seeds(name) for name in TARGETS)
    assert sum(path.stat().st_size for name in TARGETS for path in seeds(name)) < 100_000


BROKEN = [
    ("wire", "openab_sync.acp.wire.LineBuffer._has_long_line", lambda *_: False),
    ("peer", "openab_sync.acp.questions.Questions.drop", lambda *_: False),
    ("config", "tests.fuzz.config.find_lines", lambda _: {}),
    ("split", "openab_sync.text.split._take", lambda window, start, limit: (window[: limit - 1], limit, start)),
    ("tables", "openab_sync.text.tables.TableStream.tail", lambda _: ""),
    ("ids", "tests.fuzz.ids.read", lambda _: SimpleNamespace(kind="about", parts=("1", "2"))),
    ("events", "openab_sync.platforms.discord.changes.Changes.thread_deleted", lambda *_: 1 / 0),
][: len(TARGETS)]


@pytest.mark.parametrize(("name", "what", "broken"), BROKEN, ids=TARGETS)
def test_a_broken_product_is_noticed(name: str, what: str, broken: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(what, broken)

    def feed() -> None:
        for path in seeds(name):
            ONE_INPUT[name](path.read_bytes())

    with scene(name), pytest.raises(AssertionError):
        feed()


def test_what_was_found_can_be_fed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = tmp_path / "crash-1"
    found.write_bytes(b"  ab ")
    assert main(["split", "--again", str(found)]) == 0
    monkeypatch.setattr("tests.fuzz.split.split", lambda text, limit: [])
    with pytest.raises(AssertionError):
        main(["split", "--again", str(found)])


@pytest.mark.parametrize("arguments", [["no-such-thing"], ["--again", "x"]])
def test_a_wrong_call_is_a_usage_error(arguments: list[str]) -> None:
    run = subprocess.run([sys.executable, "-m", "tests.fuzz", *arguments], cwd=ROOT, capture_output=True, text=True)
    assert (run.returncode, run.stdout) == (2, "")
    assert "error: " in run.stderr


def test_without_atheris_it_says_where_that_comes_from(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SystemExit) as ended:
        main(["wire"])
    assert ended.value.code == 2
    assert "tox -e fuzz" in capsys.readouterr().err
