"""Killed at every commit and in between: what was accepted is answered once, or its people are told what became of it.

A row of the table is a point (`tests.crash.points`), what Ann does, and what the next start must make of it:

    answered     exactly once, with every word of the answer, and the agent was asked exactly once; also where nothing
                 had been accepted: then nothing was acknowledged, and the message is found by catching up
    interrupted  told so, with what had been said, Retry and Discard; the agent is never asked again by itself

Whatever the row: no page stands twice, no Stop button is left, each message shows how it ended, and nothing in the
journal is unfinished.
"""

from __future__ import annotations

import os
import random
import re
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cli.running import PATIENCE
from tests.crash.stage import (
    DONE,
    FAILED,
    SEEN,
    Stage,
    Warm,
    busy,
    dies,
    in_thread,
    is_interrupted,
    reactions,
    said,
    stops,
)  # fmt: skip
from tests.fakes.discord import Server
from tests.fakes.discord.things import Message
from tests.platforms.discord.e2e.service import QUICK
from tests.platforms.discord.pressing import buttons
from tests.waiting import until

pytestmark = pytest.mark.crash

SHORT, LONG, HALF = "say good morning", "chunks 300 15", "say half of it\nhang"
EDITS = "say half\ngate {gate}\nsay  of it\nhang"


@dataclass(frozen=True)
class Row:
    point: str
    said: str
    outcome: str
    then: str = ""
    """A second point, at which the one that mends dies."""


TABLE = [
    Row("before-accept", SHORT, "answered"),
    Row("before-accept-commit", SHORT, "answered"),
    Row("after-accept-commit", SHORT, "answered"),
    Row("before-mark", SHORT, "answered"),
    Row("after-mark", SHORT, "answered"),
    Row("before-thread", SHORT, "answered"),
    Row("after-thread", SHORT, "answered"),
    Row("before-complete-commit", SHORT, "answered"),
    Row("after-complete-commit", SHORT, "answered"),
    Row("before-placed", SHORT, "answered"),
    Row("after-placed", SHORT, "answered"),
    Row("before-start", SHORT, "answered"),
    Row("before-start-commit", SHORT, "answered"),
    Row("after-start-commit", SHORT, "interrupted"),
    Row("before-prompt", SHORT, "interrupted"),
    Row("after-prompt", SHORT, "interrupted"),
    Row("first-page-posted", HALF, "interrupted"),
    Row("before-page-commit", HALF, "interrupted"),
    Row("after-page-commit", HALF, "interrupted"),
    Row("first-edit", EDITS, "interrupted"),
    Row("before-question", "ask", "interrupted"),
    Row("question-posted", "ask", "interrupted"),
    Row("before-finish", SHORT, "interrupted"),
    Row("before-finish-commit", SHORT, "interrupted"),
    Row("after-finish-commit", SHORT, "answered"),
    Row("after-finish-commit", LONG, "answered"),
    Row("page-1-sent", LONG, "either"),
    Row("page-2-sent", LONG, "either"),
    Row("page-3-sent", LONG, "either"),
    Row("before-upload", "image_out", "answered"),
    Row("after-upload", "image_out", "either"),
    Row("before-sent-commit", "image_out", "either"),
    Row("after-sent-commit", "image_out", "either"),
    Row("before-close", SHORT, "answered"),
    Row("before-close-commit", SHORT, "answered"),
    Row("after-close-commit", SHORT, "answered"),
    Row("first-page-posted", HALF, "interrupted", "mending-read"),
    Row("first-page-posted", HALF, "interrupted", "after-finish-commit"),
    Row("first-page-posted", HALF, "interrupted", "mending-told"),
    Row("first-page-posted", HALF, "interrupted", "mending-signed"),
    Row("before-prompt", SHORT, "interrupted", "mending-posted"),
    Row("after-finish-commit", LONG, "answered", "mending-posted"),
]


@pytest.fixture(scope="module")
def warm() -> Iterator[Warm]:
    warm = Warm()
    yield warm
    warm.close()


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(limits=QUICK) as server:
        yield server


@pytest.mark.parametrize("row", TABLE, ids=lambda row: "-then-".join(filter(None, (row.point, row.then))))
def test_crash(warm: Warm, server: Server, tmp_path: Path, row: Row) -> None:
    stage = Stage(warm, server, tmp_path)
    if row.point.startswith("before-accept"):
        stage.open()
    with stage.run(row.point) as running:
        stage.until_ready()
        message = stage.mention(row.said.format(gate=tmp_path / "gate"))
        if row.said == EDITS:
            until(lambda: stage.ours(message), PATIENCE, "half of it is there")
            (tmp_path / "gate").touch()
        dies(running)
    if row.then:
        with stage.run(row.then) as running:
            dies(running)
    acknowledged = reactions(server, message)
    with stage.run() as running:
        stage.until_ready()
        if row.point.startswith("before-accept"):
            assert acknowledged == set()
        ended = {"answered": {DONE}, "interrupted": {FAILED}}.get(row.outcome, {DONE, FAILED})
        until(lambda: reactions(server, message) & ended, PATIENCE, f"it is {row.outcome}")
        until(lambda: not stage.unfinished(), PATIENCE, "all of it is over")
        stops(running)
    check(stage, message, row)
    assert server.violations == []


def check(stage: Stage, message: Message, row: Row) -> None:
    ours = stage.ours(message)
    texts = [one.content for one in ours]
    labels = [label for one in ours for label in buttons(one)]
    assert "Stop" not in labels
    assert reactions(stage.server, message) in ({DONE}, {FAILED})
    assert stage.prompts() <= 1
    outcome = row.outcome
    if outcome == "either":  # how much had been said when the end was written is a race
        outcome = "interrupted" if is_interrupted(texts) else "answered"
    if outcome == "answered":
        assert stage.prompts() == 1
        assert not is_interrupted(texts)
        assert_whole(texts, ours, row.said)
    else:
        assert sum("Interrupted by a restart" in text for text in texts) == 1, texts
        assert labels == ["Retry", "Discard"]
        if row.said in (HALF, EDITS):
            said = sum("half" in text for text in texts)
            assert said == 1 or (said == 0 and row.point == "before-page-commit"), texts
        if row.said == "ask" and len(ours) > 1:
            assert sum("restarted after it was asked" in text for text in texts) == 1, texts


def assert_whole(texts: list[str], ours: list[Message], said: str) -> None:
    if said == SHORT:
        assert [text for text in texts if "good morning" in text] == [texts[0]], texts
    if said == LONG:
        numbers = Counter(re.findall(r"\d+", " ".join(texts)))
        assert numbers == Counter(str(number) for number in range(300)), texts
    if said == "image_out":
        assert sum(len(one.attachments) for one in ours) == 1


# What takes more than one message.


def test_what_waited_is_answered_in_its_order(warm: Warm, server: Server, tmp_path: Path) -> None:
    stage = Stage(warm, server, tmp_path)
    with stage.run() as running:
        stage.until_ready()
        thread = busy(stage)
        waiting = [in_thread(stage, thread, f"say {word}") for word in ("second", "third", "fourth")]
        until(lambda: all(reactions(server, one) == {SEEN} for one in waiting), PATIENCE, "they are accepted")
        running.kill()
    with stage.run() as running:
        stage.until_ready()
        in_thread(stage, thread, "say fifth")
        until(lambda: "fifth" in said(stage, thread) and not stage.unfinished(), PATIENCE, "all is said")
        stops(running)
    first, *rest = said(stage, thread)
    assert "Interrupted by a restart" in first
    assert rest == ["second", "third", "fourth", "fifth"]
    assert server.violations == []


@pytest.mark.parametrize("point", ["before-withdraw-commit", "after-withdraw-commit"])
def test_what_was_taken_back_is_not_answered(warm: Warm, server: Server, tmp_path: Path, point: str) -> None:
    """Killed before that is written down, too: the message is gone, and is looked for before it is answered."""
    stage = Stage(warm, server, tmp_path)
    with stage.run(point) as running:
        stage.until_ready()
        thread = busy(stage)
        gone, stays = (in_thread(stage, thread, f"say {word}") for word in ("gone", "stays"))
        until(lambda: reactions(server, stays) == {SEEN}, PATIENCE, "they are accepted")
        server.user("ann").delete(gone)
        dies(running)
    with stage.run() as running:
        stage.until_ready()
        until(lambda: "stays" in said(stage, thread) and not stage.unfinished(), PATIENCE, "the other is answered")
        stops(running)
    assert "gone" not in said(stage, thread)
    assert server.violations == []


@pytest.mark.parametrize(
    "point", ["before-refuse-commit", "after-refuse-commit", "before-fail-commit", "after-fail-commit"]
)
def test_one_that_is_refused_is_told_so_once_and_not_begun(
    warm: Warm, server: Server, tmp_path: Path, point: str
) -> None:
    """That it is refused is written before it is told; before that it is not refused."""
    stage = Stage(warm, server, tmp_path)
    stage.sections["pool"]["max_buffered_messages"] = 1
    with stage.run(point) as running:
        stage.until_ready()
        thread = busy(stage)
        in_thread(stage, thread, "say second")
        stage.server.until(stage.has_whole, PATIENCE, "the second waits")
        refused = in_thread(stage, thread, "say third")
        dies(running)
    assert sum("this one was not taken" in text for text in thread.texts) == (1 if "fail" in point else 0)
    with stage.run() as running:
        stage.until_ready()
        until(lambda: not stage.unfinished(), PATIENCE, "all of it is over")
        until(lambda: reactions(server, refused) != {SEEN}, PATIENCE, "it shows")
        stops(running)
    answered = sum(text == "third" for text in thread.texts)
    told = sum("this one was not taken" in text for text in thread.texts)
    if point == "before-refuse-commit":  # it is handed in again, and there is room for it or not
        assert answered + told == 1, thread.texts
    else:
        assert (answered, told) == (0, 1), thread.texts
        assert reactions(server, refused) == set()
    assert sum(text == "second" for text in thread.texts) == 1
    assert server.violations == []


@pytest.mark.parametrize("point", ["before-edit-commit", "after-edit-commit"])
def test_what_was_changed_is_answered_as_it_is_now(warm: Warm, server: Server, tmp_path: Path, point: str) -> None:
    stage = Stage(warm, server, tmp_path)
    with stage.run(point) as running:
        stage.until_ready()
        thread = busy(stage)
        waits = in_thread(stage, thread, "say old")
        until(stage.has_whole, PATIENCE, "it waits")
        server.user("ann").edit(waits, f"<@{server.app.id}> say new")
        dies(running)
    with stage.run() as running:
        stage.until_ready()
        until(lambda: "new" in said(stage, thread) and not stage.unfinished(), PATIENCE, "it is answered")
        stops(running)
    assert "old" not in said(stage, thread)
    assert server.violations == []


def test_what_waits_when_it_is_stopped_goes_on_afterwards(warm: Warm, server: Server, tmp_path: Path) -> None:
    stage = Stage(warm, server, tmp_path)
    stage.sections["pool"]["shutdown_grace_secs"] = 0
    with stage.run() as running:
        stage.until_ready()
        thread = busy(stage)
        waits = in_thread(stage, thread, "say later")
        until(lambda: reactions(server, waits) == {SEEN}, PATIENCE, "it is accepted")
        stops(running)
        assert reactions(server, waits) == {SEEN}
        assert sum("goes on afterwards" in text for text in said(stage, thread)) == 1
    with stage.run() as running:
        stage.until_ready()
        until(lambda: reactions(server, waits) == {DONE} and not stage.unfinished(), PATIENCE, "it is answered")
        stops(running)
    assert said(stage, thread)[-1] == "later"
    assert not is_interrupted(said(stage, thread)), "the turn that ran was cancelled, and its outcome is known"
    assert server.violations == []


KILLS, TALKS = 4, 4


@pytest.mark.timeout(120)
@pytest.mark.parametrize("seed", [int(os.environ.get("OPENAB_SEED", random.randrange(10**6)))])
def test_at_any_moment(warm: Warm, server: Server, tmp_path: Path, seed: int) -> None:
    """Conversations at work, killed again and again: each message is answered once, or told as interrupted, and no page
    stands twice. Set OPENAB_SEED to the test's number to see the same people and moments again."""
    dice, stage = random.Random(seed), Stage(warm, server, tmp_path)
    messages: dict[str, Message] = {}
    stage.open()
    for kill in range(KILLS):
        with stage.run() as running:
            for talk in range(TALKS):
                word = f"w{kill}x{talk}"
                messages[word] = stage.mention(f"say {word}" if dice.random() < 0.5 else f"chunks 150 15\nsay {word}")
            threading.Event().wait(dice.uniform(0.05, 1.2))
            running.kill()
    with stage.run() as running:
        until(lambda: running.is_there, PATIENCE, "it is there: all may be over by then")
        ended = {DONE, FAILED}
        until(
            lambda: not stage.unfinished() and all(reactions(server, one) & ended for one in messages.values()),
            2 * PATIENCE,
            "all of it is over",
        )
        stops(running)
    for word, message in messages.items():
        texts = [one.content for one in stage.ours(message)]
        answers, interruptions = (sum(part in text for text in texts) for part in (word, "Interrupted by a restart"))
        assert interruptions <= 1, (word, texts)
        assert (answers, interruptions) in {(1, 0), (0, 1), (1, 1)}, (word, texts)
        assert reactions(server, message) == ({FAILED} if interruptions else {DONE}), (word, texts)
        answer = " ".join(text for text in texts if "in line, it starts by itself" not in text)
        numbers = Counter(re.findall(r"\b\d+\b", answer))
        assert not numbers or max(numbers.values()) == 1, (word, texts)
    assert server.violations == []
